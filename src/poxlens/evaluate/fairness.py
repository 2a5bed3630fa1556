"""Is a model as good on dark skin as on light? The paper's test, and one that allows for what belongs together.

Campana 2024, section 4.4.4: per fold the accuracy on images of light and of dark skin, compared by a t-test. Images
of one person are no independent cases, and the folds' models share their training images, so beside it stands the
difference with an interval from a bootstrap over groups; with fewer than `FEW` groups on a side there is no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.fold_figures import Spread, fold_figures, spread
from poxlens.evaluate.intervals import FEW, Clusters, Estimate, estimate
from poxlens.evaluate.repeated import difference, over_repeats
from poxlens.evaluate.significance import Test, t_test
from poxlens.evaluate.statistic import Bools, Floats, Ints, Statistic, share

TONES = ("light", "dark")


@dataclass(frozen=True)
class Tone:
    """One side of the comparison."""

    n: int  # images
    groups: int  # independent units
    accuracy: Estimate
    folds: Spread  # accuracy over folds, as in the paper's table 4
    recall_folds: Spread  # mean recall over folds


@dataclass(frozen=True)
class ToneComparison:
    """A model on light and on dark skin."""

    light: Tone
    dark: Tone
    difference: Estimate  # accuracy on light minus accuracy on dark
    t_test: Test | None  # over folds, as in the paper; None where a fold has no image of a tone
    few: str  # why there is no verdict, "" when there is one

    @property
    def verdict(self) -> str:
        """In words."""
        if self.few:
            return self.few
        if self.difference.low > 0:
            return "better on light skin"
        if self.difference.high < 0:
            return "better on dark skin"
        return "no difference shown"


def compare_tones(
    truth: Ints,
    decided: Sequence[Ints],
    folds: Sequence[Ints],
    tone: Sequence[str],
    clusters: Clusters,
    *,
    classes: int,
    target: int,
    resamples: int = 2000,
    seed: int = 0,
) -> ToneComparison:
    """Compare one model on light and dark skin.

    Args:
        truth: class numbers [N].
        decided: [R] times class numbers [N], one array a repeat.
        folds: [R] times the fold that tested each image [N].
        tone: "light", "dark" or anything else (not compared), [N].
        clusters: the key of each image's group [N].
        classes: how many there are.
        target: number of the class screened for.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    tones = np.asarray(tone, dtype=str)
    names = np.asarray(clusters)
    sides = {name: tones == name for name in TONES}
    figures = {name: _accuracy(truth, decided, rows) for name, rows in sides.items()}
    found = estimate(
        {**figures, "difference": difference(figures["light"], figures["dark"])},
        clusters,
        resamples=resamples,
        seed=seed,
    )
    columns = {
        name: _over_folds(truth, decided, folds, rows, classes, target) for name, rows in sides.items()
    }
    parts = {
        name: Tone(
            n=int(rows.sum()),
            groups=int(np.unique(names[rows]).size),
            accuracy=found[name],
            folds=spread(columns[name][0]),
            recall_folds=spread(columns[name][1]),
        )
        for name, rows in sides.items()
    }
    empty = {name: int(np.isnan(columns[name][0]).sum()) for name in TONES}
    test = t_test(columns["light"][0], columns["dark"][0]) if not any(empty.values()) else None
    return ToneComparison(parts["light"], parts["dark"], found["difference"], test, _few(parts, empty))


def _accuracy(truth: Ints, decided: Sequence[Ints], rows: Bools) -> Statistic:
    return over_repeats([share(one == truth, rows) for one in decided])


def _over_folds(
    truth: Ints, decided: Sequence[Ints], folds: Sequence[Ints], rows: Bools, classes: int, target: int
) -> tuple[Floats, Floats]:
    """Accuracy and mean recall on the rows of each fold of each repeat, both [R * F]."""
    values = []
    for one, fold in zip(decided, folds, strict=True):
        for number in np.unique(fold):
            inside = rows & (fold == number)
            if inside.any():
                figures = fold_figures(truth[inside], one[inside], classes, target)
                values.append((figures["accuracy"], figures["mean recall"]))
            else:
                values.append((math.nan, math.nan))
    table = np.array(values)
    return table[:, 0], table[:, 1]


def _few(parts: dict[str, Tone], empty: dict[str, int]) -> str:
    for name in TONES:
        if parts[name].groups < FEW:
            return f"too few cases: {parts[name].groups} groups with {name} skin, {FEW} are needed"
    for name in TONES:
        if empty[name]:
            return f"too few cases: {empty[name]} folds have no image of {name} skin"
    return ""
