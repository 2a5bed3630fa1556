"""docs/aism.md tells what results/aism holds, and that holds what its predictions say."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from poxlens.cli.aism import aism
from poxlens.recipes.aism.arms import read_predictions
from poxlens.recipes.aism.study import read_study, study_of
from poxlens.train.networks.registry import AISM

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results" / "aism"
PAGE = (ROOT / "docs" / "aism.md").read_text("utf-8")


@pytest.fixture(scope="module")
def study():
    return read_study(RESULTS / "study.toml")


@pytest.fixture(scope="module")
def figures():
    return json.loads((RESULTS / "figures.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def said(study):
    return read_predictions(RESULTS / "predictions.csv.gz", study.ensembles)[1]


def test_every_row_of_the_page_s_tables_is_in_the_results():
    known = {
        line for line in (RESULTS / "tables.md").read_text("utf-8").splitlines() if line.startswith("| ")
    }
    rows = [line for line in PAGE.splitlines() if re.match(r"\| .*\d\.\d{3} \[", line)]
    assert len(rows) > 20
    assert [row for row in rows if row not in known] == []


def test_figures_are_those_of_the_predictions(figures, said):
    told = {(one["arm"], one["share"]): one for one in figures["arms"]}
    assert set(told) == {(one.arm, one.share) for one in said}
    for one in said:
        own = told[one.arm, one.share]
        assert own["images"] == len(one.truth)
        assert own["overall"]["accuracy"]["value"] == pytest.approx((one.decided == one.truth).mean())
        assert own["folds"] == len(set(one.folds.tolist()))


def test_no_group_is_in_two_folds(said):
    fold_of = {}
    for one in said:
        for group, fold in zip(one.groups.tolist(), one.folds.tolist(), strict=True):
            fold_of.setdefault(group, set()).add(fold)
    assert len(fold_of) == 1239
    assert all(len(folds) == 1 for folds in fold_of.values())


def test_whatever_leaks_says_so(figures):
    leak = figures["data_c_leaks"]
    assert leak["warning"].startswith("This protocol leaks")
    assert leak["arms"]
    text = (RESULTS / "tables.md").read_text("utf-8")
    assert "LEAKS" in text
    for path in (RESULTS / "report" / "leak.csv", RESULTS / "report" / "confusion.svg"):
        assert "leaks" in path.read_text("utf-8").lower()


def test_the_study_file_of_the_page():
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    study = study_of(tomllib.loads(block), "the page")
    assert [arm.layers for arm in study.arms] == ["all", "head"]
    assert study.recipe(study.arms[0]).epochs == 10


def test_all_options_are_told(options_of):
    options = options_of(aism)
    assert len(options) > 15
    assert {option for option in options if option not in PAGE} == set()


def test_ten_classifiers_are_one_file():
    ten = read_study(RESULTS / "ten.toml")
    assert [arm.network for arm in ten.arms[:10]] == list(AISM)
    assert ten.leak is not None
    leaking = next(arm for arm in ten.arms if arm.name == ten.leak.arms[0])
    assert (ten.recipe(leaking).optimizer, ten.recipe(leaking).epochs) == ("sgd", 300)
