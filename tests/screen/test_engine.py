from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from poxlens.bundle.manifest import ConformalQuantile, Model
from poxlens.bundle.store import load
from poxlens.errors import BundleError
from poxlens.screen.engine import Engine, prediction_set, probabilities
from poxlens.screen.graph import Graph

PHOTOS = np.random.default_rng(0).integers(0, 256, (9, 28, 28, 3), np.uint8)


@pytest.fixture(scope="module")
def engine(tiny_path):
    return Engine(load(tiny_path))


def test_the_outputs_are_those_computed_by_hand(engine, tiny):
    outputs = engine.run(PHOTOS)
    mean = PHOTOS.reshape(9, -1, 3).mean(axis=1) / 255.0
    assert outputs.logits.shape == (9, 7)
    np.testing.assert_allclose(outputs.logits[:, 0], 2.0 * mean[:, 0], atol=1e-5)
    np.testing.assert_array_equal(outputs.logits[:, 1:], 0.0)
    np.testing.assert_allclose(outputs.embedding[:, :3], mean, atol=1e-6)
    np.testing.assert_allclose(outputs.novelty, 100 * ((mean - tiny.CENTRE) ** 2).sum(axis=1), rtol=1e-4)
    cells = PHOTOS.reshape(9, 7, 4, 7, 4, 3).mean(axis=(2, 4)) / 255.0
    np.testing.assert_allclose(outputs.heatmap[:, 4], cells[..., 1], atol=1e-5)


def test_a_batch_gives_what_single_photos_give(engine):
    together = engine.run(PHOTOS)
    for i in range(len(PHOTOS)):
        alone = engine.run(PHOTOS[i : i + 1])
        np.testing.assert_allclose(together.logits[i], alone.logits[0], atol=1e-6)
        np.testing.assert_allclose(together.heatmap[i], alone.heatmap[0], atol=1e-6)
        assert together.novelty[i] == pytest.approx(alone.novelty[0], rel=1e-5)


def test_eight_threads_get_the_same_numbers(engine):
    expected = [engine.run(PHOTOS[i : i + 1]).logits for i in range(9)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: engine.run(PHOTOS[i % 9 : i % 9 + 1]).logits, range(200)))
    for i, logits in enumerate(found):
        np.testing.assert_array_equal(logits, expected[i % 9])


@pytest.mark.parametrize(
    "images",
    [PHOTOS[0], PHOTOS[:0], PHOTOS.astype(np.float32), PHOTOS[:, :20], PHOTOS[..., :1]],
)
def test_other_arrays_are_refused(engine, images):
    with pytest.raises(ValueError, match=r"images must be uint8 \[N, 28, 28, 3\]"):
        engine.run(images)


def altered(tiny, folder, field, change):
    made = tiny.build(folder)
    golden = [
        replace(example, **{field: change(getattr(example, field))}) for example in made.manifest.golden[:1]
    ]
    return tiny.build(folder, golden=[*golden, *made.manifest.golden[1:]])


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("logits", lambda values: [values[0] + 0.01, *values[1:]]),
        ("embedding_head", lambda values: [*values[:-1], values[-1] - 0.01]),
        ("novelty", lambda value: value + 0.01 * max(1.0, value)),
        ("heatmap_mean", lambda values: [*values[:3], values[3] + 0.01, *values[4:]]),
    ],
)
def test_a_wrong_golden_output_is_refused_by_name(tiny, tmp_path, field, change):
    bundle = altered(tiny, tmp_path / "b", field, change)
    with pytest.raises(
        BundleError, match=rf"golden/light\.png: {field} differs by 0\.0(1|099), allowed is 0\.0001"
    ):
        Engine(bundle)


def test_novelty_is_compared_relative_to_its_size(tiny, tmp_path):
    """6e-5 of a novelty of 8 and more is above 1e-4 itself and yet accepted; 5e-4 of it is refused."""
    far = {"onnx_bytes": tiny.model(centre=(0.5, 0.4, 0.4))}
    novelty = tiny.build(tmp_path / "b", **far).manifest.golden[0].novelty
    assert 8 < novelty < 30

    def shifted(by):
        first, *rest = tiny.build(tmp_path / "b", **far).manifest.golden
        return tiny.build(tmp_path / "b", golden=[replace(first, novelty=first.novelty + by), *rest], **far)

    assert 3e-5 < Engine(shifted(0.00006 * novelty)).golden_difference < 1e-4
    with pytest.raises(BundleError, match="novelty differs"):
        Engine(shifted(0.0005 * novelty))


def test_another_model_under_the_same_goldens_is_refused(tiny, tmp_path):
    golden = tiny.build(tmp_path / "a").manifest.golden
    with pytest.raises(BundleError, match="logits differs"):
        Engine(tiny.build(tmp_path / "b", onnx_bytes=tiny.model(gain=2.1), golden=golden))


def test_a_golden_photo_that_is_no_photo_is_refused(tiny, tmp_path):
    from poxlens.bundle.pack import pack

    made = tiny.build(tmp_path / "b")
    files = {**tiny.files(tiny.model()), "golden/light.png": b"no photo"}
    with pytest.raises(BundleError, match=r"golden/light\.png cannot be read"):
        Engine(pack(tmp_path / "b", made.manifest, files))


def test_a_model_that_is_none_is_refused(tiny, tmp_path):
    with pytest.raises(BundleError, match="the model cannot be loaded"):
        Graph(b"not a model", size=28)
    with pytest.raises(BundleError, match=r"gives other shapes than 5 classes"):
        Graph(tiny.model(), size=28, classes=5).run(PHOTOS)
    with pytest.raises(BundleError, match="the model cannot be run"):
        Graph(tiny.model(), size=30).run(np.zeros((1, 30, 30, 3), np.uint8))
    with pytest.raises(BundleError, match="values in logits that are not numbers"):
        Graph(tiny.model(bias=[np.nan] * 7), size=28).run(PHOTOS)


def test_a_bundle_for_litert_alone_says_what_to_install(tiny, tmp_path, monkeypatch):
    bundle = tiny.build(tmp_path / "b", models=[Model("litert", "int8", "model.onnx", 0.02)])
    monkeypatch.setattr("poxlens.screen.engine.installed", lambda: False)
    with pytest.raises(BundleError, match=r'no ONNX model in it.*pip install "poxlens\[litert\]"'):
        Engine(bundle)


def test_a_graph_with_other_names_is_refused(tiny):
    import onnx

    model = onnx.load_from_string(tiny.model())
    model.graph.output.pop()
    with pytest.raises(BundleError, match="must take 'image' and give logits, embedding, heatmap, novelty"):
        Graph(model.SerializeToString(), size=28)


def test_eight_bits_go_first_and_any_model_can_be_asked_for(tiny, tmp_path):
    models = [Model("onnx", "int8", "model.onnx", 0.02), Model("onnx", "fp32", "model.onnx", 1e-4)]
    bundle = tiny.build(tmp_path / "b", models=models)
    assert Engine(bundle).model.precision == "int8"
    assert Engine(bundle, model=models[1]).model.precision == "fp32"
    with pytest.raises(ValueError, match="threads must be 1 or more"):
        Engine(bundle, threads=0)


def test_probabilities_are_a_softmax_with_temperature():
    logits = np.array([2.0, 1.0, 0.0])
    np.testing.assert_allclose(probabilities(logits, 1.0), np.exp(logits) / np.exp(logits).sum(), rtol=1e-12)
    np.testing.assert_allclose(probabilities(logits, 2.0), probabilities(logits / 2.0, 1.0), rtol=1e-12)
    np.testing.assert_allclose(probabilities(np.array([1e4, -1e4]), 0.5), [1.0, 0.0])


def test_the_prediction_set_is_lac(tiny):
    quantiles = {name: ConformalQuantile(0.8, 50) for name in tiny.CLASSES}
    manifest = tiny.manifest(conformal={**quantiles, "mpox": ConformalQuantile(0.95, 50)})
    chances = dict.fromkeys(tiny.CLASSES, 0.15)
    chances |= {"mpox": 0.0625, "acne": 0.25, "hfmd": 0.1875}
    assert prediction_set(chances, manifest) == ("mpox", "acne")
    assert prediction_set(dict.fromkeys(tiny.CLASSES, 0.04), manifest) == ()


def test_without_waiting_no_answer_is_given_before_the_golden_examples_were_right(tiny, tmp_path, tiny_path):
    wrong = altered(tiny, tmp_path / "b", "novelty", lambda value: value + 1.0)
    engine = Engine(wrong, wait=False)
    with pytest.raises(BundleError, match=r"golden/light\.png: novelty differs"):
        engine.run(PHOTOS)
    with pytest.raises(BundleError, match="novelty differs"):
        engine.ready()
    right = Engine(load(tiny_path), wait=False)
    np.testing.assert_array_equal(right.run(PHOTOS).logits, Engine(load(tiny_path)).run(PHOTOS).logits)
    assert right.golden_difference < 1e-4


def test_int8_weights_become_floats_at_the_load(tiny):
    """Otherwise ONNX Runtime makes them floats for each photo, which takes twice as long."""
    options = Graph(tiny.model(), size=28)._session.get_session_options()
    assert options.get_session_config_entry("session.disable_quant_qdq") == "1"


def test_the_model_can_begin_to_load_before_pillow_is_imported():
    code = (
        "import sys, poxlens.bundle.store; print({'numpy', 'PIL'} & {*sys.modules});"
        "import poxlens.screen.engine; print({'onnxruntime', 'PIL'} & {*sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown == "set()\nset()\n"
