"""How far two people who labelled the same images agree: Cohen's kappa with intervals, confusion, disagreements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.annotate.scheme import Scheme
from poxlens.evaluate.intervals import RESAMPLES, Estimate, estimate
from poxlens.evaluate.statistic import Floats, Ints, Statistic, as_labels, divide, share


@dataclass(frozen=True)
class Agreement:
    """Two people's answers to one question."""

    label: str
    values: tuple[str, ...]
    kappa: Estimate  # Cohen 1960
    agreed: Estimate  # share of images with the same value
    confusion: NDArray[np.int64]  # [first, second], counts of images


def kappa(first: Ints, second: Ints, classes: int) -> Statistic:
    """Cohen's kappa: agreement above chance, (po - pe) / (1 - pe) (Cohen 1960, equation 1).

    Args:
        first: one person's values as numbers 0..classes-1, [N].
        second: the other's, [N].
        classes: how many values there are.

    Returns:
        The figure; NaN where both gave one and the same value to all, as chance alone would.

    Raises:
        ValueError: lengths differ or a number is out of range.
    """
    one = as_labels("first", first, classes)
    other = as_labels("second", second, classes, one.size)
    same = (one == other).astype(np.float64)
    named = np.eye(classes)

    def over(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        observed = divide(weights @ same, total)
        chance = divide(((weights @ named[one]) * (weights @ named[other])).sum(axis=1), total**2)
        return divide(observed - chance, 1 - chance)

    return Statistic(over, np.ones(one.size, bool), (one == other, one != other))


def agreement(
    scheme: Scheme,
    first: Mapping[str, Mapping[str, str]],
    second: Mapping[str, Mapping[str, str]],
    *,
    groups: Mapping[str, str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Agreement]:
    """The agreement in each label of a scheme, asked or derived, on the images that both gave it a value.

    Args:
        scheme: the labels.
        first: file -> labels of one person.
        second: file -> labels of the other.
        groups: file -> group of images that show the same photo or person: drawn together by the bootstrap that
            gives the intervals; without it each image is on its own.
        resamples: of the bootstrap.
        seed: of its draws.

    Returns:
        label -> agreement; labels that no image has from both are left out.
    """
    found = {}
    whole = {who: _with_derived(scheme, said) for who, said in (("first", first), ("second", second))}
    for label, values in scheme.choices.items():
        files = [
            file
            for file, given in whole["first"].items()
            if given.get(label) and whole["second"].get(file, {}).get(label)
        ]
        if not files:
            continue
        one, other = (
            np.array([values.index(said[file][label]) for file in files], np.int64) for said in whole.values()
        )
        clusters = [(groups or {}).get(file, file) for file in files]
        figures = estimate(
            {"kappa": kappa(one, other, len(values)), "agreed": share(one == other)},
            clusters,
            resamples=resamples,
            seed=seed,
        )
        confusion = np.zeros((len(values), len(values)), np.int64)
        np.add.at(confusion, (one, other), 1)
        found[label] = Agreement(label, values, figures["kappa"], figures["agreed"], confusion)
    return found


def disagreements(
    scheme: Scheme, first: Mapping[str, Mapping[str, str]], second: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """File -> label -> "one|other" of the asked labels in which two people differ, in the first one's order."""
    found: dict[str, dict[str, str]] = {}
    for file, given in first.items():
        if file not in second:
            continue
        differ = {
            name: f"{given[name]}|{second[file][name]}"
            for name in scheme.names
            if given.get(name) and second[file].get(name) and given[name] != second[file][name]
        }
        if differ:
            found[file] = differ
    return found


@dataclass(frozen=True)
class Agreed:
    """What stands for an image in the end."""

    labels: Mapping[str, str]  # asked and derived labels; one that nobody settled is absent
    settled: tuple[str, ...]  # labels that a third look decided
    open: tuple[str, ...]  # labels that are still in dispute


def consensus(
    scheme: Scheme,
    first: Mapping[str, Mapping[str, str]],
    second: Mapping[str, Mapping[str, str]],
    third: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Agreed]:
    """One set of labels an image: what both said; where they differ, what the third look says, or nothing.

    A value that the third look chose brings the labels that it sets, as on the page; they count as settled by it.

    Raises:
        ValueError: labels put together contradict each other; names the image.
    """
    found: dict[str, Agreed] = {}
    disputed = disagreements(scheme, first, second)
    for file, given in first.items():
        if file not in second:
            continue
        differ = disputed.get(file, {})
        look = (third or {}).get(file, {})
        labels = {
            name: given[name]
            for name in scheme.names
            if name not in differ and given.get(name) and second[file].get(name)
        }
        said = {name: look[name] for name in differ if look.get(name)}
        for name, value in list(said.items()):
            said |= scheme.sets(name, value)
        labels = {name: (labels | said)[name] for name in scheme.names if name in labels or name in said}
        settled = tuple(name for name in said if name in differ or said[name] != given.get(name))
        clash = scheme.clash(labels)
        if clash:
            raise ValueError(f"{file}: {clash}")
        derived = {name: value for name, value in scheme.derive(labels).items() if value}
        found[file] = Agreed(
            {**labels, **derived}, settled, tuple(name for name in differ if name not in settled)
        )
    return found


def _with_derived(scheme: Scheme, said: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {file: {**given, **scheme.derive(given)} for file, given in said.items()}


def counts(scheme: Scheme, labels: Sequence[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """Label -> value -> how many images have it."""
    return {
        name: {value: sum(one.get(name) == value for one in labels) for value in values}
        for name, values in scheme.choices.items()
    }
