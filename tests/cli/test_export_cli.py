"""`poxlens export`, `poxlens export check` and `poxlens bench`: what is asked wrongly is told in one line."""

from __future__ import annotations

import json
import shutil

import pytest

from poxlens.cli.main import main


def told(capsys, *arguments, code):
    """What a faulty command says: one line on stderr, nothing on stdout, no traceback."""
    assert main(list(map(str, arguments))) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


def test_a_folder_that_is_no_run(capsys, tmp_path):
    absent = told(capsys, "export", tmp_path / "none", "--out", tmp_path / "b", "--runtime", "onnx", code=2)
    assert "none: no such run; name a folder of poxlens train" in absent
    empty = told(capsys, "export", tmp_path, "--out", tmp_path / "b", "--runtime", "onnx", code=2)
    assert "no recipe.json in it" in empty
    (tmp_path / "study.json").write_text("{}")
    compared = told(capsys, "export", tmp_path, "--out", tmp_path / "b", "--runtime", "onnx", code=2)
    assert "poxlens train --network NAME" in compared


def test_a_run_without_its_images(capsys, tmp_path):
    (tmp_path / "recipe.json").write_text("{}")
    missing = told(capsys, "export", tmp_path, "--out", tmp_path / "b", "--runtime", "onnx", code=2)
    assert "Name the table of images that the run learnt from" in missing
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recipe.json"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--runtime", "tflite"], "--runtime must be one of both, onnx, litert, not 'tflite'"),
        (["--runtime", "onnx", "--pack", "litert-int8"], "--pack: 'litert-int8' is none of onnx-fp32"),
        (["--calibration", "5"], "should be greater than or equal to 20"),
    ],
)
def test_what_cannot_be_made(capsys, tmp_path, options, message):
    assert message in told(capsys, "export", tmp_path, "--out", tmp_path / "b", *options, code=2)


def test_missing_tools_are_told_before_any_work(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("POXLENS_LITERT_PYTHON", raising=False)
    monkeypatch.chdir(tmp_path)
    without = told(capsys, "export", tmp_path, "--out", tmp_path / "b", code=1)
    assert "make litert-tools" in without
    assert "--runtime onnx" in without
    monkeypatch.setenv("POXLENS_LITERT_PYTHON", str(tmp_path / "python"))
    assert "no such interpreter" in told(capsys, "export", tmp_path, "--out", tmp_path / "b", code=1)


def test_missing_packages_are_named(capsys, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "poxlens.recipes.phone.ship", None)
    for verb in (
        ["export", tmp_path, "--out", tmp_path / "b"],
        ["export", "check", tmp_path, "--run", tmp_path],
    ):
        assert 'pip install "poxlens[export]"' in told(capsys, *verb, code=1)


def test_a_check_needs_the_record_of_an_export(capsys, tiny_path, tmp_path):
    copy = shutil.copytree(tiny_path, tmp_path / "tiny")
    assert "export.json cannot be read" in told(capsys, "export", "check", copy, "--run", tmp_path, code=1)


def test_bench_times_a_bundle_and_what_stands_beside_it(capsys, tiny_path, tiny, tmp_path):
    bundle = shutil.copytree(tiny_path, tmp_path / "tiny")
    beside = tmp_path / "tiny-forms"
    beside.mkdir()
    (beside / "model-fp16.onnx").write_bytes(tiny.model())
    change = {"before": 0.8, "after": 0.75}
    form = {"runtime": "onnx", "precision": "fp16", "parity": {"figures": {"all": {"accuracy": change}}}}
    (beside / "export.json").write_text(json.dumps({"forms": {"model-fp16.onnx": form}}))
    page = tmp_path / "bench.html"
    assert main(["bench", str(bundle), "--runs", "50", "--threads", "1", "--html", str(page), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [(one["precision"], one["runs"], one["threads"]) for one in shown["forms"]] == [
        ("fp32", 50, 1),
        ("fp16", 50, 1),
    ]
    assert [one["accuracy"] for one in shown["forms"]] == [None, 0.75]
    assert shown["left_out"] == []
    assert shown["machine"]["cores"] >= 1
    assert page.read_text("utf-8").count("<svg") == 2


@pytest.mark.parametrize("threads", ["", "0", "one", "1,x"])
def test_bench_wants_numbers_of_threads(capsys, tiny_path, threads):
    assert "--threads must be numbers" in told(capsys, "bench", tiny_path, "--threads", threads, code=2)
