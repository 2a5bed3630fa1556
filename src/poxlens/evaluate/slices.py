"""The figures of one slice of the predictions: all of them, one class, one source, one skin tone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.calibration import ece
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import brier, sensitivity, specificity
from poxlens.evaluate.predictions import Prediction
from poxlens.evaluate.ranking import auroc, average_precision
from poxlens.evaluate.statistic import Bools, Floats, Statistic, share

OUTCOMES = ("refer", "uncertain", "not_suspected", "cannot_assess")


@dataclass(frozen=True)
class Question:
    """What is asked of the predictions."""

    classes: tuple[str, ...]  # in the order of the probabilities
    target: str  # the class screened for
    rule_out: float  # below it: set aside
    rule_in: float  # at it and above: refer
    resamples: int = 2000
    seed: int = 0

    @property
    def place(self) -> int:
        """The target's place among the probabilities."""
        return self.classes.index(self.target)


@dataclass(frozen=True)
class Slice:
    """A part of the readable photos (or persons) and its figures."""

    kind: str  # "all", "class", "source", "skin tone", "ITA class", "body site", "stage"
    name: str
    n: int
    positives: int
    outcomes: dict[str, Estimate]  # outcome -> share of the slice
    figures: dict[str, Estimate]  # figure -> estimate, only those that are defined on the slice


def slice_of(kind: str, name: str, rows: Sequence[Prediction], question: Question) -> Slice:
    """The figures of some readable rows.

    Sensitivity and specificity are given twice, `uncertain` taken as found and as missed (as flagged and as
    cleared); of all readable photos, where a refused one is neither found nor cleared but sent to a person,
    and of the assessed ones. Ranking and calibration are of the assessed ones.

    Args:
        kind: of slice.
        name: of the slice.
        rows: readable ones.
        question: what is asked.
    """
    positive = np.array([row.class_ == question.target for row in rows], dtype=bool)
    outcome = np.array([row.outcome for row in rows], dtype=object)
    assessed = np.array([row.assessed for row in rows], dtype=bool)
    clusters = [row.cluster for row in rows]
    shares = {f"outcome.{name}": share(outcome == name) for name in OUTCOMES}
    found = estimate(
        {**shares, **_by_outcome(positive, outcome, assessed)},
        clusters,
        resamples=question.resamples,
        seed=question.seed,
    )
    inside = [row for row in rows if row.assessed]
    ranked = estimate(
        _by_score(inside, question),
        [row.cluster for row in inside],
        resamples=question.resamples,
        seed=question.seed,
    )
    outcomes = {key.removeprefix("outcome."): value for key, value in found.items() if key in shares}
    figures = {key: value for key, value in {**found, **ranked}.items() if key not in shares and value.n}
    defined = {key: value for key, value in figures.items() if not np.isnan(value.value)}
    return Slice(kind, name, len(rows), int(positive.sum()), outcomes, defined)


def _by_outcome(positive: Bools, outcome: np.ndarray, assessed: Bools) -> dict[str, Statistic]:
    refer, uncertain = outcome == "refer", outcome == "uncertain"
    cleared = outcome == "not_suspected"
    negative = ~positive
    return {
        "sensitivity, uncertain found": share(refer | uncertain, positive),
        "sensitivity, uncertain missed": share(refer, positive),
        "specificity, uncertain cleared": share(cleared | uncertain, negative),
        "specificity, uncertain flagged": share(cleared, negative),
        "missed": share(cleared, positive),
        "falsely referred": share(refer, negative),
        "sensitivity of assessed, uncertain found": share(refer | uncertain, positive & assessed),
        "sensitivity of assessed, uncertain missed": share(refer, positive & assessed),
        "specificity of assessed, uncertain cleared": share(cleared | uncertain, negative & assessed),
        "specificity of assessed, uncertain flagged": share(cleared, negative & assessed),
    }


def _by_score(rows: Sequence[Prediction], question: Question) -> dict[str, Statistic]:
    scores: Floats = np.array([row.probabilities[question.place] for row in rows], dtype=np.float64)
    positive = np.array([row.class_ == question.target for row in rows], dtype=bool)
    if not rows:
        return {}
    above, at = scores >= question.rule_out, scores >= question.rule_in
    points = {
        "rule-out sensitivity": sensitivity(positive, above),
        "rule-out specificity": specificity(positive, above),
        "rule-in sensitivity": sensitivity(positive, at),
        "rule-in specificity": specificity(positive, at),
    }
    if positive.all() or not positive.any():
        return points
    return {
        **points,
        "AUROC": auroc(scores, positive),
        "average precision": average_precision(scores, positive),
        "Brier score": brier(scores, positive),
        "ECE": ece(scores, positive),
    }
