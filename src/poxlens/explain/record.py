"""What the checks of heat maps find: figures with their intervals, as JSON and for a bundle's evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.statistic import Floats, Statistic, divide

FORMAT = "poxlens-explain/1"


@dataclass(frozen=True)
class Figure:
    """One figure of the checks."""

    check: str  # energy, pointing, randomisation, deletion, stability
    name: str
    group: str  # which phantoms or photos
    value: float | None  # None: not defined on these
    low: float | None
    high: float | None
    n: int
    limit: float | None = None
    passed: bool | None = None  # None: no limit was set for it

    def at_least(self, limit: float) -> Figure:
        """The same, passed when its value reaches the limit."""
        return replace(self, limit=limit, passed=self.value is not None and self.value >= limit)

    def surely_below(self, limit: float) -> Figure:
        """The same, passed when its whole interval lies below the limit."""
        return replace(self, limit=limit, passed=self.high is not None and self.high < limit)

    def surely_above(self, limit: float) -> Figure:
        """The same, passed when its whole interval lies above the limit."""
        return replace(self, limit=limit, passed=self.low is not None and self.low > limit)


@dataclass(frozen=True)
class Checked:
    """What the checks of one bundle found."""

    bundle: str
    target: str
    figures: tuple[Figure, ...]
    chance: (
        float | None
    )  # agreement that maps of different phantoms reach in 5 of 100 pairs; None: not looked at
    limit: float  # below which `screen` calls a map unstable

    @property
    def passed(self) -> bool:
        """Whether no check that has a limit failed."""
        return all(figure.passed is not False for figure in self.figures)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": FORMAT, **asdict(self), "passed": self.passed}


def mean(values: Floats) -> Statistic:
    """The mean of [N] values as a statistic."""
    return ratio(values, np.ones(len(values)))


def ratio(above: Floats, below: Floats) -> Statistic:
    """The mean of [N] values over the mean of others: steadier than the mean of their quotients."""
    rows = np.ones(len(above), bool)
    return Statistic(lambda weights: divide(weights @ above, weights @ below), rows, (rows,))


def figures_of(
    check: str, group: str, statistics: Mapping[str, Statistic], clusters: Sequence[str] | None = None
) -> list[Figure]:
    """One figure a statistic, without limits.

    Args:
        check: which check.
        group: which phantoms or photos.
        statistics: by name, all of the same rows.
        clusters: key of each row; rows of one cluster are no independent evidence. None: each row is its own.
    """
    if any(one.rows.size == 0 for one in statistics.values()):
        return [Figure(check, name, group, None, None, None, 0) for name in statistics]
    return [_figure(check, name, group, one) for name, one in estimate(statistics, clusters).items()]


def _figure(check: str, name: str, group: str, one: Estimate) -> Figure:
    value, low, high = (float(v) if np.isfinite(v) else None for v in (one.value, one.low, one.high))
    return Figure(check, name, group, value, low, high, one.n)
