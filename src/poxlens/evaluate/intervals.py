"""95 % intervals: Wilson for proportions of independent rows, the cluster bootstrap for everything else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poxlens.evaluate.statistic import Floats, Ints, Statistic

FEW = 10  # fewer independent cases than this are shown without a verdict
RESAMPLES = 2000
RARE = 5
_CHUNK = 2_000_000  # weights held at once: 16 MB, whatever the number of rows

Clusters: TypeAlias = "Sequence[str] | NDArray[np.generic]"


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval."""

    value: float  # NaN: not defined on these rows
    low: float  # NaN: no interval can be given
    high: float
    n: int  # rows that enter
    cases: int  # independent units (persons, groups) on the rarer side

    @property
    def too_few(self) -> bool:
        """Whether there are too few independent cases to conclude anything."""
        return self.cases < FEW


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        successes: 0..n.
        n: independent trials; 0 gives (0, 1).
        level: the coverage aimed at.

    Raises:
        ValueError: successes outside 0..n, or level outside 0..1.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must be 0..n, is {successes} of {n}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + _checked(level)) / 2)
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At 0 and n the bound is exact; rounding would leave 1e-17 beside it.
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)


def estimate(
    statistics: Mapping[str, Statistic],
    clusters: Clusters | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Intervals of several figures of the same rows.

    Whole clusters (persons, groups of near-duplicates) are drawn with replacement and the percentiles of the
    figure over the resamples are the interval (Davison & Hinkley 1997, section 3.8); resamples on which a
    figure is not defined are left out, and with fewer than half left, or with all of them alike (an AUROC of
    1), there is no interval. A proportion gets Wilson's interval where its rows are all independent; with
    fewer than `RARE` rows on one side, where a bootstrap is too sure (of 0 and 1 it is certain), it gets
    Wilson's with the number of clusters as n, the most careful reading.

    Args:
        statistics: figures by name, all of the same N rows.
        clusters: the key of each row's cluster, [N]; without it each row is its own.
        resamples: how many.
        seed: of the draws; the same seed gives the same intervals.
        level: the coverage aimed at.

    Raises:
        ValueError: lengths differ, resamples < 1, or level outside 0..1.
    """
    if resamples < 1:
        raise ValueError("resamples must be at least 1")
    if not statistics:
        return {}
    size = next(iter(statistics.values())).rows.size
    if any(figure.rows.size != size for figure in statistics.values()):
        raise ValueError("all statistics must be of the same rows")
    keys = _keys(clusters, size)
    drawn = {name: figure for name, figure in statistics.items() if not _closed_form(figure, keys)}
    samples = _resampled(drawn, keys, resamples, seed)
    tail = (1 - _checked(level)) / 2
    found: dict[str, Estimate] = {}
    for name, figure in statistics.items():
        if name in samples:
            low, high = _percentiles(samples[name], tail, figure.value if figure.biased else None)
            # A skewed figure can lie outside its percentiles; an interval without its figure would mislead.
            low, high = min(low, figure.value), max(high, figure.value)
        else:
            low, high = _share_interval(figure, keys, level)
        found[name] = Estimate(figure.value, low, high, figure.n, _cases(figure, keys))
    return found


def cluster_weights(keys: Ints, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each row is drawn, [resamples, N], when whole clusters are; keys [N] count from 0."""
    count = int(keys.max()) + 1
    draws = rng.integers(0, count, (resamples, count))
    draws += np.arange(resamples)[:, None] * count
    times = np.bincount(draws.ravel(), minlength=resamples * count).reshape(resamples, count)
    return times[:, keys].astype(np.float64)


def _keys(clusters: Clusters | None, size: int) -> Ints:
    if clusters is None:
        return np.arange(size)
    names: ArrayLike = np.asarray(clusters)
    if np.shape(names) != (size,):
        raise ValueError(f"clusters has shape {np.shape(names)} where {(size,)} is needed")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _cases(figure: Statistic, keys: Ints) -> int:
    return min((np.unique(keys[side]).size for side in figure.sides), default=0)


def _closed_form(figure: Statistic, keys: Ints) -> bool:
    if figure.n == 0:
        return True
    independent = np.unique(keys[figure.rows]).size == figure.n
    rarer = min(figure.value, 1 - figure.value) * figure.n
    return figure.share and (independent or rarer < RARE - 0.5)


def _share_interval(figure: Statistic, keys: Ints, level: float) -> tuple[float, float]:
    units = np.unique(keys[figure.rows]).size
    if units == 0:
        return math.nan, math.nan
    successes = round(figure.value * units) if units == figure.n else figure.value * units
    return wilson(successes, units, level)


def _resampled(
    statistics: Mapping[str, Statistic], keys: Ints, resamples: int, seed: int
) -> dict[str, Floats]:
    if not statistics:
        return {}
    rng = np.random.default_rng(seed)
    samples: dict[str, Floats] = {name: np.empty(resamples) for name in statistics}
    step = max(1, _CHUNK // keys.size)
    for start in range(0, resamples, step):
        stop = min(start + step, resamples)
        weights = cluster_weights(keys, stop - start, rng)
        for name, figure in statistics.items():
            samples[name][start:stop] = figure.over(weights)
    return samples


def _percentiles(values: Floats, tail: float, centre: float | None) -> tuple[float, float]:
    defined = values[np.isfinite(values)]
    if defined.size * 2 < values.size or np.ptp(defined) == 0:
        return math.nan, math.nan
    if centre is not None:
        # An ECE is a mean of absolute gaps: every resample adds its noise to each and never takes any.
        defined = np.maximum(defined - np.median(defined) + centre, 0.0)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def _checked(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, is {level}")
    return level
