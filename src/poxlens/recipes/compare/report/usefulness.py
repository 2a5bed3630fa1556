"""What a model would be worth in use: decision curves, and PPV and NPV over prevalence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.prevalence import PREVALENCES, THRESHOLDS, net_benefit, predictive_values, treat_all
from poxlens.evaluate.repeated import over_repeats
from poxlens.evaluate.statistic import Floats
from poxlens.recipes.compare.report.reading import Model, Tested


@dataclass(frozen=True, eq=False)
class Useful:
    """One model."""

    model: Model
    thresholds: tuple[float, ...]
    benefit: tuple[Estimate, ...]  # at each threshold
    everybody: tuple[Estimate, ...]  # of referring everybody
    prevalences: tuple[float, ...]
    ppv: tuple[Estimate, ...]  # of probability >= .5, at each prevalence
    npv: tuple[Estimate, ...]


def weigh(tested: Tested, model: Model, probabilities: Floats, *, resamples: int, seed: int) -> Useful:
    """Usefulness of one model.

    Args:
        tested: the study's predictions.
        model: one of its models.
        probabilities: [R, N, C], calibrated ones: a decision curve takes them at their word.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    columns = np.minimum(probabilities[:, :, tested.place], 1.0)
    positive = tested.positive
    figures = {f"all {t}": treat_all(positive, t) for t in THRESHOLDS}
    for t in THRESHOLDS:
        figures[f"benefit {t}"] = over_repeats([net_benefit(p, positive, t) for p in columns])
    for share in PREVALENCES:
        both = [predictive_values(positive, p >= 0.5, share) for p in model.probabilities[:, :, tested.place]]
        figures[f"ppv {share}"] = over_repeats([one for one, _ in both])
        figures[f"npv {share}"] = over_repeats([one for _, one in both])
    found = estimate(figures, tested.group, resamples=resamples, seed=seed)
    return Useful(
        model=model,
        thresholds=THRESHOLDS,
        benefit=tuple(found[f"benefit {t}"] for t in THRESHOLDS),
        everybody=tuple(found[f"all {t}"] for t in THRESHOLDS),
        prevalences=PREVALENCES,
        ppv=tuple(found[f"ppv {share}"] for share in PREVALENCES),
        npv=tuple(found[f"npv {share}"] for share in PREVALENCES),
    )
