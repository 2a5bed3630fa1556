"""Tables of labels on disk, the images that are asked about, and labels in a table of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from poxlens.data.annotate.choosing import choose, read_listed
from poxlens.data.annotate.joining import with_labels
from poxlens.data.annotate.scheme import read_scheme
from poxlens.data.annotate.tables import read_labels, write_labels
from poxlens.data.manifest import Manifest, Row, read_manifest, write_manifest
from poxlens.errors import AnnotationError

SCHEME = read_scheme()
HEAD = "file,body_site,range,stage\n"


def _table(tmp_path: Path) -> Manifest:
    cells = [
        ("a.jpg", "mpox", "msid"),
        ("b.jpg", "mpox", "msld"),
        ("c.jpg", "acne", "msid"),
        ("d.jpg", "mpox", "msid"),
    ]
    rows = tuple(Row(file, tmp_path / file, label, dataset=dataset) for file, label, dataset in cells)
    return Manifest(rows, tmp_path, "0" * 64)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "labels.csv"
    labels = {
        "m/a,b.jpg": {"body_site": "hand", "range": "close", "stage": "later"},
        "c.jpg": {"stage": "earlier"},
    }
    write_labels(path, SCHEME, {**labels, "empty.jpg": {}})
    assert path.read_text() == HEAD + '"m/a,b.jpg",hand,close,later\nc.jpg,,,earlier\n'
    assert read_labels(path, SCHEME) == labels


def test_other_columns_are_left_aside_unless_they_would_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "consensus.csv"
    path.write_text("file,body_site,range,stage,grade,settled\na.jpg,hand,distance,later,III,\n")
    assert read_labels(path, SCHEME) == {
        "a.jpg": {"body_site": "hand", "range": "distance", "stage": "later"}
    }
    with pytest.raises(AnnotationError, match="columns that labelling would lose: grade, settled"):
        read_labels(path, SCHEME, only=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no column file, body_site, range, stage; found: nothing"),
        ("file,body_site,range\n", "has no column stage; found: file, body_site, range"),
        (
            HEAD + "a.jpg,hand,close,late\n",
            'row 2: a.jpg: "late" is no stage; choose earlier, later, unclear',
        ),
        (HEAD + "a.jpg,,,\na.jpg,,,\n", "row 3: a.jpg is there twice"),
        (HEAD + "a.jpg,close,distance,\n", "row 2: a.jpg: body_site close means range close, not distance"),
        (HEAD + "a.jpg,hand,close\n", "row 2: has not as many cells"),
        (HEAD + ",hand,close,later\n", "row 2: has no file"),
        (HEAD + '"a.jpg,hand', "row 2: "),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(AnnotationError) as fault:
        read_labels(path, SCHEME)
    assert told in str(fault.value)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_labels(tmp_path / "labels.csv", SCHEME)


def test_conditions_seed_and_order(tmp_path: Path) -> None:
    table = _table(tmp_path)
    every = choose(table, SCHEME)
    assert [one.file for one in every] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert every[0].asked == ("body_site", "range", "stage")
    assert [one.file for one in choose(table, SCHEME, where=["label=mpox", "dataset=msid,web"])] == [
        "a.jpg",
        "d.jpg",
    ]
    shuffled = [one.file for one in choose(table, SCHEME, seed=3)]
    assert shuffled == [one.file for one in choose(table, SCHEME, seed=3)]
    assert sorted(shuffled) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert len({tuple(one.file for one in choose(table, SCHEME, seed=seed)) for seed in range(8)}) > 1


def test_a_list_asks_what_is_in_dispute_alone(tmp_path: Path) -> None:
    (tmp_path / "disagreements.csv").write_text(
        HEAD + "d.jpg,,,earlier|later\nb.jpg,hand|face,,later|unclear\n"
    )
    items = choose(_table(tmp_path), SCHEME, listed=read_listed(tmp_path / "disagreements.csv"))
    assert [(one.file, one.asked) for one in items] == [
        ("d.jpg", ("stage",)),
        ("b.jpg", ("body_site", "stage")),
    ]
    assert items[1].hint == {"body_site": "hand|face", "stage": "later|unclear"}
    (tmp_path / "files.csv").write_text("file\nc.jpg\n")
    [whole] = choose(_table(tmp_path), SCHEME, listed=read_listed(tmp_path / "files.csv"))
    assert (whole.asked, whole.hint) == (SCHEME.names, {})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"where": ["label"]}, '"label" is no condition'),
        ({"where": ["colour=red"]}, '"colour=red" is no condition'),
        ({"where": ["label=measles"]}, "no image of the table is left to label"),
        ({"listed": {"x.jpg": {}, "y.jpg": {}}}, r"x\.jpg and 1 more: listed, but not among"),
    ],
)
def test_a_choice_that_makes_no_sense(tmp_path: Path, options: dict[str, object], told: str) -> None:
    with pytest.raises(AnnotationError, match=told):
        choose(_table(tmp_path), SCHEME, **options)  # type: ignore[arg-type]


def test_a_list_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("image\na.jpg\n")
    with pytest.raises(AnnotationError, match="has no column file"):
        read_listed(tmp_path / "list.csv")


def test_labels_go_to_their_columns_and_flags(tmp_path: Path) -> None:
    old = tuple(
        Row(f"{name}.jpg", tmp_path, "mpox", body_site="leg", flags=("copy", "close-range")) for name in "abc"
    )
    labels = {
        "a.jpg": {"body_site": "hand", "range": "distance", "stage": "later"},
        "b.jpg": {"range": "close", "stage": "unclear"},
    }
    found = with_labels(Manifest(old, tmp_path, ""), SCHEME, labels)
    write_manifest(tmp_path / "new.csv", found.rows)
    rows = read_manifest(tmp_path / "new.csv").rows
    assert [(row.body_site, row.stage, row.flags) for row in rows] == [
        ("hand", "later", ("copy",)),
        ("leg", "unclear", ("copy", "close-range")),
        ("leg", "", ("copy", "close-range")),
    ]


def test_labels_of_another_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="none of the 1 labelled files is in the table of 4 images"):
        with_labels(_table(tmp_path), SCHEME, {"z.jpg": {"stage": "later"}})
