from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from poxlens.data.phantom import draw, random_spec
from poxlens.errors import ExportError
from poxlens.recipes.novelty import mim_export
from poxlens.recipes.novelty.mim_export import export_mim
from poxlens.train.inpainting.measuring import pictures, similarities
from poxlens.train.inpainting.networks import Generator


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return Generator((4, 6, 8, 8)).eval()


@pytest.fixture(scope="module")
def images():
    phantoms = [draw(random_spec(seed, size=64)).image for seed in range(3)]
    return np.stack([*phantoms, np.zeros((64, 64, 3), np.uint8)])


@pytest.mark.soak  # the LiteRT tools alone take half a minute
def test_every_runtime_gives_the_score_of_the_benchmark(generator, images, tmp_path):
    files = export_mim(generator, images, 32, tmp_path)
    told = json.loads(files["parity.json"].read_text())
    assert told["mim.onnx"]["largest difference"] <= 1e-4
    expected = -similarities(generator, images, 32)["ssim+hbd"]
    assert np.ptp(expected) > 0.05
    found = mim_export._by_onnx(files["mim.onnx"].read_bytes(), images)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    if "mim.tflite" not in files:
        pytest.skip(f"the .tflite is {told['mim.tflite']}")
    found = mim_export._by_litert(files["mim.tflite"].read_bytes(), images)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_inpainted_picture_comes_with_the_score(generator, images, tmp_path, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(mim_export, "find_tools", _missing)
    files = export_mim(generator, images, 32, tmp_path)
    assert "not made" in json.loads(files["parity.json"].read_text())["mim.tflite"]
    session = onnxruntime.InferenceSession(files["mim.onnx"].read_bytes())
    made = session.run(["inpainted"], {"image": images})[0]
    np.testing.assert_allclose(made, pictures(generator, images, 32), atol=0.51)


def _missing():
    raise ExportError("no tools here")


def test_another_score_is_not_written(generator, images, tmp_path, monkeypatch):
    monkeypatch.setattr(mim_export, "_by_onnx", lambda model, some: np.zeros(len(some), np.float32))
    with pytest.raises(ExportError, match="differs from torch"):
        export_mim(generator, images, 32, tmp_path / "out")
    assert not (tmp_path / "out").exists()
