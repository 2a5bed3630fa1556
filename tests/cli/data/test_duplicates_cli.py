"""`poxlens data duplicates`: tables, page, exit codes, and faults named."""

import csv
import json
import re

import numpy as np
import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.duplicates.page import PRIVATE
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import draw, random_spec

IMAGES = {  # file: (dataset, label, patient, phantom, change)
    "a.png": ("one", "mpox", "1", 1, lambda p: p),
    "b.png": ("one", "mpox", "2", 2, lambda p: p),
    "a-crop.jpg": ("two", "measles", "", 1, lambda p: p[10:150, 30:170]),
    "b-flip.jpg": ("one", "mpox", "3", 2, lambda p: p[:, ::-1]),
    "c,<i>.png": ("one", "mpox", "4", 3, lambda p: p),
    "c2.png": ("two", "mpox", "", 3, lambda p: p),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duplicates")
    for file, (*_, seed, change) in IMAGES.items():
        pixels = draw(random_spec(seed, size=192, lesion="papule")).image
        Image.fromarray(np.ascontiguousarray(change(pixels))).save(folder / file)
    with (folder / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "dataset", "label", "patient"))
        writer.writerows((file, *cells[:3]) for file, cells in IMAGES.items())
    return folder / "table.csv"


@pytest.fixture(scope="module")
def done(table, tmp_path_factory):
    """Out folder of one run, and its exit code."""
    out = tmp_path_factory.mktemp("out")
    code = main(
        [
            "data",
            "duplicates",
            str(table),
            "--out",
            str(out),
            "--write-manifest",
            str(out / "grouped.csv"),
            "--jobs",
            "1",
        ]
    )
    return out, code


def test_by_hashes_whole_pictures_are_found_and_crops_are_not(table, tmp_path, capsys):
    call = ["data", "duplicates", str(table), "--out", str(tmp_path), "--jobs", "1", "--method"]
    assert main([*call, "hash", "--no-page", "--json"]) == 0  # the crop is what contradicts its photo
    told = json.loads(capsys.readouterr().out)
    assert told["pairs"]["confirmed"] + told["pairs"]["near"] == 1
    found = {(line["file"], line["other"]) for line in shown(tmp_path / "pairs.csv")}
    assert found == {("b.png", "b-flip.jpg"), ("c,<i>.png", "c2.png")}
    assert main([*call, "sorcery"]) == 2
    assert "--method must be one of full, hash, not 'sorcery'" in capsys.readouterr().err


def lines(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def shown(path):
    """The pairs that are more than suspected: of six images a fingerprint says little."""
    return [line for line in lines(path) if line["kind"] != "suspected"]


def test_pairs_are_written_with_their_conflict(done):
    out, code = done
    assert code == 1  # labels contradict each other
    found = {(line["file"], line["other"]): line for line in shown(out / "pairs.csv")}
    assert set(found) == {("a.png", "a-crop.jpg"), ("b.png", "b-flip.jpg"), ("c,<i>.png", "c2.png")}
    crop = found["a.png", "a-crop.jpg"]
    assert (crop["kind"], crop["relation"], crop["conflict"]) == ("confirmed", "crop", "yes")
    assert (crop["dataset"], crop["other_dataset"], crop["label"], crop["other_label"]) == (
        "one",
        "two",
        "mpox",
        "measles",
    )
    assert int(crop["inliers"]) >= 30
    assert float(crop["correlation"]) > 0.95
    assert float(crop["overlap"]) > 0.97
    assert found["b.png", "b-flip.jpg"]["patients"] == "different"
    assert found["b.png", "b-flip.jpg"]["conflict"] == ""
    assert found["c,<i>.png", "c2.png"]["kind"] == "exact"


def test_groups_are_named_after_their_first_file(done):
    out, _ = done
    groups = {line["file"]: line["group"] for line in lines(out / "groups.csv")}
    assert groups == {"a.png": "a.png", "a-crop.jpg": "a.png", "b.png": "b.png", "b-flip.jpg": "b.png",
                      "c,<i>.png": "c,<i>.png", "c2.png": "c,<i>.png"}  # fmt: skip
    grouped = read_manifest(out / "grouped.csv")
    assert [row.group for row in grouped.rows] == [
        "a.png",
        "b.png",
        "a.png",
        "b.png",
        "c,<i>.png",
        "c,<i>.png",
    ]
    assert [row.patient for row in grouped.rows] == ["1", "2", "", "3", "4", ""]


def test_the_page_shows_conflicts_first_and_says_that_it_is_private(done):
    out, _ = done
    page = (out / "pairs.html").read_text("utf-8")
    assert PRIVATE in page
    assert "<script" not in page
    assert "c,&lt;i&gt;.png" in page
    assert "<i>.png" not in page
    anchors = re.findall(r'<div class="part" id="(\w+)"', page)
    assert anchors[:3] == ["contradicting", "sets", "patients"]
    assert set(anchors[3:]) <= {"suspected"}
    assert re.findall(r'<a href="#(\w+)">', page) == anchors
    assert (
        page.count("data:image/jpeg") == 2 + 1 + 2 + 2 + 1
    )  # two a pair, and differences of the two confirmed
    assert page.count("<polygon") == 1  # where the crop lies in its photo


def test_json_tells_the_counts(table, tmp_path, capsys):
    code = main(
        ["data", "duplicates", str(table), "--out", str(tmp_path), "--json", "--no-page", "--jobs", "1",
         "--compatible", "mpox=measles"]
    )  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["conflicts"] == []
    assert told["images"] == 6
    assert told["pairs"] | {"suspected": 0} == {
        "exact": 1,
        "pixels": 0,
        "near": 0,
        "confirmed": 2,
        "scene": 0,
        "suspected": 0,
    }
    assert (told["across_sets"], told["across_patients"]) == (2, 1)
    assert told["groups_of_two_or_more"] == 3
    assert not (tmp_path / "pairs.html").exists()


def test_the_terminal_names_both_files_of_a_conflict(table, done, tmp_path, capsys):
    out, _ = done
    main(
        [
            "data",
            "duplicates",
            str(table),
            "--out",
            str(tmp_path),
            "--store",
            str(out / "scan"),
            "--jobs",
            "1",
        ]
    )
    told = capsys.readouterr()
    assert "a.png (mpox) = a-crop.jpg (measles), confirmed: crop" in told.out
    assert "The page holds patient photos: do not publish it." in told.out
    assert "reading files (6)" in told.err


def test_an_unreadable_file_is_named_and_the_rest_goes_on(table, tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    text = table.read_text().replace("b-flip.jpg,one,mpox,3", "gone.jpg,one,mpox,3")
    bad.write_text(text)
    code = main(
        ["data", "duplicates", str(bad), "--root", str(table.parent), "--out", str(tmp_path / "out"), "--no-page",
         "--jobs", "1", "--compatible", "mpox=measles"]
    )  # fmt: skip
    told = capsys.readouterr().out
    assert code == 1
    assert "not read: gone.jpg: unreadable." in told
    assert len(shown(tmp_path / "out" / "pairs.csv")) == 2
    assert len(lines(tmp_path / "out" / "groups.csv")) == 6


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--root", "nowhere"], "--root nowhere: no such folder"),
        (["--jobs", "0"], "--jobs must be 1 or more"),
        (["--write-manifest", "x.txt"], "ends in .csv or .parquet"),
        (["--compatible", "mpox"], "write LABEL=LABEL"),
        (["--compatible", "mpox=mumps"], "no row has the label mumps"),
    ],
)
def test_misuse_is_told_before_any_image_is_opened(table, tmp_path, capsys, options, told):
    code = main(["data", "duplicates", str(table), "--out", str(tmp_path / "out"), *options])
    assert code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_table_itself_is_never_overwritten(table, tmp_path, capsys):
    before = table.read_bytes()
    assert main(["data", "duplicates", str(table), "--write-manifest", str(table)]) == 2
    assert "is the table itself" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_a_table_that_is_not_there(capsys, tmp_path):
    assert main(["data", "duplicates", str(tmp_path / "none.csv")]) == 2
    assert "no such file" in capsys.readouterr().err
