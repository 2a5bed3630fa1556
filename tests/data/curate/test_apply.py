"""Crops on disk: what is in them, what is not, and which are made."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from poxlens.data.curate.apply import apply, cuts
from poxlens.data.curate.decisions import current, decide
from poxlens.data.curate.run import curate
from poxlens.data.manifest import read_manifest
from poxlens.errors import CurationError
from poxlens.files import sha256_bytes, sha256_file


@pytest.fixture
def proposals(small_table, tmp_path, colour_finder):
    return curate(small_table, tmp_path / "out", least_side=200, finder=colour_finder)


def standing(proposals, *made):
    by_file = proposals.by_file
    return current([decide(file, by_file[file].sha256, action, box) for file, action, box in made])


def test_undecided_ones_are_skipped_or_accepted(proposals):
    assert cuts(proposals, {}) == ()
    taken = cuts(proposals, {}, undecided="accept")
    assert [one.proposal.file for one in taken] == ["a/left.png", "a/whole.png", "b/left.png"]
    assert all(one.decided == "proposed" for one in taken)


def test_a_persons_word_counts(proposals):
    own = standing(
        proposals,
        ("a/left.png", "reject", None),
        ("a/whole.png", "crop", (3, 5, 120)),
        ("b/strip.png", "crop", (0, 0, 80)),  # where nothing was proposed
    )
    taken = cuts(proposals, own, undecided="accept")
    assert [(one.proposal.file, one.box, one.decided) for one in taken if one.decided == "crop"] == [
        ("a/whole.png", (3, 5, 120), "crop"),
        ("b/strip.png", (0, 0, 80), "crop"),
    ]
    assert "a/left.png" not in {one.proposal.file for one in taken}


def test_decisions_that_do_not_fit_are_refused(proposals):
    with pytest.raises(CurationError, match=r"z\.png"):
        cuts(proposals, current([decide("z.png", "", "reject")]))
    with pytest.raises(CurationError, match=r"a/left\.png was another image"):
        cuts(proposals, current([decide("a/left.png", "1" * 64, "reject")]))
    with pytest.raises(CurationError, match=r"a/left\.png.*not inside"):
        cuts(proposals, standing(proposals, ("a/left.png", "crop", (500, 0, 100))))


def test_a_crop_holds_the_pixels_of_its_box_and_nothing_else(proposals, small_table, tmp_path):
    before = {row.file: row.path.read_bytes() for row in small_table.rows}
    taken = cuts(proposals, standing(proposals, ("a/whole.png", "crop", (3, 5, 120))))
    done = apply(taken, small_table.root, tmp_path / "set", columns={"a/whole.png": {"patient": "p1"}})
    (made,) = done.made
    data = (tmp_path / "set" / made.file).read_bytes()
    source = np.asarray(Image.open(small_table.root / "a/whole.png"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), source[5:125, 3:123])
    assert {row.file: row.path.read_bytes() for row in small_table.rows} == before
    (row,) = csv.DictReader((tmp_path / "set" / "manifest.csv").open())
    assert row["file"] == "a/a__whole.png.png"
    assert row["sha256"] == sha256_bytes(data) == made.sha256
    assert row["source_sha256"] == sha256_file(small_table.root / "a/whole.png")
    assert [row[name] for name in ("left", "top", "side", "width", "patient", "decided")] == [
        "3", "5", "120", "120", "p1", "crop",
    ]  # fmt: skip
    assert len(read_manifest(tmp_path / "set" / "manifest.csv").rows) == 1


def test_the_crop_of_a_turned_photo_is_upright_and_without_metadata(tmp_path, colour_finder, blue_picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of a person"
    root = tmp_path / "in"
    root.mkdir()
    Image.fromarray(blue_picture(skin=(0, 0, 512, 250))).save(root / "t.jpg", exif=exif, quality=95)
    (root / "m.csv").write_text("file,label\nt.jpg,x\n")
    table = read_manifest(root / "m.csv")
    proposals = curate(table, tmp_path / "out", least_side=100, finder=colour_finder)
    done = apply(cuts(proposals, {}, undecided="accept"), root, tmp_path / "set")
    data = (tmp_path / "set" / done.made[0].file).read_bytes()
    crop = Image.open(io.BytesIO(data))
    assert not crop.info
    assert b"Camera" not in data
    red, _, blue = np.asarray(crop).astype(int).transpose(2, 0, 1)
    assert (red > blue).all()  # skin alone


def test_a_file_changed_since_is_named_and_the_rest_goes_on(proposals, small_table, tmp_path):
    small_table.rows[0].path.write_bytes(b"other")
    done = apply(cuts(proposals, {}, undecided="accept"), small_table.root, tmp_path / "set")
    assert [one.cut.proposal.file for one in done.made] == ["a/whole.png", "b/left.png"]
    assert done.faults[0][0] == "a/left.png"
    assert "changed since" in done.faults[0][1]


def test_a_full_folder_is_not_written_over(proposals, small_table, tmp_path):
    apply((), small_table.root, tmp_path / "set")
    with pytest.raises(CurationError, match="is there already"):
        apply((), small_table.root, tmp_path / "set")


def test_two_names_that_would_be_one_are_refused(proposals, small_table, tmp_path):
    first = cuts(proposals, {}, undecided="accept")[0]
    other = replace(first, proposal=replace(first.proposal, file="a__left.png"))
    with pytest.raises(CurationError, match="both become"):
        apply((first, other), small_table.root, tmp_path / "set")


def test_the_same_input_gives_the_same_bytes(proposals, small_table, tmp_path):
    taken = cuts(proposals, {}, undecided="accept")
    for name in ("one", "two"):
        apply(taken, small_table.root, tmp_path / name)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in ("one", "two")
    )
    assert one == two
    assert len(one) == 4
