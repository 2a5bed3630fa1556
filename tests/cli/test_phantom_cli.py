"""`poxlens phantom` as a person meets it: files, messages, exit codes."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from poxlens.cli.phantom import phantom

APP = typer.Typer()
APP.command()(phantom)


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_writes_what_was_asked_for(tmp_path: Path) -> None:
    code, out, err = _run(
        "--n", 3, "--out", tmp_path / "p", "--seed", 5, "--size", 48, "--lesion", "crust", "--ita", -20
    )
    assert (code, err) == (0, "")
    assert "3 phantoms" in out
    with (tmp_path / "p" / "manifest.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["lesion"], r["ita"], r["size"], r["seed"]) for r in rows] == [
        ("crust", "-20.0", "48", seed) for seed in ("5", "6", "7")
    ]
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == ["clean", "images", "manifest.csv", "masks"]


def test_json_is_all_that_stdout_gets(tmp_path: Path) -> None:
    code, out, _ = _run("--n", 1, "--out", tmp_path / "p", "--size", 48, "--json")
    assert code == 0
    assert json.loads(out) == {
        "manifest": str(tmp_path / "p" / "manifest.csv"),
        "n": 1,
        "seed": 0,
        "size": 48,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--n", "0"], "--n must be 1 or more, not 0"),
        (["--seed", "-1"], "--seed must be 0 or more, not -1"),
        (["--size", "8"], "--size must be 32 to 2048, not 8"),
        (["--ita", "90"], "--ita must be -50 to 70, not 90.0"),
        (
            ["--lesion", "wart"],
            "umbilicated-pustule, vesicle, papule, comedone, macule, crust or none, not 'wart'",
        ),
    ],
)
def test_misuse_is_named_and_ends_with_two(tmp_path: Path, arguments: list[str], said: str) -> None:
    code, out, err = _run("--out", tmp_path / "p", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "p").exists()


def test_a_folder_that_is_not_empty_is_refused_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    code, _, err = _run("--n", 1, "--size", 48, "--out", tmp_path)
    assert code == 2
    assert "is not empty" in err
    assert "--force" in err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert _run("--n", 1, "--size", 48, "--out", tmp_path, "--force")[0] == 0
    assert (tmp_path / "mine.txt").read_text() == "keep"
    assert (tmp_path / "manifest.csv").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    code, _, err = _run("--out", tmp_path / "f")
    assert code == 2
    assert "is a file, not a folder" in err
    code, _, err = _run("--out", tmp_path / "f" / "below")
    assert code == 2
    assert "Cannot write to" in err


def test_a_folder_without_write_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write anywhere, so the answer of the system is put in its mouth.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    code, _, err = _run("--out", tmp_path / "p")
    assert code == 2
    assert "permission denied" in err


def test_a_full_disk_is_told_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("poxlens.data.phantom.write_atomically", full)
    code, _, err = _run("--out", tmp_path / "p", "--size", 48)
    assert code == 1
    assert "No space left on device" in err
    assert not (tmp_path / "p" / "manifest.csv").exists()
