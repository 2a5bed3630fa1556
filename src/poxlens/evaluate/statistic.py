"""A figure as a function of row weights, so that thousands of resamples are computed at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Statistic:
    """A figure of N rows.

    A bootstrap resample is how often each row was drawn, so a figure that takes weights takes any number of
    resamples in one call. Weights of one give the plain figure; without rows to speak of it is NaN.
    """

    over: Callable[[Floats], Floats]  # weights [B, N] -> the figure of each weighting [B]
    rows: Bools  # [N], the rows that enter the figure
    sides: tuple[Bools, ...]  # each [N], what there must be enough of: for an AUROC positives and negatives
    share: bool = False  # a proportion of `rows`: has a closed-form interval
    biased: bool = False  # resampling alone moves it (a mean of absolute gaps): samples are moved back

    @property
    def value(self) -> float:
        """The plain figure; NaN when it is not defined."""
        return float(self.over(np.ones((1, self.rows.size)))[0])

    @property
    def n(self) -> int:
        """How many rows enter."""
        return int(self.rows.sum())


def divide(above: Floats, below: Floats) -> Floats:
    """The quotient above / below, NaN where below is 0."""
    quotient: Floats = np.full(np.shape(below), np.nan)
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def share(hit: ArrayLike, among: ArrayLike | None = None) -> Statistic:
    """The share of `hit` in the rows `among`.

    Args:
        hit: bool [N].
        among: bool [N]; without it, all rows.

    Raises:
        ValueError: the lengths differ.
    """
    hits = as_bools("hit", hit)
    rows = np.ones(hits.size, bool) if among is None else as_bools("among", among, hits.size)
    columns = np.stack([hits & rows, rows], axis=1).astype(np.float64)

    def over(weights: Floats) -> Floats:
        counted = weights @ columns
        return divide(counted[:, 0], counted[:, 1])

    return Statistic(over, rows, (rows,), share=True)


def as_bools(name: str, values: ArrayLike, size: int | None = None) -> Bools:
    """`values` as bool [N].

    Raises:
        ValueError: not one axis, not of length `size`, or not bool (0 and 1 are taken as bool).
    """
    array = np.asarray(values)
    if array.dtype != np.bool_:
        if array.size and not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} must hold True and False only")
        array = array.astype(np.bool_)
    _check_axis(name, array.shape, size)
    return array


def as_floats(name: str, values: ArrayLike, size: int | None = None) -> Floats:
    """`values` as float64 [N].

    Raises:
        ValueError: not one axis, not of length `size`, or not all finite.
    """
    array = np.asarray(values, dtype=np.float64)
    _check_axis(name, array.shape, size)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity at row {int(np.argmin(np.isfinite(array)))}")
    return array


def as_labels(name: str, values: ArrayLike, classes: int, size: int | None = None) -> Ints:
    """`values` as class numbers int64 [N], each 0 <= value < classes.

    Raises:
        ValueError: not one axis, not of length `size`, not whole numbers or out of range.
    """
    array = np.asarray(values)
    _check_axis(name, array.shape, size)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must hold class numbers")
    if array.size and (array.min() < 0 or array.max() >= classes):
        raise ValueError(f"{name} must hold numbers from 0 to {classes - 1}")
    return array.astype(np.int64)


def _check_axis(name: str, shape: tuple[int, ...], size: int | None) -> None:
    if len(shape) != 1:
        raise ValueError(f"{name} must have one axis, has shape {shape}")
    if size is not None and shape[0] != size:
        raise ValueError(f"{name} has {shape[0]} rows where {size} are needed")
