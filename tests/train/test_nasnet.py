"""NASNet-A Mobile against Keras, by a golden file of what Keras computes with the same weights."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.train.golden.nasnet_keras import CLASSES, SIDES, image, weight

from poxlens.errors import WeightsError
from poxlens.train.nasnet import NasnetMobile
from poxlens.train.networks import nasnet_keras
from poxlens.train.networks.nasnet_keras import convert, keras_layers, layers_of_h5, state_of_layers

GOLDEN = json.loads((Path(__file__).parent / "golden" / "nasnet_keras.json").read_text())


def keras_shapes(network):
    """The shapes of Keras' arrays, by layer: [h, w, in, out], and [h, w, in, 1] of depthwise kernels."""
    state = network.state_dict()
    for name, entries in keras_layers(network):
        shapes = [tuple(state[entry].shape) for entry in entries]
        for at, (entry, shape) in enumerate(zip(entries, shapes, strict=True)):
            if len(shape) == 4:
                out, inside, high, wide = shape
                shapes[at] = (high, wide, out, inside) if "depthwise" in entry else (high, wide, inside, out)
            elif len(shape) == 2:
                shapes[at] = shape[::-1]
        yield name, shapes


@pytest.fixture(scope="module")
def layers():
    """Keras' weights by the rule of the golden file."""
    with torch.device("meta"):
        network = NasnetMobile(CLASSES)
    return {
        name: [weight(name, index, shape) for index, shape in enumerate(shapes)]
        for name, shapes in keras_shapes(network)
    }


@pytest.fixture(scope="module")
def network(layers):
    made = NasnetMobile(CLASSES)
    odd = made.load_state_dict(state_of_layers(layers), strict=False)
    assert odd.unexpected_keys == []
    assert all(key.endswith("num_batches_tracked") for key in odd.missing_keys)
    return made.eval()


@pytest.mark.parametrize("side", SIDES)
def test_the_numbers_of_keras(network, side):
    planes = torch.from_numpy(image(side)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        pooled = network(planes).mean((2, 3))[0].numpy()
        logits = network.logits(planes)[0].numpy()
    expected = {what: np.array(GOLDEN[str(side)][what]) for what in ("pooled", "logits")}
    assert pooled.shape == expected["pooled"].shape == (1056,)
    assert expected["pooled"].std() > 0.1  # the rule keeps the signal alive to the last layer
    assert np.abs(pooled - expected["pooled"]).max() < 1e-4
    assert np.abs(logits - expected["logits"]).max() < 1e-4


def test_the_size_that_keras_counts():
    with torch.device("meta"):
        state = NasnetMobile(1000).state_dict()
    entries = sum(v.numel() for name, v in state.items() if not name.endswith("num_batches_tracked"))
    assert entries == 5_326_716  # keras.applications.NASNetMobile(weights=None).count_params()


def test_it_learns_in_every_cell(network):
    planes = torch.from_numpy(image(64)).permute(0, 3, 1, 2)
    network.requires_grad_(True).logits(planes).sum().backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in network.parameters())
    network.requires_grad_(False)


def test_without_a_classifier_there_are_no_logits():
    with torch.device("meta"), pytest.raises(ValueError, match="no classifier"):
        NasnetMobile().logits(torch.zeros(1, 3, 64, 64))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda layers: layers.pop("stem_bn1"), 'layer "stem_bn1" has 0 arrays of weights, not 4'),
        (lambda layers: layers.update(block1_conv1=[np.zeros(3)]), 'has no layer "block1_conv1"'),
        (
            lambda layers: layers.update(stem_conv1=[np.zeros((3, 3, 3, 31))]),
            r'layer "stem_conv1": shape \(3, 3, 3, 31\) does not fit',
        ),
    ],
    ids=["missing", "left over", "shape"],
)
def test_other_weights_are_named(layers, change, message):
    layers = dict(layers)
    change(layers)
    with pytest.raises(WeightsError, match=message):
        state_of_layers(layers)


class Node(dict):
    """An HDF5 group or file: a mapping with attributes; paths may have several steps."""

    def __init__(self, entries=(), **attrs):
        super().__init__(entries)
        self.attrs = attrs

    def __getitem__(self, path):
        first, _, rest = path.partition("/")
        found = super().__getitem__(first)
        return found[rest] if rest else found

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def published(layers):
    """The layout of Keras' files: layer / layer / kernel:0, names as bytes, layers without weights too."""
    groups = {"input_1": Node(weight_names=[])}
    for name, arrays in layers.items():
        paths = [f"{name}/array_{index}:0" for index in range(len(arrays))]
        inner = Node({path.partition("/")[2]: array for path, array in zip(paths, arrays, strict=True)})
        groups[name] = Node({name: inner}, weight_names=[path.encode() for path in paths])
    return Node(groups, layer_names=[name.encode() for name in groups])


def test_the_published_layout(layers):
    for file in (published(layers), Node({"model_weights": published(layers)})):
        found = layers_of_h5(file)
        assert found.pop("input_1") == []
        assert found.keys() == layers.keys()
        assert all(
            np.array_equal(one, two)
            for name in layers
            for one, two in zip(layers[name], found[name], strict=True)
        )
    with pytest.raises(WeightsError, match="no layers in the layout"):
        layers_of_h5(Node())


def test_a_file_is_converted(layers, tmp_path, monkeypatch):
    def opened(path, mode):
        if path.read_bytes() != b"whole":
            raise OSError("truncated file")
        return published(layers)

    from safetensors.torch import load_file

    monkeypatch.setattr(nasnet_keras.importlib, "import_module", lambda name: SimpleNamespace(File=opened))
    (tmp_path / "a.h5").write_bytes(b"whole")
    path, is_published = convert(tmp_path / "a.h5", tmp_path / "weights")
    assert path == tmp_path / "weights" / "nasnet_mobile.safetensors"
    assert not is_published
    state = load_file(path)
    expected = state_of_layers({name: arrays for name, arrays in layers.items() if name != "predictions"})
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)
    (tmp_path / "cut.h5").write_bytes(b"who")
    with pytest.raises(WeightsError, match=r"cut\.h5 is no whole HDF5 file"):
        convert(tmp_path / "cut.h5", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_without_h5py_it_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(nasnet_keras.importlib, "import_module", missing)
    with pytest.raises(WeightsError, match="pip install h5py"):
        convert(tmp_path / "a.h5", tmp_path)
