"""Figures of the protocols side by side, each with two intervals, and the gap between two protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.intervals import RESAMPLES, Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Floats, Statistic
from poxlens.recipes.leak.predictions import Tested

FIGURES = ("accuracy", "AUROC", "macro F1")
ORIGINALS = "common, originals"
"""The common protocol's figures on the unaugmented images alone."""


@dataclass(frozen=True)
class Measured:
    """The figures of one head under one protocol, means over the repeats."""

    head: str
    copies: int  # augmented copies of each image
    protocol: str
    rows: int  # tested images, copies counted
    images: int
    groups: int
    repeats: int
    seen: (
        float | None
    )  # share of the tested rows whose group stands in the training part too; None: not known
    clustered: Mapping[str, Estimate]  # figure -> with an interval over groups
    naive: Mapping[str, Estimate]  # figure -> with the interval that takes every row as independent


@dataclass(frozen=True)
class Gap:
    """What one protocol adds to another's figures: the same head on the same images."""

    head: str
    copies: int
    above: str  # protocol
    below: str  # protocol
    figures: Mapping[str, Estimate]  # differences, with a paired interval over groups


def measure(tested: Tested, target: str, *, resamples: int = RESAMPLES, seed: int = 0) -> Measured:
    """All figures of one head under one protocol.

    The figure of each repeat is computed over its folds pooled, and the repeats are averaged; an interval draws
    groups once for all repeats, so that repeats do not pass for more images.

    Args:
        tested: the predictions.
        target: class whose probability the AUROC is of, against all others.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    figures = _statistics(tested, target)
    known = tested.protocol not in ("merged", "strict")
    return Measured(
        head=tested.head,
        copies=tested.copies,
        protocol=tested.protocol,
        rows=len(tested.file),
        images=len(np.unique(tested.file)),
        groups=len(np.unique(tested.group)),
        repeats=len(tested.fold),
        seen=seen(tested) if known else None,
        clustered=estimate(figures, tested.group, resamples=resamples, seed=seed),
        naive=estimate(figures, resamples=resamples, seed=seed),
    )


def gap(above: Tested, below: Tested, target: str, *, resamples: int = RESAMPLES, seed: int = 0) -> Gap:
    """The difference of every figure, above minus below; arguments as in `measure`.

    Raises:
        ValueError: the two are not of the same groups.
    """
    if set(above.group) != set(below.group):
        raise ValueError("a paired interval needs the same groups on both sides")
    first, second = _statistics(above, target), _statistics(below, target)
    sides = {name: _difference(first[name], second[name]) for name in FIGURES}
    group = np.concatenate([above.group, below.group])
    found = estimate(sides, group, resamples=resamples, seed=seed)
    return Gap(above.head, above.copies, above.protocol, below.protocol, found)


def originals(tested: Tested) -> Tested:
    """The unaugmented images of the common protocol as a protocol of their own."""
    rows = tested.copy == 0
    return replace(
        tested,
        protocol=ORIGINALS,
        file=tested.file[rows],
        copy=tested.copy[rows],
        group=tested.group[rows],
        label=tested.label[rows],
        fold=tested.fold[:, rows],
        probability=tested.probability[:, rows],
    )


def seen(tested: Tested, rows: NDArray[np.bool_] | None = None) -> float:
    """Share of the tested rows (or of those in `rows` [T]) whose group was learnt from as well, over all repeats."""
    keys = np.unique(tested.group, return_inverse=True)[1]
    chosen = keys if rows is None else keys[rows]
    # A group in more than one fold is learnt from while its rest is tested.
    return float(np.mean([_split(keys, folds)[chosen].mean() for folds in tested.fold]))


def _statistics(tested: Tested, target: str) -> dict[str, Statistic]:
    classes = len(tested.classes)
    number = tested.classes.index(target)
    positive = tested.label == number
    decided = tested.decided
    return {
        "accuracy": _mean([accuracy(tested.label, one) for one in decided]),
        "AUROC": _mean([auroc(one[:, number], positive) for one in tested.probability]),
        "macro F1": _mean([macro_f1(tested.label, one, classes) for one in decided]),
    }


def _mean(repeats: Sequence[Statistic]) -> Statistic:
    def over(weights: Floats) -> Floats:
        return np.mean([one.over(weights) for one in repeats], axis=0)  # type: ignore[no-any-return]

    first = repeats[0]
    return Statistic(over, first.rows, first.sides, share=first.share)


def _difference(above: Statistic, below: Statistic) -> Statistic:
    split = above.rows.size
    nothing = np.zeros(above.rows.size, bool)

    def over(weights: Floats) -> Floats:
        return above.over(weights[:, :split]) - below.over(weights[:, split:])

    return Statistic(
        over,
        np.concatenate([nothing, below.rows]),
        tuple(np.concatenate([nothing, side]) for side in below.sides),
    )


def _split(keys: NDArray[np.int64], folds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[G], whether a group lies in more than one fold."""
    lowest = np.full(keys.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(keys.max() + 1, -1)
    np.minimum.at(lowest, keys, folds)
    np.maximum.at(highest, keys, folds)
    return np.asarray(lowest < highest, bool)
