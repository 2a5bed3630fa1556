from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from poxlens.recipes.novelty import probe, report
from poxlens.recipes.novelty.gate import evaluate_gates, write_gates
from poxlens.recipes.novelty.methods import METHODS
from poxlens.recipes.novelty.page import write_page
from poxlens.recipes.novelty.rows import by_detector, read_rows, rows_of, write_rows
from poxlens.recipes.novelty.run import Done, Part
from poxlens.recipes.novelty.units import ALONE, Unit, deal, left_out_rows, run_unit, units
from poxlens.train.heads import Preconditioner

FEW = ("energy", "neighbours", "residual", "gate")


@pytest.fixture
def done(study, cases, embedded):
    """All units of one network."""
    fold = deal(cases, study, 0)
    before = Preconditioner.of(embedded.learnt[cases.known])
    scores = {unit: run_unit(unit, fold, cases, embedded, study, FEW, before) for unit in units(study, cases)}
    return Done(cases, fold[None], (Part("toy", False, scores),), {})


def test_a_fold_keeps_groups_whole_and_spreads_conditions(study, cases):
    fold = deal(cases, study, 0)
    for group in np.unique(cases.group):
        assert len(np.unique(fold[cases.group == group])) == 1
    for name in cases.conditions:
        assert (np.bincount(fold[cases.condition == name], minlength=3) >= 3).all()


def test_others_are_left_out_with_either_of_what_they_may_be(study, cases):
    stratum = cases.table.stratum.copy()
    stratum[:3] = "msld: others"
    object.__setattr__(cases.table, "stratum", stratum)
    assert left_out_rows("measles", cases, study)[:3].all()
    assert left_out_rows("chickenpox", cases, study)[:3].all()
    assert not left_out_rows("hfmd", cases, study)[:3].any()


def test_nothing_of_what_is_left_out_is_learnt_from(study, cases, embedded):
    """An image of the condition moved far away changes no score of a known one."""
    fold = deal(cases, study, 0)
    before = Preconditioner.of(embedded.learnt[cases.known])
    unit = Unit(0, 1, "eczema")
    first = run_unit(unit, fold, cases, embedded, study, ("energy", "neighbours", "gate"), before)
    embedded.learnt[cases.condition == "eczema"] += 50
    second = run_unit(unit, fold, cases, embedded, study, ("energy", "neighbours", "gate"), before)
    for name, scores in first.scores.items():
        np.testing.assert_array_equal(scores, second.scores[name])


def test_a_kind_of_outlier_is_not_learnt_from_when_it_is_tested(study, cases, embedded):
    fold = deal(cases, study, 0)
    before = Preconditioner.of(embedded.learnt[cases.known])
    unit = Unit(0, 0, "scope: nv")
    first = run_unit(unit, fold, cases, embedded, study, ("exposure", "gate"), before)
    embedded.learnt[cases.condition == "scope: nv"] += 50
    second = run_unit(unit, fold, cases, embedded, study, ("exposure", "gate"), before)
    for name, scores in first.scores.items():
        np.testing.assert_array_equal(scores, second.scores[name])


def test_the_same_fold_of_outliers_is_learnt_from_or_scored_never_both(study, cases, embedded):
    fold = deal(cases, study, 0)
    before = Preconditioner.of(embedded.learnt[cases.known])
    found = run_unit(Unit(0, 2, ""), fold, cases, embedded, study, ("gate", "residual"), before)
    outlier = ~cases.known[found.rows]
    np.testing.assert_array_equal(np.isfinite(found.scores["gate"][outlier]), fold[found.rows][outlier] == 2)
    assert np.isfinite(found.scores["residual"]).all()


def test_alone_learns_from_the_target(study, cases, embedded):
    fold = deal(cases, study, 0)
    before = Preconditioner.of(embedded.learnt[cases.known])
    found = run_unit(Unit(0, 0, ALONE), fold, cases, embedded, study, tuple(METHODS), before)
    assert set(found.scores) == {"mahalanobis-unlabelled", "neighbours", "residual", "padim", "patchcore"}
    target = cases.condition[found.rows] == "mpox"
    scores = found.scores["neighbours"]
    assert np.median(scores[~target]) > np.median(scores[target])


def test_from_units_to_page(done, study, cases, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "figures_of", partial(report.figures_of, resamples=40))
    monkeypatch.setattr(probe, "_FOLDS", 2)
    rows = list(rows_of(done, study))
    assert write_rows(tmp_path / "scores.csv", rows) == len(rows)
    back = read_rows(tmp_path / "scores.csv")
    assert [row.detector for row in back] == [row.detector for row in rows]
    np.testing.assert_allclose([row.score for row in back], [row.score for row in rows], rtol=1e-4)
    known = {row.file for row in rows if row.detector == "toy energy, without hfmd" and row.fold == 0}
    assert any(name.startswith("hfmd") for name in known)
    assert any(name.startswith("mpox") for name in known)

    cells = report.compute(tmp_path, study, cases)
    report.write(tmp_path, cells, study)
    again = report.read(tmp_path)
    assert len(again) == len(cells)
    assert again[0].figures.auroc.value == pytest.approx(cells[0].figures.auroc.value, abs=1e-5)
    best = report.best([c for c in cells if c.against == "mpox" and c.protocol != "alone"])
    assert best["toy gate", "scope: nv"].protocol == "left out"  # its own kind was not in the book
    assert best["toy neighbours", "hfmd"].figures.auroc.value > 0.9

    gates = evaluate_gates(done, study)
    write_gates(tmp_path, gates)
    gate = next(one for one in gates if one.detector == "gate")
    assert gate.value("accepted", "mpox") >= 0.95
    assert gate.value("accepted", "known") >= 0.95
    outcomes = [gate.value(what, "hfmd") for what in ("refer", "not_suspected", "uncertain", "cannot_assess")]
    assert sum(outcomes) == pytest.approx(1, abs=1e-4)
    skin, not_skin = (
        gate.value("novel.not_skin", "scope: nv, kind seen"),
        gate.value("novel.not_skin", "not skin: noise, kind seen"),
    )
    assert skin == 0
    assert not_skin == gate.value("refused", "not skin: noise, kind seen")
    page = write_page(tmp_path, study, cells, gates).read_text()
    assert "toy gate" in page
    assert "<img" not in page
    assert json.loads((tmp_path / "gate.json").read_text())[0]["limit"] == gate.limit


def test_figures_compare_only_what_one_detector_scored(done, study):
    scored = by_detector(rows_of(done, study))
    values = scored["toy energy, without eczema", False]
    folds = values.against("eczema", target_only=True, known=frozenset({"mpox", "hfmd"}))
    assert len(folds) == 3
    assert all(fold.novel.sum() == 30 for fold in folds)
    assert sum(int((~fold.novel).sum()) for fold in folds) == 30  # each photo of mpox in one fold
