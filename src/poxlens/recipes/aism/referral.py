"""When to ask a person (Yue 2024, section 2.5): the top probability, its distribution, and the 0.6 rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.calibration import ece
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.statistic import share
from poxlens.recipes.aism.arms import Doubles, Said

THRESHOLDS = tuple(round(0.2 + 0.05 * step, 2) for step in range(16))
"""Where coverage and accuracy are told, 0.2 to 0.95."""
BINS = tuple(round(0.1 * step, 1) for step in range(11))
WAYS = ("raw", "calibrated")


@dataclass(frozen=True)
class Rule:
    """What becomes of photos when a person is asked below a threshold."""

    threshold: float
    figures: Mapping[str, Estimate]  # of `rule`


@dataclass(frozen=True)
class Referral:
    """The rule on one arm's probabilities, of one kind."""

    arm: str
    way: str  # raw or calibrated
    at: Rule  # the study's threshold, with intervals
    coverage: tuple[float, ...]  # at THRESHOLDS: share of photos at or above
    accuracy: tuple[float, ...]  # of those; NaN where there are none
    right: tuple[int, ...]  # photos told right in each bin of the top probability between BINS
    wrong: tuple[int, ...]
    ece: Estimate  # of the top probability


def referral(said: Said, way: str, threshold: float, target: int, resamples: int = 2000) -> Referral:
    """The rule on an arm.

    Args:
        said: its probabilities.
        way: "raw" or "calibrated".
        threshold: top probability from which the answer stands without a person.
        target: number of the class that is screened for.
        resamples: of the bootstrap over groups.
    """
    values: Doubles = said.raw if way == "raw" else said.calibrated
    top, decided = values.max(1), values.argmax(1)
    hit = decided == said.truth
    places = np.clip(np.digitize(top, BINS[1:-1], right=False), 0, len(BINS) - 2)
    found = estimate({"ECE": ece(top, hit)}, said.groups, resamples=resamples)["ECE"]
    shares = [(top >= limit) for limit in THRESHOLDS]
    return Referral(
        said.name,
        way,
        Rule(threshold, rule(said, values, threshold, target, resamples)),
        tuple(float(kept.mean()) for kept in shares),
        tuple(float(hit[kept].mean()) if kept.any() else float("nan") for kept in shares),
        tuple(np.bincount(places[hit], minlength=len(BINS) - 1).tolist()),
        tuple(np.bincount(places[~hit], minlength=len(BINS) - 1).tolist()),
        found,
    )


def rule(
    said: Said, values: Doubles, threshold: float, target: int, resamples: int = 2000
) -> Mapping[str, Estimate]:
    """Shares of photos sent to a person and of those answered right; and what becomes of the target's photos.

    Args:
        said: the rows.
        values: probabilities [T, C].
        threshold: as above.
        target: number of the class that is screened for.
        resamples: of the bootstrap over groups.
    """
    top, decided = values.max(1), values.argmax(1)
    kept, own = top >= threshold, said.truth == target
    return estimate(
        {
            "answered": share(kept),
            "sent to a person": share(~kept),
            "accuracy of the answered": share(decided == said.truth, kept),
            "accuracy of those sent": share(decided == said.truth, ~kept),
            "target: found": share(kept & (decided == target), own),
            "target: sent to a person": share(~kept, own),
            "target: missed": share(kept & (decided != target), own),
            "others: answered as target": share(kept & (decided == target), ~own),
            "precision of the answered": share(own, kept & (decided == target)),
            "recall of the answered": share(decided == target, kept & own),
            "specificity of the answered": share(decided != target, kept & ~own),
        },
        said.groups,
        resamples=resamples,
    )


def referrals(
    several: Sequence[Said], threshold: float, target: int, resamples: int = 2000
) -> list[Referral]:
    """Both kinds of probabilities of several arms."""
    return [referral(said, way, threshold, target, resamples) for said in several for way in WAYS]
