from __future__ import annotations

import json

import pytest

from poxlens.bundle.manifest import Model
from poxlens.bundle.pack import pack_zip
from poxlens.bundle.store import load
from poxlens.cli.main import main


def test_show_prints_every_figure_with_its_interval(tiny_path, capsys):
    assert main(["bundle", "show", str(tiny_path)]) == 0
    text = capsys.readouterr().out
    for part in (
        "tiny 1.0.0",
        "mpox (screened for)",
        "Rule in: probability of mpox at or above 0.5000",
        "Rule out: probability of mpox below 0.1000",
        "sensitivity  0.960 (0.930 to 0.980, n = 200)",
        "AUROC, all:  0.930 (0.910 to 0.950, n = 400)",
        "Temperature 1.500",
        "min short side  128",
        "CC-BY-NC-4.0",
        "It knows mean colours and nothing else.",
        load(tiny_path).digest,
    ):
        assert part in text


def test_show_json_is_the_manifest(tiny_path, capsys):
    assert main(["bundle", "show", "--json", str(tiny_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    manifest = json.loads((tiny_path / "bundle.json").read_bytes())
    assert shown == {"path": str(tiny_path), "digest": load(tiny_path).digest, **manifest}


def test_verify_runs_every_model(tiny, tiny_path, tmp_path, capsys, monkeypatch):
    zipped = pack_zip(load(tiny_path), tmp_path / "tiny.zip")
    assert main(["bundle", "verify", str(zipped)]) == 0
    text = capsys.readouterr().out
    assert "ok  4 files" in text
    assert "ok  model.onnx: 2 golden examples, largest difference" in text
    models = [Model("onnx", "fp32", "model.onnx", 1e-4), Model("litert", "int8", "model.onnx", 0.02)]
    tiny.build(tmp_path / "two", models=models)
    monkeypatch.setattr("poxlens.screen.engine.installed", lambda: False)
    assert main(["bundle", "verify", str(tmp_path / "two")]) == 0
    assert "--  model.onnx: not run, LiteRT is not installed" in capsys.readouterr().out


def test_verify_finds_the_one_model_that_is_wrong(tiny, tmp_path, capsys):
    """The chosen model agrees; the other, which only verify looks at, does not meet its tolerance."""
    made = tiny.build(tmp_path / "b")
    golden = [made.manifest.golden[0]]
    golden = [type(golden[0])(**{**vars(golden[0]), "novelty": golden[0].novelty + 0.001})]
    models = [Model("onnx", "int8", "model.onnx", 1e-5), Model("onnx", "fp32", "model.onnx", 0.1)]
    tiny.build(tmp_path / "b", golden=golden, models=models)
    assert main(["bundle", "verify", str(tmp_path / "b")]) == 1
    assert "novelty differs by" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["show", "verify"])
def test_a_damaged_bundle_exits_1(tiny_copy, capsys, verb):
    card = tiny_copy / "MODEL_CARD.md"
    card.write_bytes(b"X" + card.read_bytes()[1:])
    assert main(["bundle", verb, str(tiny_copy)]) == 1
    assert "MODEL_CARD.md was changed" in capsys.readouterr().err
    assert main(["bundle", verb, "/nowhere"]) == 1


def test_misuse_exits_2(capsys):
    assert main(["bundle", "frobnicate"]) == 2
    assert main(["bundle", "show", "--what"]) == 2
    assert "Traceback" not in capsys.readouterr().err
