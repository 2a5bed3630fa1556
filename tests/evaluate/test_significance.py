"""Against R's documented examples, SciPy, statsmodels and pingouin."""

import math

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.multicomp import pairwise_tukeyhsd
from statsmodels.stats.multitest import multipletests

from poxlens.evaluate import significance

# R's `example(SSD)`, `example(mauchly.test)` and `example(anova.mlm)`: reaction times of ten subjects under six
# conditions (Maxwell and Delaney, p. 497); figures are those of R's own test suite, stats-Ex.Rout.save.
REACTION = np.array(
    [
        [420, 420, 480, 480, 600, 780],
        [420, 480, 480, 360, 480, 600],
        [480, 480, 540, 660, 780, 780],
        [420, 540, 540, 480, 780, 900],
        [540, 660, 540, 480, 660, 720],
        [360, 420, 360, 360, 480, 540],
        [480, 480, 600, 540, 720, 840],
        [480, 600, 660, 540, 720, 900],
        [540, 600, 540, 480, 720, 780],
        [480, 420, 540, 540, 660, 780],
    ],
    np.float64,
)
# R's data set `sleep`: t.test(extra ~ group) gives t = -1.8608, df = 17.776, p = 0.07939 (Welch), and
# oneway.test(..., var.equal = TRUE) p = 0.07919.
SLEEP = (
    np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)
# R's data set `warpbreaks` by tension; TukeyHSD(aov(breaks ~ tension)).
WARPBREAKS = {
    "L": [26, 30, 54, 25, 70, 52, 51, 26, 67, 27, 14, 29, 19, 29, 31, 41, 20, 44],
    "M": [18, 21, 29, 17, 12, 18, 35, 30, 36, 42, 26, 19, 16, 39, 28, 21, 39, 29],
    "H": [36, 21, 24, 18, 10, 43, 28, 15, 26, 20, 21, 24, 17, 13, 15, 15, 16, 28],
}


def columns(table):
    return {f"m{place}": table[:, place] for place in range(table.shape[1])}


def folds(seed, models=5, count=10):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(count, 1)) * 0.05
    return 0.8 + shared + random.normal(size=(count, models)) * 0.04 + np.arange(models) * 0.02


def test_repeated_measures_anova_gives_the_figures_of_r():
    found = significance.repeated_measures_anova(columns(REACTION))
    assert found.anova.df == (5, 45)
    assert found.anova.statistic == pytest.approx(38.028, abs=5e-4)
    assert found.anova.p == pytest.approx(4.471e-15, rel=1e-3)
    assert found.corrected_p == pytest.approx(2.532e-08, rel=1e-3)
    assert found.sphericity.statistic == pytest.approx(0.0311, abs=5e-5)
    # R 3 prints 0.04765: one term of its second-order correction takes 6, the number of conditions, for 5.
    assert found.sphericity.p == pytest.approx(0.04765, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_repeated_measures_anova_equals_statsmodels_and_pingouin(seed):
    table = folds(seed)
    found = significance.repeated_measures_anova(columns(table))
    long = pd.DataFrame(
        [(fold, model, table[fold, model]) for fold in range(10) for model in range(5)],
        columns=["fold", "model", "y"],
    )
    reference = AnovaRM(long, "y", "fold", within=["model"]).fit().anova_table.iloc[0]
    assert found.anova.statistic == pytest.approx(reference["F Value"], rel=1e-9)
    assert found.anova.p == pytest.approx(reference["Pr > F"], rel=1e-9)
    assert found.anova.df == (reference["Num DF"], reference["Den DF"])
    wide = pd.DataFrame(table)
    assert found.epsilon == pytest.approx(pingouin.epsilon(wide, correction="gg"), rel=1e-9)
    mauchly = pingouin.sphericity(wide)
    assert found.sphericity.statistic == pytest.approx(mauchly.W, rel=1e-9)
    assert found.sphericity.p == pytest.approx(
        mauchly.pval, abs=1e-3
    )  # which leaves the second-order term out
    assert found.sphericity.df == (mauchly.dof,)
    corrected = pingouin.rm_anova(long, dv="y", within="model", subject="fold", correction=True)
    assert found.corrected_p == pytest.approx(
        float(corrected.filter(like="GG").filter(like="p").iloc[0, 0]), rel=1e-6
    )
    for name, test in found.normality.items():
        assert test.p == pytest.approx(stats.shapiro(columns(table)[name]).pvalue)


def test_two_models_need_no_sphericity_and_models_alike_are_not_compared():
    table = folds(0, models=2)
    found = significance.repeated_measures_anova(columns(table))
    assert found.sphericity is None
    assert found.epsilon == pytest.approx(1)
    paired = stats.ttest_rel(table[:, 0], table[:, 1])
    assert found.anova.statistic == pytest.approx(paired.statistic**2)
    assert found.anova.p == pytest.approx(paired.pvalue)
    same = significance.repeated_measures_anova({"a": [0.9, 0.8, 0.7], "b": [0.9, 0.8, 0.7]})
    assert math.isnan(same.anova.p)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"a": [1, 2, 3]}, "two models"),
        ({"a": [1, 2], "b": [1, 2]}, "three"),
        ({"a": [1, 2, 3], "b": [1, 2]}, "three"),
    ],
)
def test_too_little_to_compare_is_refused(figures, message):
    with pytest.raises(ValueError, match=message):
        significance.repeated_measures_anova(figures)


def test_tukey_gives_the_figures_of_r():
    found = {(one.first, one.second): one for one in significance.tukey_hsd(WARPBREAKS)}
    for pair, difference, low, high, p in [
        (("L", "M"), 10.0, 0.4401756, 19.55982, 0.0384598),
        (("L", "H"), 14.722222, 5.1623978, 24.28205, 0.0014315),
        (("M", "H"), 4.722222, -4.8376022, 14.28205, 0.4630831),
    ]:
        one = found[pair]
        assert one.difference == pytest.approx(difference, abs=1e-6)
        assert (one.low, one.high) == pytest.approx((low, high), abs=2e-4)
        assert one.p == one.adjusted == pytest.approx(p, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_tukey_equals_statsmodels(seed):
    table = folds(seed, models=4)
    found = significance.tukey_hsd(columns(table))
    reference = pairwise_tukeyhsd(table.T.ravel(), np.repeat(list(columns(table)), 10))
    np.testing.assert_allclose([one.difference for one in found], -reference.meandiffs, atol=1e-12)
    np.testing.assert_allclose([one.p for one in found], reference.pvalues, atol=1e-4)


def test_tukey_of_figures_that_do_not_vary_has_no_p():
    (found,) = significance.tukey_hsd({"a": [1, 1, 1], "b": [0.5, 0.5, 0.5]})
    assert found.difference == 0.5
    assert math.isnan(found.p)


def test_the_tree_ends_at_the_t_test_for_normal_figures_of_equal_variance():
    tests = significance.test_tree(*SLEEP)
    assert [test.name for test in tests] == ["Shapiro-Wilk", "Shapiro-Wilk", "Bartlett", "independent t-test"]
    assert tests[2].p == pytest.approx(stats.bartlett(*SLEEP).pvalue)
    assert tests[-1].statistic == pytest.approx(-1.8608, abs=5e-5)
    assert tests[-1].df == (18,)
    assert tests[-1].p == pytest.approx(0.07919, abs=5e-6)


def test_the_tree_ends_at_welch_for_unequal_variances():
    random = np.random.default_rng(3)
    narrow, wide = random.normal(0.9, 0.005, 12), random.normal(0.85, 0.08, 12)
    tests = significance.test_tree(narrow, wide)
    assert tests[-1].name == "Welch's t-test"
    reference = stats.ttest_ind(narrow, wide, equal_var=False)
    assert (tests[-1].statistic, tests[-1].p) == pytest.approx((reference.statistic, reference.pvalue))
    assert tests[-1].df[0] == pytest.approx(reference.df)


def test_welch_of_the_tree_gives_the_figures_of_r(monkeypatch):
    monkeypatch.setattr(significance.stats, "bartlett", lambda *_: (9.9, 0.001))
    last = significance.test_tree(*SLEEP)[-1]
    assert last.name == "Welch's t-test"
    assert last.p == pytest.approx(0.07939, abs=5e-6)
    assert last.df[0] == pytest.approx(17.776, abs=5e-4)


def test_the_tree_ends_at_wilcoxon_for_figures_that_are_not_normal():
    one, other = [0.9] * 9 + [0.1], [0.8, 0.82, 0.84, 0.86, 0.88, 0.81, 0.83, 0.85, 0.87, 0.89]
    tests = significance.test_tree(one, other)
    assert [test.name for test in tests] == ["Shapiro-Wilk", "Shapiro-Wilk", "Wilcoxon rank-sum"]
    ranks = stats.rankdata([*one, *other])[:10].sum()
    z = (ranks - 10 * 21 / 2) / math.sqrt(10 * 10 * 21 / 12)
    assert tests[-1].statistic == pytest.approx(z)
    assert tests[-1].p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_figures_all_alike_are_not_normal():
    tests = significance.test_tree([0.9] * 5, [0.8, 0.85, 0.9, 0.95, 0.7])
    assert math.isnan(tests[0].p)
    assert tests[-1].name == "Wilcoxon rank-sum"


def test_t_test_is_the_standard_one_and_leaves_folds_without_a_figure_out():
    found = significance.t_test(*SLEEP)
    assert found.p == pytest.approx(0.07919, abs=5e-6)
    assert found.df == (18,)
    with_hole = significance.t_test([*SLEEP[0], math.nan], SLEEP[1])
    assert with_hole.p == pytest.approx(found.p)


def test_corrected_t_test_by_hand():
    # Ten folds: mean .02, SD .02; the error is .02 sqrt(1/10 + 1/9), not .02 / sqrt(10).
    differences = 0.02 + 0.02 * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1, -1]) / math.sqrt(10 / 9)
    found = significance.corrected_t_test(("a", "b"), differences, test_share=1 / 9)
    error = 0.02 * math.sqrt(1 / 10 + 1 / 9)
    assert found.difference == pytest.approx(0.02)
    assert found.p == pytest.approx(2 * stats.t.sf(0.02 / error, 9))
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 9, 0.02, error))
    assert found.p > stats.ttest_1samp(differences, 0).pvalue * 3


def test_corrected_t_test_gives_the_figures_of_scikit_learn():
    """The function of scikit-learn's "Statistical comparison of models using grid search", on made-up differences."""

    def corrected(differences, n_train, n_test):
        k = len(differences)
        std = np.sqrt(np.var(differences, ddof=1) * (1 / k + n_test / n_train))
        t = np.mean(differences) / std
        return 2 * stats.t.sf(np.abs(t), k - 1)

    differences = np.random.default_rng(0).normal(0.01, 0.04, 100)
    found = significance.corrected_t_test(("a", "b"), differences, test_share=10 / 90)
    assert found.p == pytest.approx(corrected(differences, 90, 10))


def test_differences_all_alike_prove_nothing():
    # 1/76 on each of three folds, up to rounding, once passed for p < .001.
    found = significance.corrected_t_test(("a", "b"), [1 / 76, 0.5 + 1 / 76 - 0.5, 1 / 76], test_share=0.5)
    assert found.difference == pytest.approx(1 / 76)
    assert math.isnan(found.p)
    assert math.isnan(found.low)
    assert significance.corrected_t_test(("a", "b"), [0.0, 0.0, 0.0], test_share=0.5).p == 1
    with pytest.raises(ValueError, match="too few"):
        significance.corrected_t_test(("a", "b"), [0.1], test_share=0.5)


def test_holm_gives_the_figures_of_r_and_statsmodels():
    # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")
    assert significance.holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    p = np.random.default_rng(0).random(30) ** 3
    np.testing.assert_allclose(significance.holm(p.tolist()), multipletests(p, method="holm")[1])
    adjusted = significance.holm([0.01, math.nan, 0.02])
    assert adjusted[0] == pytest.approx(0.02)
    assert math.isnan(adjusted[1])
    assert significance.holm([]) == []
