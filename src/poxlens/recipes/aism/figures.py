"""The figures of Yue 2024, eq. 4-8, per class and overall, with intervals; and differences of two arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, confusion, macro_f1
from poxlens.evaluate.repeated import difference
from poxlens.evaluate.statistic import Floats, Statistic, divide, share
from poxlens.recipes.aism.arms import Ints, Said, common

PER_CLASS = ("accuracy", "precision", "recall", "specificity", "F1")
"""Eq. 4-8, one class against all others."""
MEANS = ("precision", "recall", "specificity")
OVERALL = ("accuracy", "macro F1", *(f"mean {name}" for name in MEANS))


@dataclass(frozen=True, eq=False)
class Judged:
    """One arm with all its figures."""

    said: Said
    overall: Mapping[str, Estimate]  # OVERALL
    classes: Mapping[str, Mapping[str, Estimate]]  # class -> PER_CLASS
    confusion: Ints  # [C, C], rows are the truth


@dataclass(frozen=True)
class Difference:
    """How much more the second arm has than the first, on the rows that both have."""

    first: str
    second: str
    share: float
    figures: Mapping[str, Estimate]  # accuracy, macro F1, and recall and F1 of the target
    n: int


def judge(said: Said, classes: Sequence[str], resamples: int = 2000) -> Judged:
    """All figures of an arm.

    Args:
        said: its probabilities.
        classes: names of all.
        resamples: of the bootstrap over groups.
    """
    truth, decided = said.truth, said.decided
    each = {
        (name, what): one
        for at, name in enumerate(classes)
        for what, one in per_class(truth, decided, at).items()
    }
    told = {("", name): one for name, one in overall(truth, decided, len(classes)).items()}
    found = estimate(
        {f"{name}/{what}": one for (name, what), one in {**told, **each}.items()},
        said.groups,
        resamples=resamples,
    )
    return Judged(
        said,
        {name: found[f"/{name}"] for name in OVERALL},
        {name: {what: found[f"{name}/{what}"] for what in PER_CLASS} for name in classes},
        confusion(truth, decided, len(classes)),
    )


def per_class(truth: Ints, decided: Ints, class_: int) -> dict[str, Statistic]:
    """Eq. 4-8 of one class against all others; truth and decided are class numbers [T]."""
    own, called = truth == class_, decided == class_
    return {
        "accuracy": share(own == called),
        "precision": share(own, called),
        "recall": share(called, own),
        "specificity": share(~called, ~own),
        "F1": f1(truth, decided, class_),
    }


def f1(truth: Ints, decided: Ints, class_: int) -> Statistic:
    """Eq. 8 as 2 TP / (2 TP + FP + FN), which is defined where precision is not."""
    own, called = truth == class_, decided == class_
    columns = np.stack([2.0 * (own & called), own.astype(float) + called], axis=1)

    def over(weights: Floats) -> Floats:
        counted = weights @ columns
        return divide(counted[:, 0], counted[:, 1])

    return Statistic(over, own | called, (own, ~own))


def overall(truth: Ints, decided: Ints, classes: int) -> dict[str, Statistic]:
    """Accuracy over all classes, and the mean over classes of the others."""
    each = [per_class(truth, decided, at) for at in range(classes) if (truth == at).any()]
    return {
        "accuracy": accuracy(truth, decided),
        "macro F1": macro_f1(truth, decided, classes),
        **{f"mean {name}": mean_of([one[name] for one in each]) for name in MEANS},
    }


def mean_of(statistics: Sequence[Statistic]) -> Statistic:
    """The mean of several figures of the same rows; those that are not defined are left out."""

    def over(weights: Floats) -> Floats:
        values = np.stack([one.over(weights) for one in statistics], axis=1)
        defined = np.isfinite(values)
        return divide(np.where(defined, values, 0.0).sum(1), defined.sum(1).astype(np.float64))

    return Statistic(over, np.ones(statistics[0].rows.size, bool), statistics[0].sides)


def compare(
    first: Said, second: Said, target: int, classes: Sequence[str], resamples: int = 2000
) -> Difference:
    """Second minus first, with intervals over groups drawn together for both.

    Args:
        first: one arm.
        second: another, at the same share.
        target: number of the class that is screened for.
        classes: names of all.
        resamples: of the bootstrap.
    """
    one, other = common([first, second])

    def figures(said: Said) -> dict[str, Statistic]:
        own = per_class(said.truth, said.decided, target)
        return {
            "accuracy": accuracy(said.truth, said.decided),
            "macro F1": macro_f1(said.truth, said.decided, len(classes)),
            f"{classes[target]} recall": own["recall"],
            f"{classes[target]} F1": own["F1"],
        }

    before, after = figures(one), figures(other)
    found = estimate(
        {name: difference(after[name], before[name]) for name in before}, one.groups, resamples=resamples
    )
    return Difference(first.arm, second.arm, first.share, found, len(one.truth))
