"""`poxlens compare`: what is asked wrongly is told, and a run that is killed goes on where it was."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main

STUDY = """
name = "tints"
networks = ["efficientnet-lite0"]
heads = ["prototypes", "logistic"]
[images]
manifest = "manifest.csv"
target = "mpox"
side = 32
[images.classes]
mpox = ["mpox"]
acne = ["acne"]
[protocol]
folds = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A study of 24 tinted pictures."""
    monkeypatch.delenv("POXLENS_WEIGHTS", raising=False)
    lines = ["file,label,patient"]
    for number in range(24):
        label = ("mpox", "acne")[number % 2]
        random = np.random.default_rng(number)
        tint = 30 if label == "mpox" else -30
        values = np.clip(random.normal(120, 30, (40, 40, 3)) + np.array([tint, 0, -tint]), 0, 255)
        Image.fromarray(values.astype(np.uint8)).save(tmp_path / f"{number:02d}.png")
        lines.append(f"{number:02d}.png,{label},{label}{number // 4}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def told(capsys, folder, *arguments, code):
    """stderr of a faulty command: nothing on stdout, no traceback."""
    assert (
        main(["compare", str(folder / "study.toml"), "--out", str(folder / "run"), *map(str, arguments)])
        == code
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    return shown.err


def change(folder, old, new):
    text = (folder / "study.toml").read_text()
    assert old in text
    (folder / "study.toml").write_text(text.replace(old, new))


def test_a_typo_is_named_with_a_hint(capsys, folder):
    change(folder, "folds = 3", "fold = 3")
    assert '"protocol.fold" is no entry of a study; did you mean "folds"?' in told(capsys, folder, code=2)
    assert not (folder / "run").exists()


def test_an_unknown_network_before_anything_is_computed(capsys, folder):
    change(folder, '"efficientnet-lite0"', '"efficientnet-lite0", "efficientnet-light"')
    assert "efficientnet-light" in told(capsys, folder, code=1)
    assert not (folder / "run").exists()


def test_weights_that_are_not_the_published_ones(capsys, folder):
    (folder / "weights").mkdir()
    (folder / "weights" / "mobilenet_v2-b0353104.pth").write_bytes(b"something else")
    change(folder, '"efficientnet-lite0"', '"efficientnet-lite0", "mobilenet-v2"')
    said = told(capsys, folder, "--weights", folder / "weights", code=1)
    assert "mobilenet_v2-b0353104.pth is not the published file: SHA-256" in said
    assert not (folder / "run").exists()


def test_a_class_with_too_few_images(capsys, folder):
    table = (folder / "manifest.csv").read_text().splitlines()
    acne = [line for line in table if ",acne," in line]
    (folder / "manifest.csv").write_text("\n".join(line for line in table if line not in acne[3:]) + "\n")
    assert 'class "acne"' in told(capsys, folder, code=1)


def test_a_label_that_the_table_has_not(capsys, folder):
    change(folder, 'acne = ["acne"]', 'acne = ["akne"]')
    assert 'label "akne" of the study is not in manifest.csv: its labels are acne, mpox' in told(
        capsys, folder, code=1
    )


def test_misuse(capsys, folder):
    assert "--engine must be one of local, ray" in told(capsys, folder, "--engine", "dask", code=2)
    assert "add --engine ray" in told(capsys, folder, "--address", "a:1", code=2)
    (folder / "run" / "units").mkdir(parents=True)
    assert "holds a run already: add --resume" in told(capsys, folder, code=2)
    (folder / "study.toml").unlink()
    assert "cannot be read" in told(capsys, folder, "--resume", code=2)


def test_a_plan_writes_nothing(capsys, folder):
    arguments = ["compare", str(folder / "study.toml"), "--out", str(folder / "run"), "--plan"]
    assert main([*arguments, "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["images"] == {"mpox": 12, "acne": 12}
    assert plan["groups"] == 12
    assert [(step["name"], step["count"]) for step in plan["units"]] == [
        ("efficientnet-lite0 prototypes", 3),
        ("efficientnet-lite0 logistic", 3),
    ]
    assert plan["features"][0]["count"] == 24
    assert plan["seconds"] == pytest.approx(
        sum(step["seconds"] for step in plan["units"] + plan["features"]) / 2, rel=1e-9
    )
    assert plan["seconds"] > 0
    assert 0.5 < plan["memory_gib"] < 4
    assert not (folder / "run").exists()
    assert main([*arguments, "--learning-curve"]) == 0
    shown = capsys.readouterr().out
    assert "efficientnet-lite0 logistic, learning curve: 12 units" in shown  # four shares below 1
    assert "with 2 at once" in shown


def command(folder, out, *arguments):
    words = (
        "compare",
        folder / "study.toml",
        "--out",
        out,
        "--cache",
        folder / "cache",
        "--no-report",
        *arguments,
    )
    return [sys.executable, "-m", "poxlens", *map(str, words)]


def run(folder, out, *arguments):
    done = subprocess.run(
        command(folder, out, "--jobs", 1, *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def killed_after(folder, out, units):
    """Start a run of two jobs, kill it and its workers when so many units are there; the units then."""
    with subprocess.Popen(
        command(folder, out, "--jobs", 2, "--resume"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while process.poll() is None and len(finished(out)) < units:
            time.sleep(0.002)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return finished(out)


def finished(out: Path):
    return {path: path.stat().st_mtime_ns for path in (out / "units").rglob("*.json")}


def test_a_killed_run_goes_on_and_gives_the_bytes_of_an_undisturbed_one(folder):
    change(folder, "folds = 3", "folds = 3\nrepeats = 4")
    shown = run(folder, folder / "whole", "--json")
    assert json.loads(shown.stdout)["units"] == 24
    whole = (folder / "whole" / "predictions.csv").read_bytes()
    assert len(list(csv.DictReader(whole.decode().splitlines()))) == 4 * 2 * 24
    before = killed_after(folder, folder / "killed", 3)
    assert 3 <= len(before) < 24
    run(folder, folder / "killed", "--resume")
    after = finished(folder / "killed")
    assert len(after) == 24
    assert {path: after[path] for path in before} == before
    assert (folder / "killed" / "predictions.csv").read_bytes() == whole
    assert (folder / "killed" / "splits.json").read_bytes() == (folder / "whole" / "splits.json").read_bytes()
    assert not list((folder / "killed").rglob("*.part"))


@pytest.mark.soak
def test_killed_again_and_again(folder):
    change(folder, 'heads = ["prototypes", "logistic"]', 'heads = ["logistic", "svm", "dense"]')
    change(folder, "folds = 3", "folds = 3\nrepeats = 2\n[tuning]\nconfigurations = 2\nepochs = 2\nviews = 4")
    run(folder, folder / "whole")
    before = {}
    for units in (0, 0, 1, 3, 7, 12, 20):
        now = killed_after(folder, folder / "killed", units)
        assert {path: now[path] for path in before} == before
        before = now
    run(folder, folder / "killed", "--resume")
    for name in ("predictions.csv", "splits.json"):
        assert (folder / "killed" / name).read_bytes() == (folder / "whole" / name).read_bytes()
    after = finished(folder / "killed")
    assert {path: after[path] for path in before} == before
