"""The committed labels of the mpox images: made again from the readings they say, and told right in the docs."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from poxlens.cli.main import main
from poxlens.data.annotate.scheme import read_scheme
from poxlens.data.annotate.tables import read_labels
from poxlens.data.manifest import read_manifest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "results" / "aism" / "annotation"
GROUPS = ROOT / "results" / "duplicates" / "groups.csv"
MANIFEST = ROOT / ".." / "shared" / "data" / "manifest.csv"
DOCS = (ROOT / "docs" / "annotation.md").read_text()
SCHEME = read_scheme()


def _readings() -> list[dict[str, dict[str, str]]]:
    return [read_labels(FOLDER / f"{name}.csv", SCHEME, only=True) for name in ("pass1", "pass2", "third")]


def test_two_full_readings_of_the_same_images_and_a_third_look_at_what_differs() -> None:
    first, second, third = _readings()
    assert len(first) == 381
    assert first.keys() == second.keys()
    assert Counter(file.split("/")[0] for file in first) == {"msid": 279, "msld": 102}
    assert all(SCHEME.complete(given) for given in (*first.values(), *second.values()))
    for file, given in third.items():
        assert all(value in (first[file][name], second[file][name]) for name, value in given.items()), file
        assert all(first[file][name] != second[file][name] for name in given), file


def test_the_tables_are_what_the_command_makes_of_the_readings(tmp_path: Path) -> None:
    passes = [str(FOLDER / f"{name}.csv") for name in ("pass1", "pass2", "third")]
    arguments = [*passes[:2], "--third", passes[2], "--groups", str(GROUPS), "--out", str(tmp_path)]
    assert main(["data", "agree", *arguments]) == 0
    for name in ("agreement.json", "agreement.md", "consensus.csv", "disagreements.csv"):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text(), name
    assert {path.suffix for path in FOLDER.iterdir()} == {".csv", ".json", ".md"}


def test_the_docs_tell_these_figures() -> None:
    told = json.loads((FOLDER / "agreement.json").read_text())
    assert (told["images"], told["groups"], told["disputed"], told["open"]) == (381, 137, 75, 0)
    rows = {
        "body site (9 values)": "body_site",
        "range": "range",
        "stage (3 values)": "stage",
        "grade (follows)": "grade",
    }
    for words, name in rows.items():
        one = told["labels"][name]
        figure = "{value:.3f} ({low:.3f}–{high:.3f})".format(**one["kappa"])
        differ = sum(map(sum, one["confusion"])) - sum(
            row[place] for place, row in enumerate(one["confusion"])
        )
        assert f"| {words} | 381 | {figure} | {one['agreed']['value']:.3f} | {differ} |" in DOCS
    consensus = list(csv.DictReader((FOLDER / "consensus.csv").open(newline="")))
    group = {row["file"]: row["group"] for row in csv.DictReader(GROUPS.open(newline=""))}
    for name, values in (("grade", SCHEME.choices["grade"]), ("stage", SCHEME.choices["stage"])):
        for value in values:
            files = [row["file"] for row in consensus if row[name] == value]
            counts = f"{len(files)} | {len({group[file] for file in files})} |"
            assert re.search(rf"\| {value}(:[^|]*)? \| {re.escape(counts)}", DOCS), (value, counts)
            assert told["counts"][name][value] == len(files)
    assert sum((row["grade"], row["stage"]) == ("II", "earlier") for row in consensus) == 2


def test_the_docs_tell_how_disputes_ended() -> None:
    first, _, third = _readings()
    sides = Counter(
        "first" if first[file][name] == value else "second"
        for file, given in third.items()
        for name, value in given.items()
    )
    taken = f"first reading's {sides['first']} times and the second's {sides['second']} times"
    assert f"of {sides.total()} disputed labels it took the\n  {taken}" in DOCS
    told = json.loads((FOLDER / "agreement.json").read_text())["labels"]
    grade, stage = told["grade"]["confusion"], told["stage"]["confusion"]
    others = sum(grade[3][:3]) + sum(row[3] for row in grade[:3])
    assert f"{others} of the 28 are between Others" in DOCS
    earlier, later, unclear = range(3)
    assert stage[later][unclear] + stage[unclear][later] == 19
    assert stage[earlier][later] + stage[later][earlier] == 11


@pytest.mark.real_data
def test_the_images_are_the_mpox_images_of_the_two_sets() -> None:
    if not MANIFEST.is_file():
        pytest.skip("the images of ../shared/data are not here: which files are mpox was not checked")
    mpox = {
        row.file
        for row in read_manifest(MANIFEST).rows
        if row.dataset in ("msid", "msld") and row.label == "mpox"
    }
    assert mpox == _readings()[0].keys()
