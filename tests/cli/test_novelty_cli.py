"""`poxlens novelty`: what is asked wrongly is told in one line, before anything is computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poxlens.cli.main import main
from poxlens.recipes.novelty import verb
from poxlens.recipes.novelty.verb import Told

TEXT = """
name = "x"
[images]
manifest = "t.csv"
near = ["eczema"]
[[networks]]
name = "efficientnet-lite0"
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    return path


def told(capsys, *arguments, code):
    assert main(["novelty", *map(str, arguments)]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return shown.err


def test_a_faulty_study(capsys, tmp_path, study):
    study.write_text(TEXT + "fast = true\n")
    assert "networks.0.fast" in told(capsys, study, "--out", tmp_path / "out", code=2)
    assert "cannot be read" in told(capsys, tmp_path / "none.toml", "--out", tmp_path / "out", code=2)


def test_a_run_is_not_written_over(capsys, tmp_path, study):
    out = tmp_path / "out"
    out.mkdir()
    (out / "study.json").write_text("{}")
    assert "--resume" in told(capsys, study, "--out", out, code=2)


def test_mim_s_options_need_mim(capsys, tmp_path, study):
    for option in (["--fold", "sane-1"], ["--minutes", "1"], ["--gallery"], ["--gate", "mim"]):
        assert "has no [mim]" in told(capsys, study, "--out", tmp_path / "out", *option, code=2)


def test_a_missing_table(capsys, tmp_path, study):
    assert "t.csv" in told(capsys, study, "--out", tmp_path / "out", code=1)


def test_what_is_done_is_told(capsys, tmp_path, study, monkeypatch):
    asked = []

    def run(plan, where, what, step):
        asked.append((plan.name, where.out, what.gallery))
        return Told({"page": Path("p.html")}, {"sane-1": 7}, {}, (("a.png", "unreadable"),))

    monkeypatch.setattr(verb, "run", run)
    assert main(["novelty", str(study), "--out", str(tmp_path / "out"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "files": {"page": "p.html"},
        "epochs": {"sane-1": 7},
        "failed": {},
        "skipped": [["a.png", "unreadable"]],
    }
    assert main(["novelty", str(study), "--out", str(tmp_path / "out")]) == 0
    assert "page: p.html\n  MIM sane-1: 7 epochs\n" in capsys.readouterr().out
    assert asked == [("x", tmp_path / "out", False)] * 2


def test_a_failed_unit_is_exit_1(tmp_path, study, monkeypatch, capsys):
    monkeypatch.setattr(verb, "run", lambda *a, **k: Told(failed={"fold 1": "too few"}))
    assert main(["novelty", str(study), "--out", str(tmp_path / "out")]) == 1
    assert "failed: fold 1: too few" in capsys.readouterr().out
