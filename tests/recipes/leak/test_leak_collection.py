"""From the table of images to the collection that all protocols share."""

from __future__ import annotations

from pathlib import Path

import pytest

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import ManifestError, TrainingError
from poxlens.recipes.leak.collection import choose_rows, collect, read_groups


def row(file, label="mpox", dataset="a", patient="", group=""):
    return Row(file, Path(file), label, dataset=dataset, patient=patient, group=group)


def manifest(*rows):
    return Manifest(tuple(rows), Path(), "0" * 64)


def test_groups_join_persons_table_groups_and_files_of_the_groups_table():
    rows = [
        row("a1", patient="1"),
        row("a2", patient="1"),
        row("a3"),  # joined to a2 by the table of groups
        row("b1", dataset="b", patient="1"),  # patient numbers repeat between data sets
        row("b2", dataset="b", group="x"),
        row("b3", dataset="b", group="x"),
        row("a4", group="x"),  # a group of another data set
        row("b4", dataset="b"),  # joined to a1 across data sets
    ]
    made = collect(rows, ["mpox"] * 8, ("mpox", "others"), {"a2": "7", "a3": "7", "a1": "9", "b4": "9"}, "a")
    assert made.group.tolist() == [0, 0, 0, 1, 2, 2, 3, 0]
    assert made.tested.tolist() == [True, True, True, False, False, False, True, False]


def test_two_labels_are_two_classes_and_foreign_labels_mean_the_rest():
    table = manifest(
        row("1"), row("2", "others"), row("3", "measles", "b"), row("4", "mpox", "b"), row("5", "x", "c")
    )
    rows, named, classes = choose_rows(table, "a", ["b"], "mpox")
    assert classes == ("mpox", "others")
    assert [(r.file, name) for r, name in zip(rows, named, strict=True)] == [
        ("1", "mpox"),
        ("2", "others"),
        ("3", "others"),
        ("4", "mpox"),
    ]


def test_more_labels_are_classes_of_their_own_unless_binary():
    table = manifest(row("1"), row("2", "measles"), row("3", "chickenpox"), row("4", "acne", "b"))
    _, named, classes = choose_rows(table, "a", ["b"], "mpox")
    assert classes == ("mpox", "chickenpox", "measles")
    assert named == ["mpox", "measles", "chickenpox"]  # acne is no class here
    _, named, classes = choose_rows(table, "a", ["b"], "mpox", binary=True)
    assert classes == ("mpox", "others")
    assert named == ["mpox", "others", "others", "others"]


@pytest.mark.parametrize(
    ("dataset", "target", "said"),
    [
        ("z", "mpox", 'no row has the data set "z"; there are: a, b'),
        ("a", "pox", 'no image has the label "pox"; there are: measles, mpox'),
        ("b", "mpox", 'every image has the label "mpox"'),
    ],
)
def test_what_the_table_lacks_is_named(dataset, target, said):
    table = manifest(row("1"), row("2", "measles"), row("3", dataset="b"))
    with pytest.raises(TrainingError, match=said):
        choose_rows(table, dataset, [], target)


def test_a_table_of_groups(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("\ufefffile,why,group\na/./1.jpg,x,7\nb.jpg,,8\n")
    assert read_groups(path) == {"a/1.jpg": "7", "b.jpg": "8"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,cluster\na,1\n", 'row 1: no column "group"'),
        ("file,group\na,1\nb,\n", "row 3: file or group is empty"),
        ("file,group\na,1\na,2\n", 'row 3, column "file": a is there already'),
        (None, "cannot be read"),
    ],
)
def test_a_faulty_table_of_groups_is_told_by_row(tmp_path, text, said):
    path = tmp_path / "groups.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ManifestError, match=said):
        read_groups(path)
