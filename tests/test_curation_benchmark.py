"""Curation judged by eye: which photos may be drawn, and that docs tell the counts of the committed tables."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import curation  # noqa: E402

DOCS = (ROOT / "docs" / "curation.md").read_text(encoding="utf-8")


@dataclass
class Proposed:
    file: str
    box: tuple[int, int, int] | None


@dataclass
class Table:
    proposals: tuple[Proposed, ...]


def test_a_held_out_draw_holds_no_photo_of_the_other_tables():
    known = sorted(file for file in curation.seen() if file.startswith("msid/"))[:50]
    fresh = [f"msid/made/{number}.png" for number in range(130)]
    table = Table(
        tuple(Proposed(file, (0, 0, 96) if place % 2 else None) for place, file in enumerate(known + fresh))
    )
    crops, photos = curation.drawn_held_out(table, "msid")
    assert {one.file for one in crops} <= set(fresh)
    assert {one.file for one in photos} <= set(fresh)
    assert len(crops) == 65
    assert len(photos) == 100
    assert all(one.box for one in crops)
    first, _ = curation.drawn(table, "msid")
    assert [one.file for one in first] != [one.file for one in crops]


@pytest.mark.parametrize("path", [curation.HELD_OUT, curation.CAREFUL_DRAW])
def test_the_committed_held_out_rows_are_held_out(path):
    rows = curation.read_table(path)
    assert len(rows) == 200
    assert not {row["file"] for row in rows} & curation.seen()
    unseen = curation.of_unseen_groups(rows)
    assert 0 < len(unseen) < len(rows)


def test_the_second_look_is_at_the_crops_of_the_first():
    first = [
        (row["file"], row["box"])
        for row in curation.read_table(curation.JUDGEMENTS)
        if row["set"] == "msid" and row["what"] == "crop"
    ]
    assert [(row["file"], row["box"]) for row in curation.read_table(curation.SECOND_LOOK)] == first


@pytest.mark.parametrize(
    ("path", "what", "counts", "told"),
    [
        (curation.SECOND_LOOK, "crop", (86, 100), "86 [77.9, 91.5] %"),
        (curation.HELD_OUT, "crop", (84, 100), "84 [75.6, 89.9] %"),
        (curation.HELD_OUT, "photo", (17, 25), "17 of 25, 68.0 [48.4, 82.8] %"),
        (curation.CAREFUL_DRAW, "crop", (93, 100), "93 [86.3, 96.6] %"),
        (curation.CAREFUL_DRAW, "photo", (15, 25), "15 of 25, 60.0 [40.7, 76.6] %"),
    ],
)
def test_docs_tell_the_counts(path, what, counts, told):
    assert curation.figures(curation.read_table(path), "msid")[what] == counts
    low, high = curation.wilson(*counts)
    assert told in DOCS
    assert told.endswith(f"[{100 * low:.1f}, {100 * high:.1f}] %")


def test_a_miss_is_an_exit_code(capsys):
    assert curation.main([]) == 1
    text = capsys.readouterr().out
    assert (
        "held out, second judge: crops without background: 84 of 100, 84.0% [75.6%, 89.9%], target 95%: missed"
        in text
    )
