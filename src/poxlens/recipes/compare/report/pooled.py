"""Figures of each model over all images: out-of-fold, averaged over repeats, with intervals over groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.calibration import ece
from poxlens.evaluate.fold_figures import Spread, by_fold, spreads
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import (
    accuracy,
    balanced_accuracy,
    brier,
    confusion,
    macro_f1,
    sensitivity,
    specificity,
)
from poxlens.evaluate.ranking import auroc, average_precision
from poxlens.evaluate.repeated import over_repeats
from poxlens.evaluate.statistic import Floats, Statistic, share
from poxlens.recipes.compare.report.reading import Model, Tested

DECISIONS = ("accuracy", "balanced accuracy", "macro F1", "sensitivity at .5", "specificity at .5")
PROBABILITIES = ("AUROC", "average precision", "ECE", "Brier score")
POOLED = (*DECISIONS, *PROBABILITIES)
"""Figures over all images; all but the first three are of the target's probability."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """One model over all images."""

    model: Model
    figures: Mapping[str, Estimate]  # as in POOLED
    recalls: Mapping[str, Estimate]  # class -> share of its images decided right
    folds: Mapping[str, Floats]  # figure of FOLD_FIGURES -> its value on each fold of each repeat, [R * F]
    spreads: Mapping[str, Spread]  # the same, mean and standard deviation
    confusion: NDArray[np.int64]  # [C, C], rows are the truth; counts of all repeats together


def pool(tested: Tested, model: Model, *, resamples: int, seed: int) -> Pooled:
    """All figures of one model.

    Args:
        tested: the study's predictions.
        model: one of its models.
        resamples: of the bootstrap.
        seed: of the bootstrap, the same for all models, so that their intervals are of the same draws.
    """
    figures = {name: each(tested, model, of) for name, of in STATISTICS.items()}
    recalls = {
        name: over_repeats([share(one == tested.truth, tested.truth == number) for one in model.decided])
        for number, name in enumerate(tested.classes)
    }
    found = estimate(
        {**figures, **{f"recall {name}": one for name, one in recalls.items()}},
        tested.group,
        resamples=resamples,
        seed=seed,
    )
    parts = [
        by_fold(tested.truth, decided, fold, len(tested.classes), tested.place)
        for decided, fold in zip(model.decided, tested.fold, strict=True)
    ]
    folds = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Pooled(
        model=model,
        figures={name: found[name] for name in figures},
        recalls={name: found[f"recall {name}"] for name in recalls},
        folds=folds,
        spreads=spreads(folds),
        confusion=sum(
            (confusion(tested.truth, decided, len(tested.classes)) for decided in model.decided),
            np.zeros((len(tested.classes),) * 2, np.int64),
        ),
    )


def each(tested: Tested, model: Model, of: Callable[[Tested, Floats], Statistic]) -> Statistic:
    """A figure of a model, averaged over repeats.

    Args:
        tested: the study's predictions.
        model: one of its models.
        of: the figure of one repeat, from [N, C] probabilities.
    """
    return over_repeats([of(tested, p) for p in model.probabilities])


def _decided(p: Floats) -> NDArray[np.int64]:
    found: NDArray[np.int64] = p.argmax(axis=1).astype(np.int64)
    return found


STATISTICS: dict[str, Callable[[Tested, Floats], Statistic]] = {
    "accuracy": lambda tested, p: accuracy(tested.truth, _decided(p)),
    "balanced accuracy": lambda tested, p: balanced_accuracy(tested.truth, _decided(p), len(tested.classes)),
    "macro F1": lambda tested, p: macro_f1(tested.truth, _decided(p), len(tested.classes)),
    "AUROC": lambda tested, p: auroc(p[:, tested.place], tested.positive),
    "average precision": lambda tested, p: average_precision(p[:, tested.place], tested.positive),
    "sensitivity at .5": lambda tested, p: sensitivity(tested.positive, p[:, tested.place] >= 0.5),
    "specificity at .5": lambda tested, p: specificity(tested.positive, p[:, tested.place] >= 0.5),
    "ECE": lambda tested, p: ece(np.minimum(p[:, tested.place], 1.0), tested.positive),
    "Brier score": lambda tested, p: brier(np.minimum(p[:, tested.place], 1.0), tested.positive),
}
"""Figure of POOLED -> how one repeat gives it."""
