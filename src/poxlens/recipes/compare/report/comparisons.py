"""Which models differ: the tests of Campana 2024, sections 4.2 and 4.4, and sounder ones beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.repeated import difference
from poxlens.evaluate.significance import (
    Anova,
    Comparison,
    Test,
    corrected_t_test,
    holm,
    repeated_measures_anova,
    test_tree,
    tukey_hsd,
)
from poxlens.recipes.compare.report.pooled import STATISTICS, Pooled, each
from poxlens.recipes.compare.report.reading import Tested

AUGMENTED = "+augmentation"
DIFFERENCES = ("accuracy", "macro F1", "AUROC")
LEAST_FOLDS = 3
LEAST_TESTED = 10  # images a fold; accuracies of smaller folds are no numbers to test (leave-one-out)


@dataclass(frozen=True)
class Setting:
    """All networks with one setting, as the paper compares them."""

    setting: str
    networks: tuple[str, ...]
    anova: Anova
    tukey: tuple[Comparison, ...]


@dataclass(frozen=True)
class Augmentation:
    """One network with and without augmentation, by the paper's tree of tests."""

    network: str
    without: float  # mean accuracy over folds
    with_it: float
    tests: tuple[Test, ...]  # in order; the last one decides


@dataclass(frozen=True)
class AgainstBest:
    """The best model minus another one, paired on the same images and draws."""

    name: str
    differences: Mapping[str, Estimate]


@dataclass(frozen=True)
class Comparisons:
    """All tests of a study. Everything is on accuracy, as in the paper, unless it says otherwise."""

    refused: str  # why there is no test over folds, "" when there are
    settings: tuple[Setting, ...]
    augmentation: tuple[Augmentation, ...]
    pairs: tuple[Comparison, ...]  # Nadeau-Bengio, `adjusted` by Holm over all pairs
    best: str  # of most accuracy
    against: tuple[AgainstBest, ...]  # the most accurate first


def compare_models(tested: Tested, pooled: Sequence[Pooled], *, resamples: int, seed: int) -> Comparisons:
    """Every test of a study.

    Args:
        tested: its predictions.
        pooled: figures of its models.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    leader = best_of(pooled)
    refused = refusal(tested)
    return Comparisons(
        refused=refused,
        settings=() if refused else tuple(_settings(tested, pooled)),
        augmentation=() if refused else tuple(_augmentation(pooled)),
        pairs=() if refused else tuple(_pairs(tested, pooled)),
        best=leader.model.name,
        against=tuple(
            sorted(
                (_against(tested, leader, other, resamples, seed) for other in pooled if other is not leader),
                key=lambda one: round(one.differences["accuracy"].value, 9),
            )
        ),
    )


def best_of(pooled: Sequence[Pooled]) -> Pooled:
    """The model of most accuracy, by AUROC and then the first name where they tie."""
    return max(
        sorted(pooled, key=lambda one: one.model.name),
        key=lambda one: (round(one.figures["accuracy"].value, 9), round(one.figures["AUROC"].value, 9)),
    )


def refusal(tested: Tested) -> str:
    """Why accuracies of folds cannot be tested, "" when they can."""
    sizes = [int(size) for fold in tested.fold for size in np.unique(fold, return_counts=True)[1]]
    if len(sizes) < LEAST_FOLDS:
        return f"{len(sizes)} folds are too few for tests over folds, {LEAST_FOLDS} are the least."
    if np.median(sizes) < LEAST_TESTED:
        return (
            f"Folds of {int(np.median(sizes))} images (leave-one-out) have no accuracies to test; what counts are"
            " the figures over all images and the paired differences."
        )
    return ""


def test_share(tested: Tested) -> float:
    """Images tested divided by images of the development part, on average over folds: 1/9 for ten folds."""
    n = len(tested.files)
    sizes = np.concatenate([np.unique(fold, return_counts=True)[1] for fold in tested.fold]).astype(
        np.float64
    )
    return float(np.mean(sizes / (n - sizes)))


def _settings(tested: Tested, pooled: Sequence[Pooled]) -> list[Setting]:
    found = []
    for setting in tested.settings:
        figures = {one.model.network: one.folds["accuracy"] for one in pooled if one.model.setting == setting}
        if len(figures) > 1:
            found.append(
                Setting(setting, tuple(figures), repeated_measures_anova(figures), tuple(tukey_hsd(figures)))
            )
    return found


def _augmentation(pooled: Sequence[Pooled]) -> list[Augmentation]:
    by_name = {(one.model.network, one.model.setting): one.folds["accuracy"] for one in pooled}
    found = []
    for (network, setting), without in by_name.items():
        augmented = by_name.get((network, setting + AUGMENTED))
        if augmented is not None:
            found.append(
                Augmentation(
                    network, float(without.mean()), float(augmented.mean()), test_tree(without, augmented)
                )
            )
    return found


def _pairs(tested: Tested, pooled: Sequence[Pooled]) -> list[Comparison]:
    share = test_share(tested)
    found = [
        corrected_t_test(
            (one.model.name, other.model.name),
            one.folds["accuracy"] - other.folds["accuracy"],
            test_share=share,
        )
        for one, other in combinations(pooled, 2)
    ]
    adjusted = holm([one.p for one in found])
    return [replace(one, adjusted=p) for one, p in zip(found, adjusted, strict=True)]


def _against(tested: Tested, leader: Pooled, other: Pooled, resamples: int, seed: int) -> AgainstBest:
    differences = {
        name: difference(
            each(tested, leader.model, STATISTICS[name]), each(tested, other.model, STATISTICS[name])
        )
        for name in DIFFERENCES
    }
    return AgainstBest(other.model.name, estimate(differences, tested.group, resamples=resamples, seed=seed))
