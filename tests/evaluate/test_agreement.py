"""Kappa against another implementation and by hand, its interval, disagreements and what stands."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from poxlens.data.annotate.scheme import read_scheme
from poxlens.evaluate.agreement import agreement, consensus, counts, disagreements, kappa
from poxlens.evaluate.intervals import estimate

SCHEME = read_scheme()


def _pair(size: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 4, size)
    other = np.where(rng.random(size) < 0.7, one, rng.integers(0, 4, size))
    return one, other


def _given(site: str, near: str, stage: str) -> dict[str, str]:
    return {"body_site": site, "range": near, "stage": stage}


def test_kappa_by_hand() -> None:
    # Both say 0 to 4 images, both 1 to 3, they differ in 3: po = .7; margins 5:5 and 6:4, pe = .3 + .2.
    one = np.array([0] * 4 + [1] * 3 + [0] + [1] * 2)
    other = np.array([0] * 4 + [1] * 3 + [1] + [0] * 2)
    assert kappa(one, other, 2).value == pytest.approx((0.7 - 0.5) / 0.5)


def test_kappa_is_that_of_scikit_learn_under_any_weights() -> None:
    one, other = _pair()
    figure = kappa(one, other, 5)  # a fifth value that nobody gave changes nothing
    weights = np.random.default_rng(1).integers(0, 4, (3, one.size)).astype(float)
    assert figure.value == pytest.approx(cohen_kappa_score(one, other))
    expected = [cohen_kappa_score(one, other, sample_weight=row) for row in weights]
    assert figure.over(weights) == pytest.approx(expected)


def test_one_value_for_everything_has_no_kappa() -> None:
    assert np.isnan(kappa(np.zeros(5, int), np.zeros(5, int), 3).value)


def test_the_interval_is_near_the_asymptotic_one_and_widens_with_groups() -> None:
    one, other = _pair(400)
    table = np.zeros((4, 4))
    np.add.at(table, (one, other), 1)
    expected = cohens_kappa(table)
    found = estimate({"kappa": kappa(one, other, 4)})["kappa"]
    assert (found.low, found.high) == pytest.approx((expected.kappa_low, expected.kappa_upp), abs=0.015)
    # Each image four times is no more evidence than once.
    again = estimate(
        {"kappa": kappa(np.repeat(one, 4), np.repeat(other, 4), 4)}, np.repeat(np.arange(400), 4)
    )["kappa"]
    assert (again.low, again.high) == pytest.approx((found.low, found.high), abs=0.015)


def test_agreement_is_of_what_both_labelled_and_of_what_follows() -> None:
    first = {
        "a": _given("hand", "distance", "later"),
        "b": _given("leg", "distance", "later"),
        "c": _given("hand", "close", "earlier"),
        "alone": _given("face", "distance", "later"),
    }
    second = {
        "a": _given("face", "distance", "later"),
        "b": _given("leg", "distance", ""),
        "c": _given("close", "close", "earlier"),
    }
    found = agreement(SCHEME, first, second, resamples=50)
    assert {name: one.kappa.n for name, one in found.items()} == {
        "body_site": 3,
        "range": 3,
        "stage": 2,
        "grade": 3,
    }
    site = found["body_site"]
    where = {value: place for place, value in enumerate(site.values)}
    assert site.confusion.sum() == 3
    assert site.confusion[where["hand"], where["face"]] == 1
    assert site.confusion[where["hand"], where["close"]] == 1
    assert site.agreed.value == pytest.approx(1 / 3)
    assert found["grade"].agreed.value == 1.0, "hand and face are both grade I; both close ranges are Others"


def test_disagreements_and_what_stands() -> None:
    first = {
        "a": _given("hand", "distance", "later"),
        "b": _given("leg", "distance", "later"),
        "c": _given("hand", "distance", "earlier"),
        "alone": _given("face", "distance", "later"),
    }
    second = {
        "a": _given("face", "distance", "later"),
        "b": _given("leg", "distance", "unclear"),
        "c": _given("hand", "distance", "earlier"),
    }
    assert disagreements(SCHEME, first, second) == {
        "a": {"body_site": "hand|face"},
        "b": {"stage": "later|unclear"},
    }
    found = consensus(SCHEME, first, second, {"b": {"stage": "earlier"}, "c": {"stage": "later"}})
    assert list(found) == ["a", "b", "c"]
    assert (found["a"].labels, found["a"].open) == ({"range": "distance", "stage": "later"}, ("body_site",))
    assert (found["b"].labels["stage"], found["b"].settled, found["b"].open) == ("earlier", ("stage",), ())
    assert found["b"].labels["grade"] == "II"
    assert found["c"].labels["stage"] == "earlier", "a third look decides disagreements alone"
    told = counts(SCHEME, [one.labels for one in found.values()])
    assert told["grade"] == {"I": 1, "II": 1, "III": 0, "Others": 0}
    assert told["stage"] == {"earlier": 2, "later": 1, "unclear": 0}


def test_what_a_third_look_chose_brings_what_it_sets() -> None:
    first = {"a": _given("leg", "distance", "later")}
    second = {"a": _given("hand", "distance", "later")}
    found = consensus(SCHEME, first, second, {"a": {"body_site": "close"}})["a"]
    assert found.labels == {"body_site": "close", "range": "close", "stage": "later", "grade": "Others"}
    assert found.settled == ("body_site", "range")


def test_labels_that_contradict_each_other_once_put_together_are_named() -> None:
    first = {"a": _given("close", "close", "later")}
    second = {"a": _given("hand", "distance", "later")}
    assert consensus(SCHEME, first, second, {"a": {"body_site": "close"}})["a"].labels["grade"] == "Others"
    wrong = {"a": _given("close", "distance", "later")}
    with pytest.raises(ValueError, match="a: body_site close means range close, not distance"):
        consensus(SCHEME, wrong, wrong)
