"""Figures recomputed by hand, and outcomes against the rule that a runtime follows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from poxlens.bundle.manifest import ConformalQuantile, Gate
from poxlens.evaluate.calibration import fit_temperature, softmax
from poxlens.evaluate.conformal import ClassQuantile
from poxlens.evaluate.intervals import Estimate
from poxlens.photo.quality import QualityCheck, QualityLimits
from poxlens.recipes.evidence import Rule, as_interval, figures_of, outcomes, softmax_cross_fitted
from poxlens.recipes.points import Points
from poxlens.recipes.predictions import Predicted, Rows
from poxlens.screen.decision import decide
from poxlens.screen.engine import prediction_set

CLASSES = ("mpox", "chickenpox", "measles", "acne")


def rule(**changes):
    fields = {"rule_out": 0.2, "rule_in": 0.6, "quantiles": (0.9, 0.9, 0.9, 0.9), "limit": 0.8, **changes}
    points = Points(
        1.3, fields["rule_out"], fields["rule_in"], tuple(ClassQuantile(q, 9) for q in fields["quantiles"])
    )
    return Rule(CLASSES, "mpox", points, fields["limit"])


grid = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.integers(0, 20), min_size=4, max_size=4).filter(any),
    grid,
    grid,
    st.tuples(grid, grid, grid, grid),
    grid,
    grid,
    st.booleans(),
)
def test_outcomes_are_those_of_the_screening_rule(tiny, counts, low, high, quantiles, novelty, limit, usable):
    """Values on a grid, so that every threshold is met exactly now and then."""
    p = np.array(counts) / sum(counts)
    ours = rule(rule_out=low, rule_in=high, quantiles=quantiles, limit=limit)
    manifest = tiny.manifest()
    manifest = replace(
        manifest,
        classes=list(CLASSES),
        rule_out=replace(manifest.rule_out, threshold=low),
        rule_in=replace(manifest.rule_in, threshold=high),
        conformal={c: ConformalQuantile(q, 9) for c, q in zip(CLASSES, quantiles, strict=True)},
        gate=Gate(limit, 0.5, QualityLimits(), ours.top_probability),
    )
    named = dict(zip(CLASSES, p.tolist(), strict=True))
    check = QualityCheck("blur", 1.0, 2.0, usable, "quality.blur", "Hold still.")
    expected = decide(
        manifest,
        quality=[check],
        novelty=float(novelty),
        probabilities=named,
        prediction_set=prediction_set(named, manifest),
    )
    found = outcomes(p[None], np.array([usable]), np.array([novelty]), ours)
    assert found.tolist() == [expected.outcome.value]


def predicted(seed=0, count=160, repeats=2):
    """Images of two sources and both tones in groups of two, with logits of some skill."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    possible = np.eye(4, dtype=bool)[labels]
    possible[(np.arange(count) % 13 == 0) & (labels > 0), 1:3] = True
    z = 1.7 * np.eye(4)[labels] + rng.normal(0, 1, (repeats, count, 4))
    rows = Rows(
        np.array([f"{i}.png" for i in range(count)]),
        np.where(np.arange(count) % 17 == 0, "1,2,3", ""),
        np.where(np.arange(count) % 4 < 2, "a", "b"),
        np.array([CLASSES[k] for k in labels]),
        np.arange(count) // 2,
        np.array(["light", "dark", ""])[rng.integers(0, 3, count)],
        rng.random(count) < 0.9,
        rng.random(count),
        possible,
    )
    return Predicted(rows, z, np.tile(np.arange(count) // 2 % 4, (repeats, 1)))


@pytest.fixture(scope="module")
def figures():
    experiments = {
        "strict": predicted(),
        "loose filter": predicted(1),
        "left out: a": predicted(2, repeats=1),
        "shortcut: border": predicted(3),
    }
    found = figures_of(experiments, rule())
    keys = [(figure.group, figure.name) for figure in found]
    assert len(keys) == len(set(keys))
    return experiments, {(figure.group, figure.name): figure.interval for figure in found}


def mean_over_repeats(one, figure):
    return np.mean([figure(softmax(z, 1.3)) for z in one.logits])


def test_auroc_by_scikit_learn(figures):
    experiments, found = figures
    for group, name in (
        ("strict filter", "strict"),
        ("loose filter", "loose filter"),
        ("a, never seen in training", "left out: a"),
        ("shortcut: border", "shortcut: border"),
    ):
        one = experiments[name]
        expected = mean_over_repeats(one, lambda p, one=one: roc_auc_score(one.rows.possible[:, 0], p[:, 0]))
        interval = found[group, "AUROC"]
        assert interval.value == pytest.approx(expected, abs=1e-5)
        assert interval.low < interval.value < interval.high
        assert interval.n == 160


def test_sensitivity_and_specificity_at_both_points(figures):
    experiments, found = figures
    one = experiments["strict"]
    masks = {
        "all": np.ones(160, bool),
        "light skin": one.rows.tone == "light",
        "source b": one.rows.source == "b",
    }
    positive = one.rows.possible[:, 0]
    for group, mask in masks.items():
        for point, threshold in (("rule-out", 0.2), ("rule-in", 0.6)):
            sensitive = mean_over_repeats(
                one, lambda p, t=threshold, m=mask: (p[m & positive, 0] >= t).mean()
            )
            specific = mean_over_repeats(one, lambda p, t=threshold, m=mask: (p[m & ~positive, 0] < t).mean())
            assert found[group, f"sensitivity, {point}"].value == pytest.approx(sensitive, abs=1e-5)
            assert found[group, f"specificity, {point}"].value == pytest.approx(specific, abs=1e-5)
            assert found[group, f"sensitivity, {point}"].n == (mask & positive).sum()


def test_shares_of_outcomes(figures):
    experiments, found = figures
    one = experiments["strict"]
    sure = one.rows.possible.sum(1) == 1
    masks = {
        "all, mpox": one.rows.possible[:, 0],
        "dark skin, not mpox": (one.rows.tone == "dark") & ~one.rows.possible[:, 0],
        "class acne": one.rows.possible[:, 3] & sure,
    }
    for group, mask in masks.items():
        per_repeat = []
        for z in one.logits:
            p = softmax(z, 1.3)
            told = []
            for i in np.flatnonzero(mask):
                in_set = [c for c in range(4) if 1 - p[i, c] <= 0.9]
                if not one.rows.usable[i] or one.rows.novelty[i] > 0.8:
                    told.append("cannot_assess")
                elif p[i, 0] >= 0.6:
                    told.append("refer")
                elif p[i, 0] < 0.2 and 0 not in in_set and in_set and p[i].max() >= 0.6:
                    told.append("not_suspected")
                else:
                    told.append("uncertain")
            per_repeat.append(told)
        names = ("refer", "uncertain", "not_suspected", "cannot_assess")
        shares = {
            name: np.mean([np.mean([t == name for t in told]) for told in per_repeat]) for name in names
        }
        for name, share in shares.items():
            assert found[group, name].value == pytest.approx(share, abs=1e-5)
        answered = shares["refer"] + shares["not_suspected"]
        assert found[group, "refer or not_suspected"].value == pytest.approx(answered, abs=2e-5)
        assert sum(shares.values()) == pytest.approx(1)
        assert found[group, "refer"].n == mask.sum()


def test_several_classes_within_a_source(figures):
    experiments, found = figures
    one = experiments["strict"]
    rows = (one.rows.source == "a") & (one.rows.possible.sum(1) == 1) & (one.rows.part == "")
    labels = one.rows.possible[rows].argmax(1)
    expected = mean_over_repeats(one, lambda p: f1_score(labels, p[rows].argmax(1), average="macro"))
    interval = found["a 4 classes, strict filter", "macro F1"]
    assert interval.value == pytest.approx(expected, abs=1e-5)
    assert interval.n == rows.sum()
    assert ("a 4 classes, loose filter", "macro F1") in found


def test_rashes_told_apart_within_a_source(figures):
    experiments, found = figures
    one = experiments["strict"]
    rows = (one.rows.source == "a") & one.rows.possible[:, :3].any(1)
    positive = one.rows.possible[rows, 0]

    def scores(p):
        return p[rows, 0] / p[rows, :3].sum(1)

    area = mean_over_repeats(one, lambda p: roc_auc_score(positive, scores(p)))
    right = mean_over_repeats(one, lambda p: ((scores(p) > 0.5) == positive).mean())
    assert found["a rashes, strict filter", "AUROC"].value == pytest.approx(area, abs=1e-5)
    assert found["a rashes, strict filter", "accuracy"].value == pytest.approx(right, abs=1e-5)


def test_temperature_is_fitted_on_the_other_folds():
    one = predicted(5)
    found = softmax_cross_fitted(one, 1)
    sure = one.rows.possible.sum(1) == 1
    for k in range(4):
        rows = (one.fold[1] != k) & sure
        temperature = fit_temperature(one.logits[1][rows], one.rows.possible[rows].argmax(1))
        tested = one.fold[1] == k
        assert found[tested] == pytest.approx(softmax(one.logits[1][tested], temperature))
    assert np.abs(found.sum(1) - 1).max() < 1e-12


def test_calibration_before_and_after(figures):
    experiments, found = figures
    one = experiments["strict"]

    def ece(p, y):  # ten bins of sixteen, no ties among these
        order = np.argsort(p)
        return np.mean([abs(p[part].mean() - y[part].mean()) for part in np.split(order, 10)])

    y = one.rows.possible[:, 0]
    before = np.mean([ece(softmax(z)[:, 0], y) for z in one.logits])
    after = np.mean([ece(softmax_cross_fitted(one, r)[:, 0], y) for r in range(2)])
    assert found["all", "ECE before"].value == pytest.approx(before, abs=1e-5)
    assert found["all", "ECE"].value == pytest.approx(after, abs=1e-5)


def test_a_side_with_fewer_than_ten_cases_gets_no_figure():
    one = predicted(6)
    few = np.flatnonzero((one.rows.tone == "dark") & one.rows.possible[:, 0])[9:]
    tone = one.rows.tone.copy()
    tone[few] = "light"
    found = {
        (figure.group, figure.name)
        for figure in figures_of(
            {"strict": Predicted(replace(one.rows, tone=tone), one.logits, one.fold)}, rule()
        )
    }
    assert ("dark skin", "specificity, rule-in") in found
    assert ("dark skin", "sensitivity, rule-in") not in found
    assert ("dark skin, mpox", "refer") not in found
    assert ("dark skin", "AUROC") not in found
    assert ("light skin", "AUROC") in found


def test_intervals_hold_groups_together():
    """Every image ten times in one group: the interval is as wide as that of the images alone."""
    one = predicted(7, count=80, repeats=1)
    ten = np.repeat(np.arange(80), 10)
    rows = Rows(**{name: values[ten] for name, values in vars(one.rows).items()})
    repeated = Predicted(rows, one.logits[:, ten], one.fold[:, ten])
    widths = []
    for experiment in (one, repeated):
        found = {(f.group, f.name): f.interval for f in figures_of({"strict": experiment}, rule())}
        interval = found["strict filter", "AUROC"]
        widths.append(interval.high - interval.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_interval_by_hand():
    nan = float("nan")
    assert as_interval(Estimate(nan, nan, nan, 5, 2)) is None
    sure = as_interval(Estimate(1.0, nan, nan, 5, 5))
    assert (sure.low, sure.value, sure.high, sure.n) == (1.0, 1.0, 1.0, 5)
    none = as_interval(Estimate(0.0, 0.0, 0.25, 7, 7))
    assert (none.low, none.value, none.high) == (0.0, 0.0, 0.25)
    assert f"{none.low:.3f}" == "0.000"  # not -0.000
    third = as_interval(Estimate(1 / 3, 0.2, 0.4, 9, 9))
    assert third.value == pytest.approx(1 / 3, abs=1e-5)
    assert third.low <= 0.2
    assert third.high >= 0.4


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_an_interval_holds_its_figure_and_stays_a_share(values):
    low, value, high = sorted(values)
    found = as_interval(Estimate(value, low, high, 1, 1))
    assert 0 <= found.low <= found.value <= found.high <= 1
