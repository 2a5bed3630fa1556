"""The figures of a bundle, each with its interval and n, from the run's predictions file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.bundle.manifest import Figure, Interval
from poxlens.evaluate.calibration import ece, softmax
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1, sensitivity, specificity
from poxlens.evaluate.operating import rule_out_threshold
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Statistic, share
from poxlens.recipes.points import Points, temperature_of, truth
from poxlens.recipes.predictions import Predicted

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Figurer = Callable[[Floats], Statistic]  # probabilities [N, C] -> a figure of them

OUTCOMES = ("refer", "uncertain", "not_suspected", "cannot_assess")
FEWEST = 10  # cases of a side below which no figure is given


@dataclass(frozen=True)
class Rule:
    """What turns predictions into outcomes."""

    classes: tuple[str, ...]
    target: str
    points: Points
    novelty_limit: float
    top_probability: float = 0.6

    @property
    def place(self) -> int:
        """The target's place among the classes."""
        return self.classes.index(self.target)


def over_repeats(figures: Sequence[Statistic]) -> Statistic:
    """The mean of one figure over repeats, as a figure: its resamples draw the same groups in every repeat."""

    def over(weights: Floats) -> Floats:
        mean: Floats = np.mean([figure.over(weights) for figure in figures], axis=0)
        return mean

    first = figures[0]
    return Statistic(over, first.rows, first.sides, biased=first.biased)


def outcomes(probabilities: Floats, rows_usable: Bools, novelty: Floats, rule: Rule) -> NDArray[np.str_]:
    """[N] outcome of [N, C] probabilities by the design's rule, quality and novelty gates included."""
    p = probabilities[:, rule.place]
    in_set = 1 - p <= rule.points.quantiles[rule.place].quantile
    clear = (p < rule.points.rule_out) & ~in_set & (probabilities.max(1) >= rule.top_probability)
    limits = np.array([quantile.quantile for quantile in rule.points.quantiles])
    clear &= (1 - probabilities <= limits).any(1)
    judged = np.where(p >= rule.points.rule_in, "refer", np.where(clear, "not_suspected", "uncertain"))
    return np.where(rows_usable & (novelty <= rule.novelty_limit), judged, "cannot_assess")


def figures_of(experiments: Mapping[str, Predicted], rule: Rule, *, seed: int = 0) -> list[Figure]:
    """All figures of a run.

    Args:
        experiments: what `read_predictions` gives: "strict" (the protocol's own), "random", "loose", "left out:
            SOURCE" and "shortcut: NAME".
        rule: how outcomes follow.
        seed: of the bootstrap.
    """
    strict = experiments["strict"]
    found = [*_ranking("strict filter", strict, rule, seed)]
    for name in ("grouped filter", "random filter", "loose filter"):
        if name in experiments:
            found += _ranking(name, experiments[name], rule, seed)
    found += _calibration(strict, rule, seed)
    everything = np.ones(len(strict.rows.file), bool)
    found += _shares("all", strict, everything, rule, seed)
    found += _decisions("all", strict, everything, rule, seed)
    for tone in ("light", "dark"):
        found += _decisions(f"{tone} skin", strict, strict.rows.tone == tone, rule, seed)
        found += _skin_ranking(tone, strict, rule, seed)
    for source in np.unique(strict.rows.source):
        found += _decisions(f"source {source}", strict, strict.rows.source == source, rule, seed)
    for number, name in enumerate(rule.classes):
        of_class = strict.rows.possible[:, number] & (strict.rows.possible.sum(1) == 1)
        found += _shares(f"class {name}", strict, of_class, rule, seed)
    for name, predicted in experiments.items():
        if name.startswith("left out: "):
            source = name.removeprefix("left out: ")
            rows = np.ones(len(predicted.rows.file), bool)
            found += _decisions(f"{source}, never seen in training", predicted, rows, rule, seed)
            found += _ranking(f"{source}, never seen in training", predicted, rule, seed, brief=True)
            found += _price(f"{source}, never seen in training", predicted, rule, seed)
        if name.startswith("shortcut: "):
            found += _ranking(name, predicted, rule, seed, brief=True)
    return found


def _ranking(group: str, predicted: Predicted, rule: Rule, seed: int, *, brief: bool = False) -> list[Figure]:
    """AUROC of the target over all known images and, where a source tells rashes alike apart, within it."""
    rows = predicted.rows
    positive = rows.possible[:, rule.place]
    found = _estimates(group, predicted, {"AUROC": lambda p: auroc(p[:, rule.place], positive)}, rule, seed)
    for source in np.unique(rows.source):
        inside = rows.source == source
        part = part_of(predicted, inside & _like_target(rows.possible, rule))
        if _enough(part.rows.possible[:, rule.place]):
            found += _estimates(f"{source} rashes, {group}", part, _told_apart(part, rule), rule, seed)
        if not brief:
            found += _several_classes(source, group, part_of(predicted, inside), rule, seed)
    return found


def _told_apart(part: Predicted, rule: Rule) -> dict[str, Figurer]:
    """Accuracy and AUROC of the target among the rashes it is mistaken for first."""
    rash = part.rows.possible[:, rule.place]
    return {
        "accuracy": lambda p: accuracy(rash.astype(int), (_among(p, rule) > 0.5).astype(int)),
        "AUROC": lambda p: auroc(_among(p, rule), rash),
    }


def _several_classes(source: str, group: str, predicted: Predicted, rule: Rule, seed: int) -> list[Figure]:
    """Macro F1 and accuracy among the classes that one source holds, whole photos only."""
    rows = predicted.rows
    part = part_of(predicted, (rows.part == "") & (truth(rows.possible) >= 0))
    labels = truth(part.rows.possible)
    held = np.unique(labels)
    if len(held) < 3:
        return []
    told = np.searchsorted(held, labels)
    name = f"{source} {len(held)} classes, {group}"
    return _estimates(
        name,
        part,
        {
            "macro F1": lambda p: macro_f1(told, p[:, held].argmax(1), len(held)),
            "accuracy": lambda p: accuracy(told, p[:, held].argmax(1)),
        },
        rule,
        seed,
    )


def _like_target(possible: Bools, rule: Rule) -> Bools:
    """Images of the target or of the rashes it is mistaken for first."""
    alike = [
        rule.classes.index(name) for name in (rule.target, "chickenpox", "measles") if name in rule.classes
    ]
    return np.asarray(possible[:, alike].any(1), bool)


def _among(probabilities: Floats, rule: Rule) -> Floats:
    """[N] probability of the target renormalised over the rashes it is mistaken for first."""
    alike = [
        rule.classes.index(name) for name in (rule.target, "chickenpox", "measles") if name in rule.classes
    ]
    return np.asarray(probabilities[:, rule.place] / probabilities[:, alike].sum(1))


def _calibration(predicted: Predicted, rule: Rule, seed: int) -> list[Figure]:
    """ECE of the target's probability before and after temperature scaling; after: fitted on the other folds."""
    positive = predicted.rows.possible[:, rule.place]
    before = [ece(softmax(z)[:, rule.place], positive) for z in predicted.logits]
    after = [
        ece(softmax_cross_fitted(predicted, r)[:, rule.place], positive) for r in range(len(predicted.logits))
    ]
    found = estimate(
        {"ECE before": over_repeats(before), "ECE": over_repeats(after)},
        predicted.rows.group.tolist(),
        seed=seed,
    )
    return [
        Figure(name, "all", interval) for name, value in found.items() if (interval := as_interval(value))
    ]


def softmax_cross_fitted(predicted: Predicted, repeat: int) -> Floats:
    """[N, C] probabilities of one repeat, each fold's temperature fitted on the other folds."""
    logits, fold = predicted.logits[repeat], predicted.fold[repeat]
    probabilities: Floats = np.empty(logits.shape)
    for k in np.unique(fold):
        others = fold != k
        temperature = temperature_of(logits[None, others], predicted.rows.possible[others])
        probabilities[~others] = softmax(logits[~others], temperature)
    return probabilities


def _skin_ranking(tone: str, predicted: Predicted, rule: Rule, seed: int) -> list[Figure]:
    part = part_of(predicted, predicted.rows.tone == tone)
    positive = part.rows.possible[:, rule.place]
    if not _enough(positive):
        return []
    return _estimates(
        f"{tone} skin", part, {"AUROC": lambda p: auroc(p[:, rule.place], positive)}, rule, seed
    )


def _decisions(group: str, predicted: Predicted, rows: Bools, rule: Rule, seed: int) -> list[Figure]:
    """Sensitivity and specificity at both thresholds, and what comes out with all gates."""
    part = part_of(predicted, rows)
    positive = part.rows.possible[:, rule.place]
    if not len(positive):
        return []
    figures: dict[str, Figurer] = {}
    for name, threshold in (("rule-out", rule.points.rule_out), ("rule-in", rule.points.rule_in)):
        if positive.sum() >= FEWEST:
            figures[f"sensitivity, {name}"] = _at(sensitivity, positive, threshold, rule)
        if (~positive).sum() >= FEWEST:
            figures[f"specificity, {name}"] = _at(specificity, positive, threshold, rule)
    found = _estimates(group, part, figures, rule, seed) if figures else []
    if positive.sum() >= FEWEST:
        found += _shares(f"{group}, {rule.target}", part, positive, rule, seed)
    if (~positive).sum() >= FEWEST:
        found += _shares(f"{group}, not {rule.target}", part, ~positive, rule, seed)
    return found


def _price(group: str, predicted: Predicted, rule: Rule, seed: int) -> list[Figure]:
    """What finding 95 % of a source never seen would cost: specificity at the threshold read off that source."""
    positive = predicted.rows.possible[:, rule.place]
    if not _enough(positive):
        return []
    scores = softmax(predicted.logits[0], rule.points.temperature)[:, rule.place]
    threshold = rule_out_threshold(scores, positive)
    name = "specificity at a threshold that finds 95 % here"
    return _estimates(group, predicted, {name: _at(specificity, positive, threshold, rule)}, rule, seed)


def _at(
    figure: Callable[[Bools, Bools], Statistic], positive: Bools, threshold: float, rule: Rule
) -> Figurer:
    return lambda p: figure(positive, p[:, rule.place] >= threshold)


def _shares(group: str, predicted: Predicted, rows: Bools, rule: Rule, seed: int) -> list[Figure]:
    """The share of each outcome, and of photos that get an answer (refer or not_suspected)."""
    part = part_of(predicted, rows)
    if len(part.rows.file) < FEWEST:
        return []

    def share_of(*names: str) -> Figurer:
        return lambda p: share(np.isin(outcomes(p, part.rows.usable, part.rows.novelty, rule), names))

    figures = {name: share_of(name) for name in OUTCOMES}
    figures["refer or not_suspected"] = share_of("refer", "not_suspected")
    return _estimates(group, part, figures, rule, seed)


def _estimates(
    group: str,
    predicted: Predicted,
    figures: Mapping[str, Figurer],
    rule: Rule,
    seed: int,
) -> list[Figure]:
    probabilities = [softmax(z, rule.points.temperature) for z in predicted.logits]
    averaged = {name: over_repeats([figure(p) for p in probabilities]) for name, figure in figures.items()}
    found = estimate(averaged, predicted.rows.group.tolist(), seed=seed)
    return [
        Figure(name, group, interval) for name, value in found.items() if (interval := as_interval(value))
    ]


def as_interval(value: Estimate) -> Interval | None:
    """The bundle's form of a figure; None when it is not defined. Without an interval of its own (all
    resamples alike) the bounds are the figure itself.
    """
    if math.isnan(value.value):
        return None
    low = value.value if math.isnan(value.low) else min(value.low, value.value)
    high = value.value if math.isnan(value.high) else max(value.high, value.value)
    return Interval(round(value.value, 5), round(low, 5), round(high, 5), value.n)


def part_of(predicted: Predicted, rows: Bools) -> Predicted:
    """The predictions of some samples [N]."""
    kept = {name: values[rows] for name, values in vars(predicted.rows).items()}
    return Predicted(type(predicted.rows)(**kept), predicted.logits[:, rows], predicted.fold[:, rows])


def _enough(positive: Bools) -> bool:
    return bool(positive.sum() >= FEWEST and (~positive).sum() >= FEWEST)
