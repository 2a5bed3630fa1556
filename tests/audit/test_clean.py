import csv

import numpy as np
import pytest

from poxlens.audit.clean import clean, write_cleaned
from poxlens.audit.conflicts import Conflict, find_conflicts
from poxlens.data.manifest import read_manifest
from poxlens.data.table import Fault
from poxlens.errors import ManifestError


@pytest.fixture
def world(make, a_row, a_pair):
    rows = [
        a_row("gone"), a_row("one"), a_row("copy"), a_row("with-patient", patient="7", dataset="x"),
        a_row("pixels"), a_row("mpox", "mpox"), a_row("acne", "acne"), a_row("crop"), a_row("Case", "A"),
        a_row("p1", patient="1", dataset="x"), a_row("p2", patient="1", dataset="x"), a_row("g1", group="g"),
        a_row("g2", group="g"), a_row("alone", skin_tone="dark"),
    ]  # fmt: skip
    sha = [f"{n:064x}" for n in range(14)]
    sha[0] = ""
    sha[2] = sha[3] = sha[1]
    pixels = [f"{n + 100:064x}" for n in range(14)]
    pixels[2] = pixels[3] = pixels[4] = pixels[1]
    pairs = [a_pair(5, 6), a_pair(4, 7), a_pair(7, 11)]
    fault = ["unreadable.missing: is not there", *[""] * 13]
    ita = np.full(14, -20, np.float32)
    ita[8] = np.nan
    return make(rows, pairs, sha256=sha, pixels_sha256=pixels, fault=fault, ita=ita)


def test_what_goes_what_stays_and_why(world):
    cleaned = clean(
        world, find_conflicts(world), [Fault("cells", "has 2 cells.", 9), Fault("column", "x", 1)]
    )
    removed = {one.file: (one.reason, one.other) for one in cleaned.changes if one.action == "removed"}
    assert removed == {
        "row 9": ("row 9: has 2 cells.", ""),
        "gone": ("unreadable.missing: is not there", ""),
        "one": ("copy: the same bytes", "with-patient"),
        "copy": ("copy: the same bytes", "with-patient"),
        "pixels": ("copy: the same pixels", "with-patient"),
        "mpox": ('label conflict (confirmed): "mpox" here, "acne" there', "acne"),
        "acne": ('label conflict (confirmed): "acne" here, "mpox" there', "mpox"),
    }
    rows = {row.file: row for row in cleaned.rows}
    assert list(rows) == ["with-patient", "crop", "Case", "p1", "p2", "g1", "g2", "alone"]
    # crop belongs to with-patient through a file that went, and to the group g directly.
    assert {file: row.group for file, row in rows.items()} == {
        "with-patient": "g", "crop": "g", "Case": "", "p1": "", "p2": "", "g1": "g", "g2": "g", "alone": "",
    }  # fmt: skip
    assert rows["Case"].label == "a"
    assert [(one.file, one.reason) for one in cleaned.changes if one.action == "relabelled"] == [
        ("Case", '"A" is "a" written differently')
    ]
    assert {one.file for one in cleaned.changes if one.action == "grouped"} == {"with-patient", "crop"}
    assert {file: row.skin_tone for file, row in rows.items() if row.skin_tone != "dark"} == {"Case": ""}
    assert all(row.sha256 and (row.width, row.height) == (640, 480) for row in rows.values())
    assert cleaned.filled == {"sha256": 8, "width": 8, "height": 8, "skin_tone": 6}


def test_a_new_group_is_named_by_its_first_file(make, a_row, a_pair):
    cleaned = clean(make([a_row("a"), a_row("b"), a_row("c")], [a_pair(1, 2)]), [])
    assert [row.group for row in cleaned.rows] == ["", "b", "b"]


def test_it_is_written_with_its_reasons_and_read_back(world, tmp_path):
    cleaned = clean(world, find_conflicts(world))
    beside = write_cleaned(tmp_path / "clean.csv", cleaned)
    assert beside == tmp_path / "clean.changes.csv"
    with beside.open(newline="") as stream:
        told = list(csv.DictReader(stream))
    assert len(told) == len(cleaned.changes)
    assert {one["file"] for one in told if one["action"] == "removed"} == {
        "gone", "one", "copy", "pixels", "mpox", "acne",
    }  # fmt: skip
    read = read_manifest(tmp_path / "clean.csv")
    assert [row.file for row in read.rows] == [row.file for row in cleaned.rows]
    assert [row.group for row in read.rows] == [row.group for row in cleaned.rows]


def test_cleaning_what_is_clean_changes_nothing(world):
    from poxlens.audit.material import gather

    cleaned = clean(world, find_conflicts(world))
    kept = [world.files.index(row.file) for row in cleaned.rows]
    from dataclasses import fields, replace

    taken = {}
    for field in fields(world.scan):
        column = getattr(world.scan, field.name)
        taken[field.name] = column[kept] if isinstance(column, np.ndarray) else [column[row] for row in kept]
    again = clean(gather(cleaned.rows, replace(world.scan, **taken), ()), [])
    assert again.rows == cleaned.rows
    assert again.changes == ()
    assert again.filled == {}


def test_nothing_left_is_an_error(make, a_row):
    material = make([a_row("a"), a_row("b", "b")])
    with pytest.raises(ManifestError, match="Nothing would be left"):
        clean(material, [Conflict(0, 1, "near")])
