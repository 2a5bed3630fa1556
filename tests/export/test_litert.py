"""The .tflite files, made by the LiteRT tools and run by LiteRT, against the same graph in torch and ONNX."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from poxlens.bundle.manifest import ConformalQuantile
from poxlens.bundle.pack import pack
from poxlens.cli.main import main
from poxlens.errors import ExportError
from poxlens.export.calibration import observe
from poxlens.export.eight_bits import correct_biases
from poxlens.export.folding import convolutions, folded, mend_dead_channels
from poxlens.export.forms import models_of, name_of
from poxlens.export.litert import find_tools, litert_forms
from poxlens.export.onnx_forms import onnx_fp32, onnx_int8
from poxlens.export.tail import FloatTail
from poxlens.photo.resize import InputRule
from poxlens.screen.engine import Engine, likely_runtime
from poxlens.screen.golden import examples
from poxlens.screen.graph import OUTPUTS, Graph
from poxlens.screen.litert import LiteRTGraph
from poxlens.train.networks.spec import HALVES

SIDE, CLASSES = 64, 3
KEPT = ("parts.0.stem.0", "parts.0.same.0")


@pytest.fixture(scope="module")
def python():
    try:
        return find_tools()
    except ExportError:
        pytest.skip("the LiteRT tools are not installed (make litert-tools): no conversion is tested")


@pytest.fixture(scope="module")
def parts(images):
    """The network with its own and with corrected biases."""
    from tests.export.conftest import small_backbone

    # One standard deviation for all colours: the converter divides the first weights by it.
    plain = folded(small_backbone(scaling=HALVES), SIDE)
    mend_dead_channels(plain)
    corrected = copy.deepcopy(plain)
    names = [name for name in convolutions(plain) if name not in KEPT]
    correct_biases(corrected, observe(plain, images), names)
    return plain, corrected


def made(parts, heads, subspace, images, python, wanted=("fp32", "fp16", "w8", "dynamic", "int8")):
    return litert_forms(*parts, FloatTail(heads[2], subspace), images, KEPT, wanted, python=python)


@pytest.fixture(scope="module")
def files(parts, heads, subspace, images, python):
    return made(parts, heads, subspace, images, python)


@pytest.fixture(scope="module")
def expected(parts, heads, subspace, images):
    return Graph(onnx_fp32(parts[0], heads[2], subspace, SIDE), size=SIDE).run(images)


def test_floats_give_what_onnx_gives(files, expected, images):
    found = LiteRTGraph(files["fp32"], size=SIDE, classes=CLASSES).run(images)
    for name in OUTPUTS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4, err_msg=name)


@pytest.mark.parametrize("precision", ["fp16", "w8", "dynamic", "int8"])
def test_the_other_forms_are_near_with_a_tail_in_floats(files, expected, images, heads, subspace, precision):
    found = LiteRTGraph(files[precision], size=SIDE, classes=CLASSES).run(images)
    cosine = (found.embedding * expected.embedding).sum(1) / (
        np.linalg.norm(found.embedding, axis=1) * np.linalg.norm(expected.embedding, axis=1)
    )
    assert cosine.min() > 0.99
    assert np.abs(found.embedding - expected.embedding).max() > 0
    np.testing.assert_allclose(heads[2].logits(found.embedding), found.logits, atol=1e-4)
    np.testing.assert_allclose(subspace.score(found.embedding), found.novelty, atol=1e-4)


def test_levels_keep_their_ranges_and_weights_their_steps(levelled, wide_parts, images, python):
    tail = FloatTail(*wide_parts)
    found = litert_forms(levelled, levelled, tail, images, (), ("fp32", "w8", "int8"), python=python)
    outputs = {
        name: LiteRTGraph(data, size=SIDE, classes=CLASSES).run(images).embedding
        for name, data in found.items()
    }
    one, other = outputs["fp32"][:, :12], outputs["int8"][:, :12]
    assert ((one - other) ** 2).sum() < 1e-3 * (one**2).sum()
    assert len(found["fp32"]) - len(found["w8"]) > 2.5 * 32 * 64
    # The first convolution is in half precision, the pointwise one loses nothing.
    np.testing.assert_allclose(outputs["w8"], outputs["fp32"], atol=2e-3 * np.abs(outputs["fp32"]).max())


def test_what_is_kept_and_nothing_else_stays_in_floats(files):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=files["int8"])
    tensors = {one["index"]: one for one in interpreter.get_tensor_details()}
    kernels = [
        (tensors[op["inputs"][1]]["dtype"], tuple(tensors[op["inputs"][1]]["shape"]))
        for op in interpreter._get_ops_details()
        if op["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D")
    ]
    floats = sorted(shape for kind, shape in kernels if kind is np.float32)
    assert floats == [(1, 3, 3, 16), (8, 3, 3, 3)]  # the depthwise one of "same", and the stem
    assert sum(kind is np.int8 for kind, _ in kernels) == 4
    (taken,) = interpreter.get_input_details()
    assert taken["dtype"] is np.float32
    assert all(one["dtype"] is np.float32 for one in interpreter.get_output_details())


def test_the_same_bytes_when_made_twice(files, parts, heads, subspace, images, python):
    again = made(parts, heads, subspace, images, python, ("fp32", "int8"))
    assert again == {name: files[name] for name in ("fp32", "int8")}


def test_many_threads_and_batches_get_the_same(files, images):
    from concurrent.futures import ThreadPoolExecutor

    graph = LiteRTGraph(files["int8"], size=SIDE, classes=CLASSES)
    together = graph.run(images[:8])
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda i: graph.run(images[i % 8 : i % 8 + 1]).logits[0], range(40)))
    for i, logits in enumerate(alone):
        np.testing.assert_array_equal(logits, together.logits[i % 8])


def test_a_layer_that_cannot_be_converted_is_told(parts, heads, subspace, images, python):
    class Strange(torch.nn.Module):
        def forward(self, image):
            found = torch.linalg.svdvals(image[0, :, :, 0])  # LiteRT has no singular values
            return found[:24].reshape(1, 1, 1, 24).expand(1, 2, 2, 24)

    strange = Strange()
    with pytest.raises(ExportError, match=r"the LiteRT tools failed|torch cannot export"):
        litert_forms(strange, strange, FloatTail(heads[1], subspace), images, (), ("fp32",), python=python)


def test_the_engine_takes_the_quickest_form_that_it_can_run(
    files, expected, parts, heads, subspace, images, tiny, tmp_path, monkeypatch
):
    rule, classes = InputRule(size=SIDE), ["mpox", "acne", "healthy"]
    photos = {"golden/one.png": tiny.png(images[0])}
    fp32 = onnx_fp32(parts[0], heads[2], subspace, SIDE)
    eight = onnx_int8(onnx_fp32(parts[1], heads[2], subspace, SIDE), parts[1], images, KEPT)
    forms = {("onnx", "fp32"): fp32, ("onnx", "int8"): eight, ("litert", "int8"): files["int8"]}
    golden = examples(Graph(fp32, size=SIDE, classes=CLASSES), rule, photos)
    manifest = tiny.manifest(
        classes=classes,
        input=rule,
        conformal={name: ConformalQuantile(0.85, 50) for name in classes},
        models=models_of(forms, golden, rule, photos),
        golden=golden,
    )
    packed = {name_of(kind): data for kind, data in forms.items()}
    bundle = pack(tmp_path / "b", manifest, {**packed, **photos, "MODEL_CARD.md": b"# small\n"})
    engine = Engine(bundle)
    assert (engine.model.runtime, engine.model.precision) == ("litert", "int8")
    assert engine.golden_difference <= 1e-3
    assert engine.model.golden != bundle.manifest.golden
    np.testing.assert_allclose(
        engine.run(images).logits, expected.logits, atol=0.15 * np.ptp(expected.logits)
    )
    assert likely_runtime(tmp_path / "b") == "litert"
    assert main(["bundle", "verify", str(tmp_path / "b")]) == 0
    monkeypatch.setattr("poxlens.screen.engine.installed", lambda: False)
    without = Engine(bundle)
    assert (without.model.runtime, without.model.precision) == ("onnx", "int8")
    assert likely_runtime(tmp_path / "b") == "onnx"
