"""Calibration of each model before and after temperature scaling, the temperature from the other folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.calibration import Bin, ece, reliability
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import brier
from poxlens.evaluate.recalibration import recalibrate
from poxlens.evaluate.repeated import difference, over_repeats
from poxlens.evaluate.statistic import Floats, Statistic
from poxlens.recipes.compare.report.reading import Model, Tested


@dataclass(frozen=True, eq=False)
class Calibrated:
    """One model's probability of the target, before and after."""

    model: Model
    before: Mapping[str, Estimate]  # "ECE", "Brier score"
    after: Mapping[str, Estimate]
    change: Mapping[str, Estimate]  # after - before
    temperatures: Floats  # [R * F]
    bins_before: tuple[Bin, ...]  # of all repeats together
    bins_after: tuple[Bin, ...]
    probabilities: Floats  # [R, N, C] after


def calibrate(tested: Tested, model: Model, *, resamples: int, seed: int) -> Calibrated | None:
    """Calibration of one model; None with one fold, which leaves no other to fit on.

    Args:
        tested: the study's predictions.
        model: one of its models.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    if any(np.unique(fold).size < 2 for fold in tested.fold):
        return None
    parts = [
        recalibrate(p, tested.truth, fold) for p, fold in zip(model.probabilities, tested.fold, strict=True)
    ]
    after = np.stack([probabilities for probabilities, _ in parts])
    first, second = _figures(tested, model.probabilities), _figures(tested, after)
    found = estimate(
        {
            **{f"before {name}": one for name, one in first.items()},
            **{f"after {name}": one for name, one in second.items()},
            **{f"change {name}": difference(second[name], first[name]) for name in first},
        },
        tested.group,
        resamples=resamples,
        seed=seed,
    )
    return Calibrated(
        model=model,
        before={name: found[f"before {name}"] for name in first},
        after={name: found[f"after {name}"] for name in first},
        change={name: found[f"change {name}"] for name in first},
        temperatures=np.concatenate([temperatures for _, temperatures in parts]),
        bins_before=_bins(tested, model.probabilities),
        bins_after=_bins(tested, after),
        probabilities=after,
    )


def _figures(tested: Tested, probabilities: Floats) -> dict[str, Statistic]:
    columns = np.minimum(probabilities[:, :, tested.place], 1.0)
    return {
        "ECE": over_repeats([ece(p, tested.positive) for p in columns]),
        "Brier score": over_repeats([brier(p, tested.positive) for p in columns]),
    }


def _bins(tested: Tested, probabilities: Floats) -> tuple[Bin, ...]:
    columns = np.minimum(probabilities[:, :, tested.place], 1.0)
    return reliability(columns.ravel(), np.tile(tested.positive, len(columns)))
