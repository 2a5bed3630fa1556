import math

import pytest

from poxlens.evaluate.intervals import Estimate
from poxlens.evaluate.study import Point
from poxlens.evaluate.wording import percent, point_rows, score, verdict


def test_shares_and_scores_are_written_with_interval():
    assert percent(Estimate(0.6249, 0.5, 0.7051, 40, 40)) == "62 % [50–71]"
    assert score(Estimate(0.98134, 0.97, 0.99, 40, 40)) == "0.981 [0.970–0.990]"
    assert score(Estimate(0.98134, math.nan, math.nan, 40, 40)) == "0.981 [no interval]"
    for nothing in (None, Estimate(math.nan, math.nan, math.nan, 0, 0)):
        assert percent(nothing) == score(nothing) == "–"


def test_nearly_all_is_not_all_and_nearly_none_is_not_none():
    assert percent(Estimate(0.9962, 0.991, 1.0, 999, 999)) == "99.6 % [99.1–100]"
    assert percent(Estimate(0.004, 0.0, 0.009, 999, 999)) == "0.4 % [0–0.9]"


@pytest.mark.parametrize("cases", [0, 3, 9])
def test_few_cases_are_counted_and_not_judged(cases):
    few = Estimate(1 / 3, 0.0, 1.0, 9, cases)
    assert percent(few) == "3 of 9"
    assert score(few) == "too few cases"
    assert verdict(Estimate(0.95, 0.9, 0.97, 200, 200), few) == f"too few cases ({cases}, 10 are needed)"


def test_verdict_compares_the_promise_with_the_interval():
    promise = Estimate(0.95, 0.9, 0.97, 200, 200)
    assert verdict(promise, Estimate(0.8, 0.7, 0.94, 50, 50)) == "below the promise"
    assert verdict(promise, Estimate(0.93, 0.88, 0.96, 50, 50)) == "as promised"
    assert verdict(promise, Estimate(0.99, 0.96, 1.0, 50, 50)) == "above the promise"
    assert verdict(promise, None) == "no cases"
    rows = point_rows((Point("rule-out", 0.1234, (promise, promise), (None, None)),))
    assert rows[1] == ("rule-out (p ≥ 0.123)", "specificity", "95 % [90–97]", "–", "no cases")
