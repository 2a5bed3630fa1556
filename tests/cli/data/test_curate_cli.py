"""`poxlens data curate`: counts, pages, exit codes, and the crops it cuts."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.curate.decisions import append_decision, decide
from poxlens.data.curate.proposals import read_proposals
from poxlens.data.phantom import PhantomSpec, draw


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two drawn close-ups, a grey wall, and a file that is no image."""
    root = tmp_path_factory.mktemp("photos")
    for seed in (1, 2):
        drawn = draw(PhantomSpec(seed=seed, size=400, lesion="papule", count=6)).image
        Image.fromarray(drawn).save(root / f"p{seed}.png")
    wall = np.random.default_rng(0).normal(120, 14, (400, 500, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(wall).save(root / "wall.png")
    (root / "broken.jpg").write_bytes(b"no image")
    with (root / "table.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["file", "label", "patient"],
                *[[f"p{seed}.png", "rash", f"person{seed}"] for seed in (1, 2)],
                ["wall.png", "none", ""],
            ]
        )
    with (root / "faulty.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [["file", "label"], ["p1.png", "rash"], ["broken.jpg", "rash"], ["gone.png", "rash"]]
        )
    return root


@pytest.fixture(scope="module")
def curated(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    assert main(["data", "curate", str(photos / "table.csv"), "--out", str(out), "--least-side", "200"]) == 0
    return out


def test_counts_and_pages(curated, photos, capsys):
    arguments = [
        "data",
        "curate",
        str(photos / "table.csv"),
        "--out",
        str(curated),
        "--least-side",
        "200",
        "--json",
    ]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["images"] == 3
    assert told["classes"]["rash"] == {"crop.skin": 2}
    assert told["unreadable"] == []
    assert "<img" not in (curated / "report.html").read_text()
    assert "do not publish" in (curated / "thumbnails.html").read_text()
    assert read_proposals(curated / "proposals.json").by_file["wall.png"].verdict == "none"


def test_bad_files_are_named_the_rest_goes_on_and_the_code_is_1(photos, tmp_path, capsys):
    assert (
        main(["data", "curate", str(photos / "faulty.csv"), "--out", str(tmp_path), "--thumbnails", "0"]) == 1
    )
    shown = capsys.readouterr()
    assert "broken.jpg" in shown.err
    assert "gone.png" in shown.err
    assert "none.unreadable" in shown.out
    assert read_proposals(tmp_path / "proposals.json").proposals[0].verdict == "crop"
    assert not (tmp_path / "thumbnails.html").exists()


def test_apply_cuts_what_was_decided(curated, photos, tmp_path, capsys):
    known = read_proposals(curated / "proposals.json").by_file
    log = curated / "decisions.jsonl"
    append_decision(log, decide("p1.png", known["p1.png"].sha256, "crop", (10, 20, 210)))
    arguments = [
        "data",
        "curate",
        str(photos / "table.csv"),
        "--out",
        str(curated),
        "--apply",
        str(tmp_path / "set"),
    ]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["applied"]["crops"] == 1
    (row,) = csv.DictReader((tmp_path / "set" / "manifest.csv").open())
    assert (row["source_file"], row["patient"], row["side"]) == ("p1.png", "person1", "210")
    assert Image.open(tmp_path / "set" / row["file"]).size == (210, 210)
    arguments[-1] = str(tmp_path / "all")
    assert main([*arguments, "--undecided", "accept"]) == 0
    assert len(list(csv.DictReader((tmp_path / "all" / "manifest.csv").open()))) == 2
    assert read_proposals(curated / "proposals.json").least_side == 200  # not made anew with the default
    log.unlink()


def test_a_cut_off_decision_is_told(curated, photos, tmp_path, capsys):
    log = curated / "decisions.jsonl"
    log.write_text('{"time": "2024')
    arguments = [
        "data",
        "curate",
        str(photos / "table.csv"),
        "--out",
        str(curated),
        "--apply",
        str(tmp_path / "set"),
    ]
    assert main(arguments) == 0
    assert "cut off" in capsys.readouterr().err
    log.unlink()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--least-side", "0"], "--least-side must be 1 or more"),
        (["--jobs", "0"], "--jobs must be 1 or more"),
        (["--undecided", "maybe"], "--undecided must be"),
        (["--root", "nowhere"], "no such folder"),
        (["--least-side", "100", "--apply", "x"], "was made with --least-side 200"),
        (["--careful", "--apply", "x"], "was made without --careful"),
    ],
)
def test_misuse_is_2_and_says_what(curated, photos, more, told, capsys):
    assert main(["data", "curate", str(photos / "table.csv"), "--out", str(curated), *more]) == 2
    assert told in capsys.readouterr().err


def test_proposals_of_another_table_are_not_cut(curated, photos, tmp_path, capsys):
    arguments = [
        "data",
        "curate",
        str(photos / "faulty.csv"),
        "--out",
        str(curated),
        "--apply",
        str(tmp_path / "s"),
    ]
    assert main(arguments) == 2
    assert "of another table" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
