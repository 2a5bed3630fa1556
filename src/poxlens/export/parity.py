"""What bringing a model into another form changed: the same images, judged by both, compared one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Statistic, share
from poxlens.screen.graph import Graph, Outputs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_BATCH = 16
FEWEST = 10  # cases of a side below which no figure of a group is given


@dataclass(frozen=True)
class Limits:
    """What a form may change and still be packed."""

    points: float = 0.005  # that accuracy, sensitivity and AUROC may lose
    changed: float = 0.01  # share of decisions
    heatmap: float = 0.99  # median correlation of heat maps, at least
    novelty: float = 0.99  # rank correlation of novelty, at least


@dataclass(frozen=True, eq=False)
class Cases:
    """N tested images and what is known of them."""

    file: NDArray[np.str_]  # [N]
    group: NDArray[np.int64]  # [N], of one person or photo
    truth: NDArray[np.int64]  # [N], class number, -1 where it is not sure
    positive: Bools  # [N], whether it is of the target
    tone: NDArray[np.str_]  # [N], "light", "dark" or ""
    target: int  # class number
    threshold: float  # of the rule-out point, on the target's probability


@dataclass(frozen=True, eq=False)
class Judged:
    """What one form says of the N images."""

    probabilities: Floats  # [N, C], by the head of the fold that did not learn from the image
    decision: NDArray[np.str_]  # [N], refer, not_suspected, ...
    heatmap: NDArray[np.float32]  # [N, C, h, w], as the file gives them
    novelty: Floats  # [N]


@dataclass(frozen=True)
class Change:
    """A figure of the float form and of another, with the interval of their difference."""

    before: float
    after: float
    low: float  # 95 %, of after - before; whole groups are drawn, the same for both
    high: float
    n: int

    @property
    def difference(self) -> float:
        """After - before."""
        return self.after - self.before


@dataclass(frozen=True)
class Moved:
    """A decision that is another one now."""

    file: str
    before: str
    after: str
    probability_before: float  # of the target
    probability_after: float


@dataclass(frozen=True)
class Parity:
    """One form against 32-bit floats."""

    n: int
    figures: Mapping[str, Mapping[str, Change]]  # group of people -> figure -> change
    mean_change: float  # of the target's probability, absolute
    largest_change: float
    classes_changed: float  # share of images whose most probable class is another
    decisions_changed: float  # share
    moved: tuple[Moved, ...]
    heatmap_median: float  # correlation of the map of the most probable class
    heatmap_fifth: float  # 5th percentile
    novelty_rank: float
    missed: tuple[str, ...]  # limits that are not met

    @property
    def met(self) -> bool:
        """Whether it may be packed."""
        return not self.missed


def outputs_of(
    graph: Graph, images: NDArray[np.uint8], advance: Callable[[int], object] | None = None
) -> Outputs:
    """What a form gives for [N, S, S, 3] images.

    Args:
        graph: the form.
        images: uint8.
        advance: called with how many more are done.
    """
    found = []
    for start in range(0, len(images), _BATCH):
        found.append(graph.run(images[start : start + _BATCH]))
        if advance:
            advance(len(found[-1].logits))
    return Outputs(
        *(np.concatenate([getattr(one, name) for one in found]) for name in Outputs.__dataclass_fields__)
    )


def compare(
    cases: Cases, before: Judged, after: Judged, limits: Limits | None = None, *, seed: int = 0
) -> Parity:
    """Compare a form with 32-bit floats.

    Args:
        cases: the images.
        before: what 32-bit floats say.
        after: what the form says.
        limits: what may change.
        seed: of the bootstrap.
    """
    limits = limits or Limits()
    t = cases.target
    apart = np.abs(after.probabilities[:, t] - before.probabilities[:, t])
    moved = np.flatnonzero(before.decision != after.decision)
    maps = _map_correlations(before, after)
    figures = {"all": _figures(cases, before, after, np.ones(len(apart), bool), seed)}
    for tone in ("light", "dark"):
        rows = cases.tone == tone
        if rows.any():
            figures[f"{tone} skin"] = _figures(cases, before, after, rows, seed)
    found = Parity(
        n=len(apart),
        figures=figures,
        mean_change=float(apart.mean()),
        largest_change=float(apart.max()),
        classes_changed=float((before.probabilities.argmax(1) != after.probabilities.argmax(1)).mean()),
        decisions_changed=len(moved) / len(apart),
        moved=tuple(
            Moved(
                str(cases.file[i]),
                str(before.decision[i]),
                str(after.decision[i]),
                float(before.probabilities[i, t]),
                float(after.probabilities[i, t]),
            )
            for i in moved
        ),
        heatmap_median=float(np.median(maps)),
        heatmap_fifth=float(np.percentile(maps, 5)),
        novelty_rank=_rank_correlation(before.novelty, after.novelty),
        missed=(),
    )
    return Parity(**{**vars(found), "missed": tuple(_missed(found, limits))})


def _missed(found: Parity, limits: Limits) -> list[str]:
    missed = [
        f"{name} loses {-change.difference * 100:.2f} points, {limits.points * 100:g} are allowed"
        for name, change in found.figures["all"].items()
        if name != "specificity" and change.difference < -limits.points - 1e-12
    ]
    for what, share_changed in (
        ("decisions", found.decisions_changed),
        ("most probable classes", found.classes_changed),
    ):
        if share_changed > limits.changed:
            missed.append(f"{share_changed:.2%} of the {what} change, {limits.changed:.0%} are allowed")
    if not found.heatmap_median >= limits.heatmap:
        missed.append(
            f"heat maps correlate with {found.heatmap_median:.4f} (median), at least {limits.heatmap:g} is asked"
        )
    if not found.novelty_rank >= limits.novelty:
        missed.append(
            f"novelty ranks correlate with {found.novelty_rank:.4f}, at least {limits.novelty:g} is asked"
        )
    return missed


def _figures(cases: Cases, before: Judged, after: Judged, rows: Bools, seed: int) -> dict[str, Change]:
    sure = (cases.truth >= 0) & rows
    positive, t = cases.positive, cases.target
    pairs: dict[str, tuple[Statistic, Statistic]] = {}
    if sure.sum() >= FEWEST:
        pairs["accuracy"] = _pair(
            lambda one: share(one.probabilities.argmax(1) == cases.truth, sure), before, after
        )
    if (positive & rows).sum() >= FEWEST:
        pairs["sensitivity"] = _pair(
            lambda one: share(one.probabilities[:, t] >= cases.threshold, positive & rows), before, after
        )
    if (~positive & rows).sum() >= FEWEST:
        pairs["specificity"] = _pair(
            lambda one: share(one.probabilities[:, t] < cases.threshold, ~positive & rows), before, after
        )
    if min((positive & rows).sum(), (~positive & rows).sum()) >= FEWEST:
        pairs["AUROC"] = _pair(lambda one: _auroc_in(one.probabilities[:, t], positive, rows), before, after)
    differences = {name: _difference(one, other) for name, (one, other) in pairs.items()}
    intervals = estimate(differences, cases.group.tolist(), seed=seed)
    found = {}
    for name, (one, other) in pairs.items():
        low, high = intervals[name].low, intervals[name].high
        if math.isnan(low):  # every resample alike: nothing changed
            low = high = other.value - one.value
        found[name] = Change(one.value, other.value, low, high, one.n)
    return found


def _pair(
    figure: Callable[[Judged], Statistic], before: Judged, after: Judged
) -> tuple[Statistic, Statistic]:
    return figure(before), figure(after)


def _difference(before: Statistic, after: Statistic) -> Statistic:
    """After - before as a figure of its own: both are taken over the same resample."""
    return Statistic(lambda weights: after.over(weights) - before.over(weights), before.rows, before.sides)


def _auroc_in(scores: Floats, positive: Bools, rows: Bools) -> Statistic:
    """AUROC within some rows, as a figure of all rows."""
    inside = auroc(scores[rows], positive[rows])
    return Statistic(lambda weights: inside.over(weights[:, rows]), rows, (positive & rows, ~positive & rows))


def _map_correlations(before: Judged, after: Judged) -> Floats:
    """[N] correlation of the map of the class that floats find most probable; two empty maps are alike."""
    rows = np.arange(len(before.probabilities))
    shown = before.probabilities.argmax(1)
    one = before.heatmap[rows, shown].reshape(len(rows), -1).astype(np.float64)
    other = after.heatmap[rows, shown].reshape(len(rows), -1).astype(np.float64)
    one -= one.mean(1, keepdims=True)
    other -= other.mean(1, keepdims=True)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    both_flat = (np.abs(one).max(1) == 0) & (np.abs(other).max(1) == 0)
    found: Floats = np.where(both_flat, 1.0, (one * other).sum(1) / np.where(norms > 0, norms, 1.0))
    return found


def _rank_correlation(one: Floats, other: Floats) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:  # no ranks to speak of
        return 1.0 if np.array_equal(one, other) else 0.0
    return float(spearmanr(one, other).statistic)
