"""Calibration, thresholds, conformal quantiles and the novelty limit, from predictions on images not learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.calibration import fit_temperature, softmax
from poxlens.evaluate.conformal import ClassQuantile, class_quantiles
from poxlens.evaluate.operating import rule_in_threshold, rule_out_threshold

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Targets:
    """What the thresholds must reach, out of fold."""

    sensitivity: float = 0.95  # of the rule-out point, in every source
    specificity: float = 0.95  # of the rule-in point, in every class and with a source left out
    specificity_other: float = 0.98  # of the rule-in point in classes that are not infections like the target
    other: tuple[str, ...] = ("acne", "other-rash", "healthy")
    alpha: float = 0.05  # conformal: a class is missing from its own images' sets at most this often
    known_accepted: float = 0.97  # share of images of a source never seen that pass the novelty gate


@dataclass(frozen=True)
class Points:
    """What a bundle decides with."""

    temperature: float
    rule_out: float  # probability of the target
    rule_in: float
    quantiles: tuple[ClassQuantile, ...]  # one a class


def truth(possible: Bools) -> NDArray[np.int64]:
    """[N] class number, or -1 where more than one class is possible."""
    return np.where(possible.sum(1) == 1, possible.argmax(1), -1)


def temperature_of(logits: Floats, possible: Bools) -> float:
    """Temperature from [R, N, C] out-of-fold logits of images whose class is sure."""
    sure = truth(possible) >= 0
    flat = logits[:, sure].reshape(-1, logits.shape[2])
    labels = np.tile(truth(possible)[sure], len(logits))
    return fit_temperature(flat, labels)


def choose_points(
    out_of_fold: Floats,
    left_out: Mapping[str, Floats],
    possible: Bools,
    source: NDArray[np.str_],
    classes: tuple[str, ...],
    target: str,
    targets: Targets,
) -> Points:
    """Thresholds that hold in every source.

    The rule-out point is the least of those that each source of the target needs, out of fold; the rule-in point
    the greatest of those that each class of negatives needs, out of fold, and each source left out of training.
    A rule-out point that held on a source left out as well would clear hardly anybody: the evidence tells its
    price ("specificity at a threshold that finds 95 % here").

    Args:
        out_of_fold: [R, N, C] logits.
        left_out: source -> [N, C] logits of a head that never saw the source, NaN elsewhere; none where all images
            of the target are of one source.
        possible: [N, C].
        source: [N].
        classes: names, in the order of the logits.
        target: the class that is screened for.
        targets: what to reach.
    """
    place = classes.index(target)
    temperature = temperature_of(out_of_fold, possible)
    inside = np.stack([softmax(logits, temperature)[:, place] for logits in out_of_fold])
    outside = {name: softmax(logits, temperature)[:, place] for name, logits in left_out.items()}
    positive, negative = possible[:, place], ~possible[:, place]
    rule_in = []
    rule_out = [_out(inside[:, positive & (source == name)], targets) for name in np.unique(source[positive])]
    for name, scores in outside.items():
        rows = source == name
        if (rows & negative).any():  # a source may hold the target alone
            rule_in.append(_in(scores[rows & negative], targets.specificity))
    for number, name in enumerate(classes):
        rows = negative & possible[:, number]
        if number != place and rows.any():
            wanted = targets.specificity_other if name in targets.other else targets.specificity
            rule_in.append(_in(inside[:, rows], wanted))
    sure = truth(possible) >= 0
    each = [
        class_quantiles(softmax(logits[sure], temperature), truth(possible)[sure], targets.alpha)
        for logits in out_of_fold
    ]
    quantiles = tuple(
        # The mean over repeats: pooling them would count every image several times.
        ClassQuantile(float(np.mean([one.quantile for one in repeats])), repeats[0].n)
        for repeats in zip(*each, strict=True)
    )
    highest = min(1.0, max(rule_in, default=1.0))
    return Points(temperature, min(*rule_out, highest), highest, quantiles)


def _out(scores: Floats, targets: Targets) -> float:
    flat = scores.ravel()
    return rule_out_threshold(flat, np.ones(flat.size, bool), targets.sensitivity)


def _in(scores: Floats, wanted: float) -> float:
    flat = scores.ravel()
    return rule_in_threshold(flat, np.zeros(flat.size, bool), wanted)
