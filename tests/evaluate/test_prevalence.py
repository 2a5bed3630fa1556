import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.prevalence import net_benefit, predictive_values, treat_all


def test_net_benefit_by_hand():
    # At .25 three are called: two true, one false; 10 persons: 2/10 - 1/10 * (.25 / .75).
    p = [0.9, 0.3, 0.25, *[0.1] * 7]
    positive = [True, True, False, True, *[False] * 6]
    assert net_benefit(p, positive, 0.25).value == pytest.approx(0.2 - 0.1 / 3)
    assert treat_all(positive, 0.25).value == pytest.approx(0.3 - 0.7 / 3)


def test_net_benefit_of_a_perfect_model_is_the_prevalence_and_of_everybody_zero_at_it():
    positive = np.arange(100) < 20
    for threshold in (0.05, 0.5, 0.9):
        assert net_benefit(positive.astype(float), positive, threshold).value == pytest.approx(0.2)
    assert treat_all(positive, 0.2).value == pytest.approx(0)
    assert net_benefit(np.zeros(100), positive, 0.3).value == 0


def test_net_benefit_is_that_of_the_formula_of_vickers_and_elkin():
    """Sensitivity .8 and specificity .9 at prevalence .3 and threshold .2 (their equation, in rates)."""
    positive = np.arange(1000) < 300
    called = np.concatenate([np.arange(300) < 240, np.arange(700) < 70])
    expected = 0.8 * 0.3 - (1 - 0.9) * 0.7 * 0.2 / 0.8
    assert net_benefit(called * 0.5, positive, 0.2).value == pytest.approx(expected)


@given(st.floats(0.001, 0.999))
def test_predictive_values_follow_bayes(share):
    positive = np.arange(200) < 100
    called = np.concatenate([np.arange(100) < 80, np.arange(100) < 10])
    ppv, npv = predictive_values(positive, called, share)
    assert ppv.value == pytest.approx(0.8 * share / (0.8 * share + 0.1 * (1 - share)))
    assert npv.value == pytest.approx(0.9 * (1 - share) / (0.9 * (1 - share) + 0.2 * share))


def test_predictive_values_at_the_sample_s_own_prevalence_are_the_shares_counted():
    positive = np.arange(200) < 50
    called = np.concatenate([np.arange(50) < 40, np.arange(150) < 15])
    ppv, npv = predictive_values(positive, called, 0.25)
    assert ppv.value == pytest.approx(40 / 55)
    assert npv.value == pytest.approx(135 / 145)
    found = estimate({"PPV": ppv}, np.arange(200))["PPV"]
    assert found.low < 40 / 55 < found.high
    assert found.cases == 50


def test_a_threshold_or_prevalence_of_0_or_1_is_refused():
    for value in (0, 1):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            net_benefit([0.5], [True], value)
        with pytest.raises(ValueError, match="above 0 and below 1"):
            predictive_values([True, False], [True, False], value)
