"""`poxlens data agree` and `poxlens data add-labels`: files, figures, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from poxlens.cli.main import main
from poxlens.data.manifest import read_manifest

HEAD = "file,body_site,range,stage\n"
FIRST = (
    HEAD
    + "a.jpg,hand,distance,later\nb.jpg,leg,distance,later\nc.jpg,close,close,earlier\nd.jpg,face,distance,later\n"
)
SECOND = (
    HEAD
    + "a.jpg,hand,distance,later\nb.jpg,leg,distance,unclear\nc.jpg,hand,close,earlier\nd.jpg,face,distance,later\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.csv").write_text(FIRST)
    (tmp_path / "second.csv").write_text(SECOND)
    (tmp_path / "third.csv").write_text(HEAD + "b.jpg,,,later\nc.jpg,close,,\n")
    (tmp_path / "groups.csv").write_text("file,group\na.jpg,g\nb.jpg,g\nc.jpg,h\nd.jpg,d\n")
    (tmp_path / "photos.csv").write_text(
        "file,label,body_site\na.jpg,mpox,\nb.jpg,mpox,\nc.jpg,mpox,\nd.jpg,mpox,\ne.jpg,acne,trunk\n"
    )
    return tmp_path


def _agree(*more: str) -> int:
    return main(["data", "agree", "first.csv", "second.csv", "--out", "out", "--resamples", "50", *more])


def test_files_and_figures(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _agree("--groups", "groups.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((here / "out/agreement.json").read_text())
    assert told["notice"].startswith("Non-clinical: read off the photos alone")
    assert (told["images"], told["groups"], told["disputed"], told["open"]) == (4, 3, 2, 2)
    # Sites: three of four the same; hand, leg, close, face against hand, leg, hand, face: pe = (2 + 1 + 1) / 16.
    assert told["labels"]["body_site"]["kappa"]["value"] == pytest.approx((0.75 - 0.25) / 0.75, abs=1e-4)
    assert told["labels"]["stage"]["open"] == 1
    assert told["labels"]["grade"]["kappa"]["value"] == 1.0
    assert told["counts"]["stage"] == {"earlier": 1, "later": 2, "unclear": 0}
    assert (
        here / "out/disagreements.csv"
    ).read_text() == HEAD + "b.jpg,,,later|unclear\nc.jpg,close|hand,,\n"
    rows = list(csv.DictReader((here / "out/consensus.csv").open(newline="")))
    assert rows[1] == {
        "file": "b.jpg", "body_site": "leg", "range": "distance", "stage": "", "grade": "II", "settled": "",
    }  # fmt: skip


def test_a_third_look_settles(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _agree("--third", "third.csv") == 0
    shown = capsys.readouterr().out
    assert shown == (here / "out/agreement.md").read_text()
    assert "2 with a disagreement, 0 of them open" in shown
    assert "| body_site | 4 | 0.667 (" in shown
    assert (here / "out/consensus.csv").read_text() == (
        "file,body_site,range,stage,grade,settled\n"
        "a.jpg,hand,distance,later,I,\nb.jpg,leg,distance,later,II,stage\n"
        "c.jpg,close,close,earlier,Others,body_site\nd.jpg,face,distance,later,I,\n"
    )


def test_what_one_labelled_alone_or_by_half_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "second.csv").write_text(HEAD + "a.jpg,hand,,\nz.jpg,hand,distance,later\n")
    assert _agree() == 1
    shown = capsys.readouterr().out
    assert "3 in the first table alone: b.jpg, c.jpg, d.jpg" in shown
    assert "1 in the second table alone: z.jpg" in shown
    assert "1 not labelled by both in full: a.jpg" in shown
    assert "| body_site | 1 | not defined | 1.000 (" in shown


@pytest.mark.parametrize(
    ("second", "more", "code", "told"),
    [
        (HEAD + "z.jpg,hand,distance,later\n", [], 2, "have no image in common"),
        (HEAD + "a.jpg,hand,distance,late\n", [], 1, 'second.csv, row 2: a.jpg: "late" is no stage'),
        (SECOND, ["--resamples", "0"], 2, "--resamples must be at least 1, not 0"),
        (SECOND, ["--third", "none.csv"], 1, "none.csv: cannot be read: No such file"),
        (SECOND, ["--groups", "first.csv"], 1, "first.csv: has no column group"),
    ],
)
def test_faults(
    here: Path, capsys: pytest.CaptureFixture[str], second: str, more: list[str], code: int, told: str
) -> None:
    (here / "second.csv").write_text(second)
    assert _agree(*more) == code
    assert told in capsys.readouterr().err
    assert not (here / "out").exists()


def test_labels_into_a_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _agree("--third", "third.csv") == 0
    capsys.readouterr()
    arguments = ["data", "add-labels", "photos.csv", "out/consensus.csv", "--out", "labelled.csv"]
    assert main([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["images"], told["labelled"], told["missing"]) == (5, 4, [])
    rows = read_manifest(here / "labelled.csv").rows
    assert [(row.body_site, row.stage, row.flags) for row in rows] == [
        ("hand", "later", ()), ("leg", "later", ()), ("close", "earlier", ("close-range",)), ("face", "later", ()),
        ("trunk", "", ()),
    ]  # fmt: skip
    (here / "photos.csv").write_text("file,label\na.jpg,mpox\n")
    assert main(arguments) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("1 of 1 images labelled.\nTable: labelled.csv\nNon-clinical:")
    assert "not in the table: b.jpg\n" in shown
    assert "--root" not in shown, "the new table lies where the old one does"
    arguments[-1] = "elsewhere/labelled.csv"
    assert main(arguments) == 1
    assert "Its files are relative to .: give --root . with it.\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "out", "code", "told"),
    [
        ("photos.csv", "new.txt", 2, "a table of images ends in .csv or .parquet"),
        ("others.csv", "new.csv", 1, "none of the 4 labelled files is in the table of 1 images"),
    ],
)
def test_add_labels_refuses(
    here: Path, capsys: pytest.CaptureFixture[str], table: str, out: str, code: int, told: str
) -> None:
    (here / "others.csv").write_text("file,label\nx.jpg,mpox\n")
    assert main(["data", "add-labels", table, "first.csv", "--out", out]) == code
    assert told in capsys.readouterr().err
    assert not (here / out).exists()
