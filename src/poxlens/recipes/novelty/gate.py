"""The gate end to end: its limit, whom it lets through, and what becomes of the photos it should stop.

The limit is the lowest at which the asked share of held-out images of the target, and of all held-out known images,
pass. What is said of a condition that was left out comes from heads, gates, thresholds and limits that never saw it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.calibration import softmax
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.statistic import Statistic, share
from poxlens.files import write_atomically
from poxlens.recipes.default import LABELS, Step, silent
from poxlens.recipes.evidence import OUTCOMES, Rule, as_interval, outcomes
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.run import Done, Part
from poxlens.recipes.novelty.study import Study
from poxlens.recipes.novelty.units import Scores
from poxlens.recipes.points import Points, Targets, choose_points
from poxlens.recipes.shipping import NOT_SKIN_FRACTION
from poxlens.train.novelty.limits import limit_for

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

GATES = ("gate", "residual")
"""Detectors that a bundle's graph can compute."""


@dataclass(frozen=True)
class Share:
    """A share of images with its interval."""

    what: str
    group: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Evidence:
    """All of one gate on one network."""

    network: str
    detector: str
    limit: float
    shares: tuple[Share, ...]

    def value(self, what: str, group: str) -> float:
        """One share.

        Raises:
            KeyError: it was not measured.
        """
        for one in self.shares:
            if (one.what, one.group) == (what, group):
                return one.value
        raise KeyError((what, group))


@dataclass(frozen=True, eq=False)
class _Fold:
    """What one unit says of some images."""

    rows: Ints
    logits: NDArray[np.float64]
    novelty: NDArray[np.float64]


def evaluate_gates(done: Done, study: Study, step: Step = silent) -> list[Evidence]:
    """Every gate of every network, on images as networks see them."""
    parts = [part for part in done.parts if not part.harmonised]
    found = []
    with step("gates", len(parts) * len(GATES)) as advance:
        for part in parts:
            for detector in GATES:
                if any(detector in scores.scores for scores in part.scores.values()):
                    found.append(_evidence(part, detector, done.cases, study))
                advance()
    return found


def write_gates(out: Path, gates: Sequence[Evidence]) -> Path:
    """gate.json."""
    path = out / "gate.json"
    told: list[dict[str, Any]] = [asdict(one) for one in gates]
    write_atomically(path, json.dumps(told, indent=1) + "\n")
    return path


def _evidence(part: Part, detector: str, cases: Cases, study: Study) -> Evidence:
    shares: list[Share] = []
    points, folds = _thresholds(part, "", detector, cases, study)
    limit = _limit(folds, cases, study)
    shares += _acceptance(folds, limit, cases, study)
    shares += _unseen_sources(part, detector, limit, cases, study)
    if points is not None:
        rule = _rule(folds, points, limit, study)
        shares += _shares_of(folds, rule, {study.target: cases.condition == study.target}, cases)
        open_rule = replace(rule, novelty_limit=float("inf"))
        shares += _shares_of(
            folds, open_rule, {f"{study.target}, without the gate": cases.condition == study.target}, cases
        )
    for name in cases.conditions:
        if name != study.target and name != "patch":
            shares += _left_out(part, detector, name, folds, limit, points, cases, study)
    return Evidence(part.network, detector, limit, tuple(shares))


def _left_out(
    part: Part,
    detector: str,
    name: str,
    base: Sequence[_Fold],
    base_limit: float,
    base_points: Points | None,
    cases: Cases,
    study: Study,
) -> list[Share]:
    """What becomes of a condition that neither head nor gate has seen."""
    rows = (cases.condition == name) & cases.counted
    if ": " in name:
        folds = _with_logits(_folds(part, name, detector), base) or list(base)
        limit = _limit(folds, cases, study)
        found = _refused(f"{name}, kind never seen", folds, rows, limit, cases)
        found += _refused(f"{name}, kind seen", base, rows, base_limit, cases)
        if base_points is not None:
            rule = _rule(folds, base_points, limit, study)
            found += _shares_of(folds, rule, {name: rows}, cases)
        return found
    points, folds = _thresholds(part, name, detector, cases, study)
    if not folds:  # known, and never left out
        return []
    limit = _limit(folds, cases, study)
    found = _refused(name, folds, rows, limit, cases)
    if points is not None:
        rule = _rule(folds, points, limit, study)
        found += _shares_of(folds, rule, {name: rows}, cases)
        found += _shares_of(
            folds, replace(rule, novelty_limit=float("inf")), {f"{name}, without the gate": rows}, cases
        )
    return found


def _folds(part: Part, left_out: str, detector: str) -> list[_Fold]:
    return [
        _Fold(
            scores.rows,
            scores.logits.astype(np.float64),
            scores.scores[detector].astype(np.float64),
        )
        for unit, scores in part.scores.items()
        if unit.fold >= 0 and unit.left_out == left_out and detector in scores.scores
    ]


def _with_logits(folds: Sequence[_Fold], base: Sequence[_Fold]) -> list[_Fold]:
    """Gates that never saw a kind, with the logits of the heads of the same folds: heads see no outliers anyway."""
    found = []
    for fold, other in zip(folds, base, strict=False):
        order = np.argsort(other.rows)
        place = order[np.searchsorted(other.rows[order], fold.rows)]
        found.append(replace(fold, logits=other.logits[place]))
    return found


def _thresholds(
    part: Part, left_out: str, detector: str, cases: Cases, study: Study
) -> tuple[Points | None, list[_Fold]]:
    """Temperature and thresholds by the recipe's own rule, from heads without a condition; None without its units."""
    folds = _folds(part, left_out, detector)
    repeats = _by_repeat(part, left_out)
    if not repeats or not folds:
        return None, folds
    learnt = _learnt(left_out, cases)
    count, classes = len(cases.table.possible), _classes(folds)
    logits = np.full((len(repeats), count, len(classes)), np.nan)
    for number, units in enumerate(repeats):
        for scores in units:
            inside = scores.rows < count
            logits[number, scores.rows[inside]] = scores.logits[inside][:, classes]
    sources = {}
    for unit, scores in part.scores.items():
        if unit.fold < 0 and unit.left_out == left_out:
            one = np.full((count, len(classes)), np.nan)
            held = scores.logits[:, classes].astype(np.float64)
            # a class that only the source left out has is never the answer
            one[scores.rows] = np.where(np.isfinite(held), held, np.nanmin(held, 1, keepdims=True) - 10)
            sources[cases.table.target_sources[-1 - unit.fold]] = one
    rows = np.isfinite(logits).all((0, 2)) & learnt
    points = choose_points(
        logits[:, rows],
        {name: values[rows] for name, values in sources.items()},
        cases.table.possible[rows][:, classes],
        cases.table.source[rows],
        tuple(LABELS.classes[place] for place in classes),
        study.target,
        Targets(known_accepted=study.protocol.accepted),
    )
    return points, folds


def _by_repeat(part: Part, left_out: str) -> list[list[Scores]]:
    found: dict[int, list[Scores]] = {}
    for unit, scores in part.scores.items():
        if unit.fold >= 0 and unit.left_out == left_out:
            found.setdefault(unit.repeat, []).append(scores)
    return list(found.values())


def _learnt(left_out: str, cases: Cases) -> Bools:
    """[K], images of the table that are tested as known: of no condition that is left out."""
    count = len(cases.table.possible)
    found = cases.table.learnable & (cases.condition[:count] != "normal")
    if left_out and ": " not in left_out:
        found &= cases.condition[:count] != left_out
    if left_out == "normal":
        found &= cases.condition[:count] != "patch"
    return np.asarray(found, bool)


def _classes(folds: Sequence[_Fold]) -> Ints:
    """Classes that a head was taught: their logits are numbers."""
    return np.flatnonzero(np.isfinite(folds[0].logits).all(0))


def _limit(folds: Sequence[_Fold], cases: Cases, study: Study) -> float:
    """From all held-out known images of all folds."""
    rows = np.concatenate([fold.rows for fold in folds])
    novelty = np.concatenate([fold.novelty for fold in folds])
    known = _is_known(folds, cases)[rows] & np.isfinite(novelty)
    return limit_for(
        novelty[known],
        {study.target: cases.condition[rows][known] == study.target, "known": np.ones(known.sum(), bool)},
        study.protocol.accepted,
    )


def _is_known(folds: Sequence[_Fold], cases: Cases) -> Bools:
    """[N], images that are tested in one fold of a repeat only: a condition left out is tested in all."""
    rows = np.concatenate([fold.rows for fold in folds])
    least = np.bincount(rows, minlength=len(cases.file))
    return np.asarray(cases.known & (least == least[cases.known & (least > 0)].min()), bool)


def _acceptance(folds: Sequence[_Fold], limit: float, cases: Cases, study: Study) -> list[Share]:
    """The share let through, of each known condition, and of light and dark skin."""
    known = _is_known(folds, cases) & (cases.condition != "")
    target = cases.condition == study.target
    groups = {"known": known, study.target: known & target}
    groups |= {name: known & (cases.condition == name) for name in cases.conditions if name != study.target}
    for tone in ("light", "dark"):
        groups[f"{tone} skin"] = known & (cases.tone == tone)
        groups[f"{study.target}, {tone} skin"] = known & target & (cases.tone == tone)
    found = []
    for name, rows in groups.items():
        found += _told("accepted", name, folds, rows, cases, lambda fold: fold.novelty <= limit)
    return found


def _unseen_sources(part: Part, detector: str, limit: float, cases: Cases, study: Study) -> list[Share]:
    """The share let through of a source that was not learnt from, of the target and of all."""
    found = []
    for unit, scores in part.scores.items():
        if unit.fold < 0 and unit.left_out == "" and detector in scores.scores:
            source = cases.table.target_sources[-1 - unit.fold]
            fold = _Fold(
                scores.rows, scores.logits.astype(np.float64), scores.scores[detector].astype(np.float64)
            )
            close = cases.condition != study.images.normal
            for name, rows in (
                (f"source {source}, never seen", close),
                (f"{study.target} of source {source}, never seen", cases.condition == study.target),
            ):
                found += _told("accepted", name, [fold], rows, cases, lambda one: one.novelty <= limit)
    return found


def _refused(name: str, folds: Sequence[_Fold], rows: Bools, limit: float, cases: Cases) -> list[Share]:
    """The share refused by the gate alone, by the reason that is told, and with the quality checks before it."""
    little = cases.skin < NOT_SKIN_FRACTION

    def over(fold: _Fold) -> Bools:
        return np.asarray(fold.novelty > limit)

    return [
        *_told("refused", name, folds, rows, cases, over),
        *_told("novel.not_skin", name, folds, rows, cases, lambda fold: over(fold) & little[fold.rows]),
        *_told("novel.unknown", name, folds, rows, cases, lambda fold: over(fold) & ~little[fold.rows]),
        *_told("quality", name, folds, rows, cases, lambda fold: ~cases.usable[fold.rows]),
        *_told(
            "refused, quality included", name, folds, rows, cases, lambda f: over(f) | ~cases.usable[f.rows]
        ),
    ]


def _rule(folds: Sequence[_Fold], points: Points, limit: float, study: Study) -> Rule:
    names = tuple(LABELS.classes[place] for place in _classes(folds))
    return Rule(names, study.target, points, limit)


def _shares_of(folds: Sequence[_Fold], rule: Rule, groups: Mapping[str, Bools], cases: Cases) -> list[Share]:
    """The share of each outcome."""
    classes = _classes(folds)
    found = []
    judged = {
        id(fold): outcomes(
            softmax(fold.logits[:, classes], rule.points.temperature),
            cases.usable[fold.rows],
            fold.novelty,
            rule,
        )
        for fold in folds
    }
    for name, rows in groups.items():
        for outcome in OUTCOMES:
            found += _told(
                outcome, name, folds, rows, cases, lambda fold, wanted=outcome: judged[id(fold)] == wanted
            )
    return found


def _told(what: str, name: str, folds: Sequence[_Fold], rows: Bools, cases: Cases, hit: Any) -> list[Share]:
    """The mean over folds of a share of some images, with an interval over groups; nothing without images."""
    parts: list[tuple[Ints, Bools]] = []
    for fold in folds:
        inside = rows[fold.rows] & np.isfinite(fold.novelty)
        if inside.any():
            parts.append((fold.rows[inside], np.asarray(hit(fold), bool)[inside]))
    if not parts:
        return []
    numbers = np.unique(np.concatenate([places for places, _ in parts]))
    held = np.concatenate([places for places, _ in parts])
    hits = np.concatenate([hit_ for _, hit_ in parts])
    place = np.searchsorted(numbers, held)
    # images tested in several folds count once, with the mean of what was said of them
    times = np.bincount(place, minlength=len(numbers))
    mean = np.bincount(place, weights=hits, minlength=len(numbers)) / times
    value = _estimate(mean, cases.group[numbers])
    interval = as_interval(value)
    if interval is None:
        return []
    return [Share(what, name, interval.value, interval.low, interval.high, len(numbers))]


def _estimate(mean: NDArray[np.float64], groups: Ints) -> Estimate:
    if np.isin(mean, (0.0, 1.0)).all():
        return estimate({"x": share(mean == 1.0)}, groups.tolist())["x"]

    def over(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        whole: NDArray[np.float64] = weights @ mean / np.maximum(weights.sum(1), 1e-12)
        return whole

    rows = np.ones(len(mean), bool)
    return estimate({"x": Statistic(over, rows, (mean > 0.5, mean <= 0.5))}, groups.tolist())["x"]
