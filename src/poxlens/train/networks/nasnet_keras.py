"""Keras' weights of NASNetMobile as the state dict of `poxlens.train.nasnet.NasnetMobile`.

Keras publishes them as `nasnet_mobile_no_top.h5` and, with the classifier, `nasnet_mobile.h5` (Apache-2.0). Arrays are
matched by the name of their layer; a layer that is missing, left over or of another shape is an error.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import WeightsError
from poxlens.files import write_atomically
from poxlens.train.nasnet import NasnetMobile, Separable

PUBLISHED = {
    "1ed92395b5b598bdda52abe5c0dbfd63": "nasnet_mobile_no_top.h5",
    "020fb642bf7360b370c678b08e0adf61": "nasnet_mobile.h5",
}
"""MD5 that Keras itself checks -> the name that Keras keeps the file under."""
URL = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/NASNet-mobile-no-top.h5"
FILE = "nasnet_mobile.safetensors"  # what the converted file is looked for as

Layers = Mapping[str, Sequence[NDArray[Any]]]  # name of a Keras layer -> its arrays in Keras' order
_NORM = ("weight", "bias", "running_mean", "running_var")  # as Keras orders gamma, beta, mean, variance


def keras_layers(network: NasnetMobile) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each Keras layer that has weights, and the entries of our state dict that its arrays become."""
    yield "stem_conv1", ("stem.weight",)
    yield "stem_bn1", tuple(f"stem_bn.{entry}" for entry in _NORM)
    for name, cell in network.cells.items():
        for child, module in cell.named_children():
            path = f"cells.{name}.{child}"
            if isinstance(module, Separable):
                yield from _separable(path, f"{cell.kind}_{child}_{name}")
            elif child == "adjust":
                for part, inner in module.named_children():
                    yield f"adjust_{part}_{name}", _entries(f"{path}.{part}", inner)
            else:
                yield f"{cell.kind}_{child}_{name}", _entries(path, module)
    if network.classifier is not None:
        yield "predictions", ("classifier.weight", "classifier.bias")


def _separable(path: str, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for turn in (1, 2):
        yield (
            f"separable_conv_{turn}_{name}",
            (f"{path}.depthwise_{turn}.weight", f"{path}.pointwise_{turn}.weight"),
        )
        yield f"separable_conv_{turn}_bn_{name}", tuple(f"{path}.bn_{turn}.{entry}" for entry in _NORM)


def _entries(path: str, module: nn.Module) -> tuple[str, ...]:
    if isinstance(module, nn.BatchNorm2d):
        return tuple(f"{path}.{entry}" for entry in _NORM)
    return (f"{path}.weight",)


def state_of_layers(layers: Layers) -> dict[str, torch.Tensor]:
    """The state dict of NasnetMobile from Keras' arrays, with the classifier where the layer "predictions" is there.

    Args:
        layers: name of each Keras layer -> its arrays, as `{layer.name: layer.get_weights()}` of a Keras model.

    Raises:
        WeightsError: a layer is missing, left over or of another shape; names it.
    """
    classes = len(layers["predictions"][1]) if "predictions" in layers else 0
    with torch.device("meta"):  # its names and shapes only
        network = NasnetMobile(classes)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    known = dict(keras_layers(network))
    odd = sorted(name for name, arrays in layers.items() if len(arrays) and name not in known)
    if odd:
        raise WeightsError(f'these are not the weights of NASNetMobile: it has no layer "{odd[0]}"')
    state = {}
    for name, entries in known.items():
        arrays = layers.get(name, ())
        if len(arrays) != len(entries):
            raise WeightsError(f'layer "{name}" has {len(arrays)} arrays of weights, not {len(entries)}')
        for entry, array in zip(entries, arrays, strict=True):
            values = _turned(np.asarray(array, np.float32), depthwise=".depthwise_" in entry)
            if values.shape != shapes[entry]:
                raise WeightsError(f'layer "{name}": shape {np.shape(array)} does not fit {shapes[entry]}')
            state[entry] = torch.from_numpy(np.ascontiguousarray(values))
    return state


def _turned(values: NDArray[np.float32], *, depthwise: bool) -> NDArray[np.float32]:
    """Keras keeps [h, w, in, out], and [h, w, in, 1] of a depthwise convolution; a dense layer [in, out]."""
    if values.ndim == 4:
        return values.transpose(2, 3, 0, 1) if depthwise else values.transpose(3, 2, 0, 1)
    return values.T if values.ndim == 2 else values


def layers_of_h5(file: Any) -> dict[str, list[NDArray[Any]]]:
    """The layers of an open HDF5 file of Keras weights, in the layout that Keras 2 wrote.

    Args:
        file: an open `h5py.File`, or what looks like one.

    Raises:
        WeightsError: it has another layout.
    """
    root = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
    if "layer_names" not in root.attrs:
        raise WeightsError("this HDF5 file has no layers in the layout of Keras' published weights")
    return {
        layer: [np.asarray(root[layer][_text(path)]) for path in root[layer].attrs["weight_names"]]
        for layer in map(_text, root.attrs["layer_names"])
    }


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def convert(source: Path, folder: Path) -> tuple[Path, bool]:
    """Turn Keras' published file into `nasnet_mobile.safetensors`.

    Args:
        source: `nasnet_mobile_no_top.h5` or `nasnet_mobile.h5`.
        folder: where the converted file goes; name it in POXLENS_WEIGHTS.

    Returns:
        The written file, and whether `source` has the MD5 of a file that Keras publishes.

    Raises:
        WeightsError: it cannot be read, or holds other weights; or h5py is not installed.
    """
    from safetensors.torch import save

    try:
        h5py: Any = importlib.import_module("h5py")
    except ModuleNotFoundError as fault:
        raise WeightsError(f"reading {source} needs h5py. Install it with: pip install h5py") from fault
    data = source.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()  # the sum that Keras gives
    try:
        with h5py.File(source, "r") as file:
            layers = layers_of_h5(file)
    except (OSError, KeyError) as fault:
        raise WeightsError(f"{source} is no whole HDF5 file of Keras weights: {fault}") from fault
    state = state_of_layers({name: arrays for name, arrays in layers.items() if name != "predictions"})
    path = folder / FILE
    write_atomically(path, save(state, metadata={"source": PUBLISHED.get(md5, source.name), "md5": md5}))
    return path, md5 in PUBLISHED
