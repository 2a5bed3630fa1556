"""Are the differences between models real? The tests of Campana 2024 (sections 4.2 and 4.4.4), and sounder ones.

Folds share most of their training images, so their figures are not independent and plain tests over folds find
differences that are not there. `corrected_t_test` (Nadeau and Bengio 2003) allows for it; the paper's own tests are
here so that its tables can be set beside ours, like with like.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]
ALPHA = 0.05


@dataclass(frozen=True)
class Test:
    """One statistical test."""

    name: str
    statistic: float
    p: float
    df: tuple[float, ...] = ()  # degrees of freedom

    @property
    def significant(self) -> bool:
        """Whether p is under 0.05."""
        return self.p < ALPHA


@dataclass(frozen=True)
class Anova:
    """Repeated-measures analysis of variance of models over the same folds."""

    anova: Test
    epsilon: float  # Greenhouse-Geisser, 1 where variances of differences are equal
    corrected_p: float  # with degrees of freedom times epsilon
    sphericity: Test | None  # Mauchly; None for two models, where it always holds
    normality: Mapping[str, Test]  # Shapiro-Wilk of each model's figures


@dataclass(frozen=True)
class Comparison:
    """Two models, one difference."""

    first: str
    second: str
    difference: float  # mean of first - second
    low: float  # 95 % interval of the difference
    high: float
    p: float
    adjusted: float  # p with the number of comparisons allowed for


def repeated_measures_anova(figures: Mapping[str, ArrayLike]) -> Anova:
    """Do the models differ at all? (Campana 2024, section 4.2.)

    Args:
        figures: model -> [F] its figure on each fold, in the same order of folds.

    Raises:
        ValueError: fewer than two models or three folds, or different numbers of folds.
    """
    table = _table(figures)
    folds, models = table.shape
    grand = table.mean()
    between = folds * np.square(table.mean(0) - grand).sum()
    subjects = models * np.square(table.mean(1) - grand).sum()
    error = np.square(table - grand).sum() - between - subjects
    df = (models - 1.0, (models - 1.0) * (folds - 1.0))
    f = (between / df[0]) / (error / df[1]) if error > 1e-15 else (math.inf if between > 1e-15 else math.nan)
    epsilon = _greenhouse_geisser(table)
    return Anova(
        Test("repeated-measures ANOVA", float(f), float(stats.f.sf(f, *df)), df),
        epsilon,
        float(stats.f.sf(f, df[0] * epsilon, df[1] * epsilon)),
        _mauchly(table),
        {name: shapiro_wilk(values) for name, values in zip(figures, table.T, strict=True)},
    )


def shapiro_wilk(values: ArrayLike) -> Test:
    """Are the values normally distributed? Values all alike have no distribution to test: p is NaN."""
    found = np.asarray(values, np.float64)
    if np.ptp(found) == 0:
        return Test("Shapiro-Wilk", math.nan, math.nan)
    w, p = stats.shapiro(found)
    return Test("Shapiro-Wilk", float(w), float(p))


def tukey_hsd(figures: Mapping[str, ArrayLike]) -> list[Comparison]:
    """Which models differ: Tukey's honest significant difference over folds, as in the paper.

    It treats the folds of two models as independent samples, which they are not.

    Args:
        figures: model -> [F] its figure on each fold.
    """
    table = _table(figures)
    names = list(figures)
    if np.ptp(table, axis=0).max() == 0:
        return [
            Comparison(
                names[i], names[j], float(table[0, i] - table[0, j]), math.nan, math.nan, math.nan, math.nan
            )
            for i, j in combinations(range(len(names)), 2)
        ]
    found = stats.tukey_hsd(*table.T)
    limits = found.confidence_interval(0.95)
    return [
        Comparison(
            names[i],
            names[j],
            float(found.statistic[i, j]),
            float(limits.low[i, j]),
            float(limits.high[i, j]),
            float(found.pvalue[i, j]),
            float(found.pvalue[i, j]),
        )
        for i, j in combinations(range(len(names)), 2)
    ]


def test_tree(one: ArrayLike, other: ArrayLike) -> tuple[Test, ...]:
    """With and without augmentation, by the paper's tree of tests (section 4.2).

    Shapiro-Wilk of both; when one is not normal (p <= 0.05) Wilcoxon's rank-sum test; else Bartlett; with equal
    variances the independent t-test, else Welch's.

    Args:
        one: [F] figures of one setting over folds.
        other: [F] figures of the other.

    Returns:
        Every test that was made, in order; the last one decides.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    normal = (shapiro_wilk(first), shapiro_wilk(second))
    if not all(test.p > ALPHA for test in normal):  # NaN is not normal
        statistic, p = stats.ranksums(first, second)
        return (*normal, Test("Wilcoxon rank-sum", float(statistic), float(p)))
    statistic, p = stats.bartlett(first, second)
    bartlett = Test("Bartlett", float(statistic), float(p))
    equal = p > ALPHA
    found = stats.ttest_ind(first, second, equal_var=bool(equal))
    name = "independent t-test" if equal else "Welch's t-test"
    return (*normal, bartlett, Test(name, float(found.statistic), float(found.pvalue), (float(found.df),)))


def t_test(one: ArrayLike, other: ArrayLike) -> Test:
    """The standard t-test of the paper's comparison of skin tones (section 4.4.4); NaN where nothing varies."""
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # values all alike give NaN, which says so
        found = stats.ttest_ind(first, second, nan_policy="omit")
    return Test("independent t-test", float(found.statistic), float(found.pvalue), (float(found.df),))


def corrected_t_test(name: tuple[str, str], differences: ArrayLike, *, test_share: float) -> Comparison:
    """Paired t-test over folds whose training parts overlap (Nadeau and Bengio 2003, equation 9).

    The variance of the mean is s^2 (1/J + test/train) instead of s^2/J. Differences that are all alike have no
    variance to test with: p is 1 when they are 0, else NaN, for on small folds such a chance is no proof.

    Args:
        name: the two models.
        differences: [J] first - second on each fold of each repeat.
        test_share: images tested divided by images learnt from, 1/9 for ten folds.

    Raises:
        ValueError: fewer than two differences.
    """
    found = np.asarray(differences, np.float64)
    if found.size < 2:
        raise ValueError(f"{found.size} differences are too few for a test")
    mean, spread = float(found.mean()), float(found.var(ddof=1))
    error = math.sqrt(spread * (1 / found.size + test_share))
    if error <= 1e-12 * max(1.0, abs(mean)):  # rounding leaves 1e-17 where all are alike
        if abs(mean) <= 1e-12:
            return Comparison(*name, 0.0, 0.0, 0.0, 1.0, 1.0)
        return Comparison(*name, mean, math.nan, math.nan, math.nan, math.nan)
    p = float(2 * stats.t.sf(abs(mean / error), found.size - 1))
    half = float(stats.t.ppf(0.975, found.size - 1)) * error
    return Comparison(*name, mean, mean - half, mean + half, p, p)


def holm(p: Sequence[float]) -> list[float]:
    """The p values adjusted for their number (Holm 1979), in the given order; NaN stays and does not count."""
    values = np.asarray(p, np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    adjusted = np.full(values.size, math.nan)
    raised = values[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(value) for value in adjusted]


def _table(figures: Mapping[str, ArrayLike]) -> Floats:
    columns = [np.asarray(values, np.float64) for values in figures.values()]
    if len(columns) < 2:
        raise ValueError("a comparison needs at least two models")
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1 or columns[0].size < 3:
        raise ValueError("each model needs one figure on each of at least three folds")
    return np.stack(columns, axis=1)


def _greenhouse_geisser(table: Floats) -> float:
    eigenvalues = _contrast_eigenvalues(table)
    total = float(np.square(eigenvalues).sum())
    if total < 1e-30:
        return 1.0
    return float(eigenvalues.sum() ** 2 / (eigenvalues.size * total))


def _mauchly(table: Floats) -> Test | None:
    folds, models = table.shape
    d = models - 1
    if d < 2:
        return None
    eigenvalues = np.maximum(_contrast_eigenvalues(table), 0)
    mean = float(eigenvalues.mean())
    if folds <= d or mean < 1e-30:
        return Test("Mauchly", math.nan, math.nan)
    w = float(np.prod(eigenvalues / mean))
    # Bartlett's chi-square with the correction of Box, as SPSS and pingouin have it.
    factor = 1 - (2 * d**2 + d + 2) / (6 * d * (folds - 1))
    df = d * (d + 1) / 2 - 1
    chi = -(folds - 1) * factor * math.log(max(w, 1e-300))
    p = float(stats.chi2.sf(chi, df))
    a2 = (d + 2) * (d - 1) * (d - 2) * (2 * d**3 + 6 * d**2 + 3 * d + 2)
    b2 = a2 / (288 * (d * (folds - 1) * factor) ** 2)
    p += b2 * (float(stats.chi2.sf(chi, df + 4)) - p)
    return Test("Mauchly", w, p, (df,))


def _contrast_eigenvalues(table: Floats) -> Floats:
    """Eigenvalues [M - 1] of the covariance of orthonormal contrasts between models."""
    models = table.shape[1]
    contrasts = np.linalg.qr(np.column_stack([np.ones(models), np.eye(models)[:, 1:]]))[0][:, 1:]
    covariance = np.atleast_2d(np.cov(table @ contrasts, rowvar=False))
    found: Floats = np.linalg.eigvalsh(covariance)
    return found
