"""One unit of work: detectors fitted without one condition on one fold, and their scores of what was left out.

What is left out: nothing, one near condition, plain skin, or one kind of outlier. A condition that MSLD does not tell
from another ("others": chickenpox or measles) is left out with either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from poxlens.errors import TrainingError
from poxlens.recipes.default import LABELS
from poxlens.recipes.novelty.embed import Embedded
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.methods import METHODS, Material, fit
from poxlens.recipes.novelty.study import Study
from poxlens.train.heads import LinearProblem, Preconditioner
from poxlens.train.novelty.seen import Floats, Known, Seen

Bools = NDArray[np.bool_]

STRENGTH = 0.01  # of the head: the middle one of the recipe, which nested folds choose most often
ALONE = "all but the target"  # left out: detectors learn from the target alone, as MIM does


@dataclass(frozen=True)
class Unit:
    """What is fitted and tested."""

    repeat: int
    fold: int  # below 0: a whole source of the target is tested, -1 the first
    left_out: str  # condition, ALONE, or "" for nothing


@dataclass(frozen=True, eq=False)
class Scores:
    """What a unit found."""

    rows: NDArray[np.int64]  # [M], places among the cases
    logits: Floats  # [M, C], of the classes that were learnt; NaN where a class was left out
    scores: dict[str, Floats]  # detector -> [M]


def units(study: Study, cases: Cases) -> list[Unit]:
    """All of a network, in the order they are done."""
    kinds = [name for name in cases.conditions if ": " in name]
    left = ["", ALONE, *study.images.near]
    left += [study.images.normal] if study.images.normal in cases.conditions else []
    protocol = study.protocol
    found = [
        Unit(repeat, fold, name)
        for repeat in range(protocol.repeats)
        for fold in range(protocol.folds)
        for name in [*left, *kinds]
    ]
    sources = range(len(cases.table.target_sources))
    return found + [Unit(0, -1 - source, name) for source in sources for name in left if name != ALONE]


def deal(cases: Cases, study: Study, repeat: int) -> NDArray[np.int64]:
    """[N] fold of each image, groups whole, conditions spread evenly; outliers are dealt too.

    Raises:
        TrainingError: fewer groups than folds.
    """
    folds = study.protocol.folds
    stratum = np.where(cases.known, np.char.add("k", _padded(cases)), cases.condition)
    groups = len(np.unique(cases.group))
    if groups < folds:
        raise TrainingError(f"{groups} independent groups of images are too few for {folds} folds")
    found = np.empty(len(stratum), np.int64)
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=study.protocol.seed + 1000 * repeat)
    for number, (_, test) in enumerate(dealer.split(stratum, stratum, cases.group)):
        found[test] = number
    return found


def run_unit(
    unit: Unit,
    fold: NDArray[np.int64],
    cases: Cases,
    embedded: Embedded,
    study: Study,
    detectors: Sequence[str],
    preconditioner: Preconditioner,
) -> Scores:
    """Fit and score.

    Args:
        unit: what.
        fold: [N], of `deal`.
        cases: the images.
        embedded: their embeddings.
        study: names of labels.
        detectors: which; those that cannot be fitted in this unit are left out.
        preconditioner: of the known images' embeddings.

    Raises:
        TrainingError: nothing of the target is left to learn from.
    """
    chosen = fitted(unit, detectors)
    left = left_out_rows(unit.left_out, cases, study)
    test = _tested(unit, fold, left, cases, study)
    table, count = cases.table, len(cases.table.possible)
    held = np.zeros(count, bool)
    held[test[test < count]] = True
    learnt = table.grouping.strict(held) & table.learnable & ~left[:count]
    if unit.fold < 0:
        learnt &= table.source != table.target_sources[-1 - unit.fold]
    classes = np.flatnonzero(table.possible[learnt].any(0))
    if not (learnt & (cases.condition[:count] == study.target)).any():
        raise TrainingError(f'nothing of "{study.target}" is left to learn from in fold {unit.fold + 1}')
    logits = np.full((len(test), table.possible.shape[1]), np.nan, np.float32)
    with threadpool_limits(1):
        rows = np.flatnonzero(learnt)
        if unit.left_out == ALONE or ": " in unit.left_out:  # no detector of these looks at logits
            weight = np.zeros((embedded.learnt.shape[1], len(classes)), np.float32)
            bias = np.zeros(len(classes), np.float32)
        else:
            possible, weights = table.possible[rows][:, classes], table.weight[rows]
            problem = LinearProblem(embedded.learnt[rows], possible, STRENGTH, preconditioner, weights)
            weight, bias = problem.fit().folded()
            logits[:, classes] = embedded.tested[test] @ weight + bias
        known = rows[_close(cases, study)[rows]]
        if unit.left_out == ALONE:
            known = known[cases.condition[known] == study.target]
        material = _material(unit, known, classes, (weight, bias), fold, cases, embedded, study)
        seen = _seen(embedded, test, logits[:, classes])
        scores = {name: fit(name, material).score(seen).astype(np.float32) for name in chosen}
    if unit.left_out == "" and unit.fold >= 0:
        learnt_from = ~cases.known[test] & (fold[test] != unit.fold)
        for name in chosen:
            if METHODS[name].outliers:
                scores[name][learnt_from] = np.nan
    return Scores(test, logits, scores)


def left_out_rows(name: str, cases: Cases, study: Study) -> Bools:
    """[N], images that are not learnt from because of what is left out."""
    label = np.array([stratum.split(": ")[-1] for stratum in cases.table.stratum.tolist()])
    found = cases.condition == name
    count = len(label)
    if name == study.images.normal:
        found[:count] |= label == "patch"
    meant = LABELS.meaning.get(name, ())
    several = {
        other for other, classes in LABELS.meaning.items() if len(classes) > 1 and set(classes) & set(meant)
    }
    found[:count] |= np.isin(label, list(several))
    return np.asarray(found, bool)


def fitted(unit: Unit, detectors: Sequence[str]) -> list[str]:
    """Detectors that this unit says something about."""
    if unit.fold < 0:  # sources left out: for thresholds, and for what a gate says of a source never seen
        return [name for name in detectors if METHODS[name].outliers or name == "residual"]
    if unit.left_out == ALONE:
        return [name for name in detectors if not METHODS[name].labels and not METHODS[name].outliers]
    if ": " in unit.left_out:
        return [name for name in detectors if METHODS[name].outliers]
    return list(detectors)


def _tested(
    unit: Unit, fold: NDArray[np.int64], left: Bools, cases: Cases, study: Study
) -> NDArray[np.int64]:
    """Known images of the fold, and what is left out; with nothing left out, outliers too. Or a whole source."""
    if unit.fold < 0:
        source = cases.table.source == cases.table.target_sources[-1 - unit.fold]
        return np.flatnonzero(source & cases.table.learnable & ~left[: len(source)])
    here = fold == unit.fold
    known = cases.known & here & ~left
    if unit.left_out == "":
        normal = cases.known & (cases.condition == study.images.normal)
        return np.flatnonzero((known & ~normal) | ~cases.known)
    if unit.left_out == ALONE:
        target = cases.known & here & (cases.condition == study.target)
        return np.flatnonzero(target | (cases.counted & (cases.condition != study.target)))
    unknown = left & cases.counted
    return np.flatnonzero((known & (cases.condition != study.images.normal)) | unknown)


def _material(
    unit: Unit,
    known: NDArray[np.int64],
    classes: NDArray[np.int64],
    head: tuple[Floats, Floats],
    fold: NDArray[np.int64],
    cases: Cases,
    embedded: Embedded,
    study: Study,
) -> Material:
    possible = cases.table.possible[known][:, classes]
    truth = np.where(possible.sum(1) == 1, possible.argmax(1), -1)
    if unit.left_out == ALONE:
        truth = np.zeros(len(known), np.int64)
    else:  # a class may be left without a sure image
        sure = np.unique(truth[truth >= 0])
        truth = np.where(truth >= 0, np.searchsorted(sure, truth), -1)
    weight, bias = head
    outliers = {}
    for family in dict.fromkeys(cases.family[~cases.known].tolist()):
        rows = (cases.family == family) & (cases.condition != unit.left_out)
        if unit.left_out == "" and unit.fold >= 0:
            rows &= fold != unit.fold
        outliers[family] = embedded.learnt[rows]
    seen = _seen(embedded, known, embedded.learnt[known] @ weight + bias, learnt=True)
    target = int(np.flatnonzero(classes == LABELS.classes.index(study.target))[0])
    return Material(
        Known(seen, truth.astype(np.int64), weight, bias),
        embedded.tested[known],
        cases.group[known],
        target,
        outliers,
    )


def _seen(embedded: Embedded, rows: NDArray[np.int64], logits: Floats, *, learnt: bool = False) -> Seen:
    features = embedded.learnt if learnt else embedded.tested
    patches = embedded.patches[rows].astype(np.float32) if len(embedded.patches) else None
    return Seen(features[rows], logits, patches)


def _close(cases: Cases, study: Study) -> Bools:
    """[N], close-ups: detectors learn from these, not from photos of whole people."""
    return np.asarray(cases.condition != study.images.normal, bool)


def _padded(cases: Cases) -> NDArray[np.str_]:
    """[N] stratum: the table's for known images, "" for others."""
    rest = len(cases.condition) - len(cases.table.stratum)
    return np.concatenate([cases.table.stratum, np.full(rest, "")])
