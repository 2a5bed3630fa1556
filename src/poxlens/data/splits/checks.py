"""What cannot be dealt fairly is refused before it is dealt, with the class, the group and the way out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import SplitError

Strings = NDArray[np.str_]
Ints = NDArray[np.int64]


def largest_share(folds: int) -> float:
    """The share of a class that one group may hold: twice a fold's, or half way from a fold's to everything."""
    return min(2.0 / folds, (1.0 / folds + 1.0) / 2.0)


def require_groups(label: Strings, group: Ints, folds: int, where: str = "") -> None:
    """Every class must have a group for each fold.

    Args:
        label: [N].
        group: [N], of the same images.
        folds: how many parts.
        where: said in front of the message, such as "fold 3, inner level: ".

    Raises:
        SplitError: names the smallest class, its groups and images.
    """
    groups = {str(name): len(np.unique(group[label == name])) for name in np.unique(label)}
    short = sorted((count, name) for name, count in groups.items() if count < folds)
    if short:
        count, name = short[0]
        images = int(np.count_nonzero(label == name))
        rest = f" (other classes too: {', '.join(name for _, name in short[1:])})" if len(short) > 1 else ""
        fewer = f"use {count} folds or fewer, " if count >= 2 else ""
        raise SplitError(
            f'{where}class "{name}" has {count} independent group{"s" * (count != 1)} ({images} images), too few for'
            f" {folds} folds{rest}: {fewer}merge it with another class, or leave its rows out of the table."
        )


def require_no_giant(label: Strings, group: Ints, names: Sequence[str], folds: int, where: str = "") -> None:
    """No group may hold so much of a class that its fold is that group.

    Args:
        label: [N].
        group: [N], of the same images.
        names: of the groups.
        folds: how many parts of equal size.
        where: said in front of the message.

    Raises:
        SplitError: names the group that exceeds its share the most.
    """
    worst: tuple[float, int, int, int, str] | None = None
    for name in np.unique(label):
        members, count = np.unique(group[label == name], return_counts=True)
        total, largest = int(count.sum()), int(count.max())
        # Of a small class one image more or less is no giant.
        if largest > max(largest_share(folds) * total, total / folds + 3):
            candidate = (largest / total, largest, total, int(members[count.argmax()]), str(name))
            worst = max(worst, candidate) if worst else candidate
    if worst is None:
        return
    share, largest, total, giant, name = worst
    fit = max((fewer for fewer in range(2, folds) if share <= largest_share(fewer)), default=0)
    fewer = f"use {fit} folds or fewer, " if fit else ""
    raise SplitError(
        f'{where}group "{names[giant]}" holds {largest} of the {total} images of class "{name}", where a fold of'
        f" {folds} has room for {total / folds:.0f}: {fewer}look whether all of it belongs together, or allow uneven"
        " folds (--allow-uneven)."
    )


def require_classes(label: Strings, test: Ints, train: Ints, where: str) -> None:
    """Every class that occurs must be both tested and learnt from.

    Raises:
        SplitError: names the class and the side that lacks it.
    """
    for name in np.unique(label[np.concatenate([test, train])]):
        for rows, part in ((test, "test"), (train, "training")):
            if not (label[rows] == name).any():
                raise SplitError(
                    f'{where}: its {part} part has no image of class "{name}". Merge the class with another, leave'
                    " its rows out of the table, or use fewer folds."
                )
