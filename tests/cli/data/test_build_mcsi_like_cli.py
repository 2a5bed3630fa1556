"""`poxlens data build-mcsi-like`: balanced, one crop a photo and a group, and plainly not MCSI."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image

from poxlens.cli.main import main
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import PhantomSpec, draw

SOURCES = (("msld", "mpox", 4), ("msid", "chickenpox", 3), ("acne-closeup", "acne", 3), ("msid", "normal", 3))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder laid out like the shared one, of drawn images."""
    root = tmp_path_factory.mktemp("data")
    rows, seed = [], 0
    for dataset, label, count in SOURCES:
        for number in range(count):
            seed += 1
            image = draw(PhantomSpec(seed=seed, size=200, ita=45.0)).image
            file = f"{dataset}-{label}-{number}.png"
            Image.fromarray(image).save(root / file)
            rows.append([file, dataset, label, f"p{number}"])
    with (root / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["file", "dataset", "label", "patient"], *rows])
    with (root / "groups.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["file", "group"],
                ["msld-mpox-0.png", "g1"],
                ["msld-mpox-1.png", "g1"],  # one of the two
                ["msid-normal-0.png", "g2"],
                ["acne-closeup-acne-0.png", "g2"],  # in two classes: neither
            ]
        )
    return root


def build(data, out, *more):
    return main(["data", "build-mcsi-like", "--data", str(data), "--out", str(out), *more])


def test_classes_are_balanced_and_the_readme_is_plain(data, tmp_path, capsys):
    assert build(data, tmp_path / "set", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["classes"] == {"mpox": 3, "chickenpox": 3, "acne": 3, "healthy": 3}
    assert told["available"]["mpox"] == 4
    text = (tmp_path / "set" / "README.md").read_text()
    for words in (
        "**not** the data set MCSI",
        "Each class has one source",
        "Not to be published",
        "at least 48 px",
    ):
        assert words in text
    found = read_manifest(tmp_path / "set" / "manifest.csv")
    assert [row.label for row in found.rows].count("healthy") == 3
    assert all(row.path.exists() for row in found.rows)


def test_per_class_is_a_limit(data, tmp_path, capsys):
    assert build(data, tmp_path / "set", "--per-class", "2", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)["classes"].values()) == {2}


def test_groups_give_one_crop_and_conflicts_none(data, tmp_path, capsys):
    assert build(data, tmp_path / "set", "--groups", str(data / "groups.csv"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["available"] == {"mpox": 3, "chickenpox": 3, "acne": 2, "healthy": 2}
    assert told["conflicts"] == ["g2"]
    assert set(told["classes"].values()) == {2}


def test_twice_the_same_bytes(data, tmp_path):
    for name in ("one", "two"):
        assert build(data, tmp_path / name) == 0
    files = sorted(
        path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()
    )
    images = [path for path in files if "curation" not in path.parts]
    assert len(images) == 14
    for path in images:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_faults_are_misuse(data, tmp_path, capsys):
    assert build(tmp_path, tmp_path / "set") == 2
    assert "no manifest.csv" in capsys.readouterr().err
    assert build(data, tmp_path / "set", "--groups", "nowhere.csv") == 2
    assert build(data, tmp_path / "set", "--per-class", "0") == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "manifest.csv").write_text("")
    assert build(data, tmp_path / "full") == 2
    assert "is taken" in capsys.readouterr().err


def test_a_table_without_a_class_and_wrong_groups_fail(data, tmp_path, capsys):
    (tmp_path / "manifest.csv").write_text("file,dataset,label\na.png,msld,mpox\n")
    assert build(tmp_path, tmp_path / "set") == 1
    assert "chickenpox" in capsys.readouterr().err
    (tmp_path / "wrong.csv").write_text("image,cluster\n")
    assert build(data, tmp_path / "set2", "--groups", str(tmp_path / "wrong.csv")) == 1
    assert '"file" and "group"' in capsys.readouterr().err
