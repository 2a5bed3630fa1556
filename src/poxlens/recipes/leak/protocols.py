"""Four ways to split the same images into training and test part, from the field's common one to the strict one.

A unit is one image or one augmented copy of it. All protocols see the same units; they differ in which of them may
stand on the two sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from poxlens.errors import TrainingError

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

PROTOCOLS: dict[str, str] = {
    "common": "augment every image, then split all copies at random; tested on copies",
    "image": "split the images at random, augment the training part; tested on images",
    "grouped": "split by person and near-duplicate group, augment the training part; tested on images",
    "merged": "as grouped, and every image of the other data sets is learnt from",
    "strict": "as merged, but no image of another data set that is in a group with a tested one",
}
"""Name -> what it does. "merged" and "strict" need images of other data sets."""


@dataclass(frozen=True, eq=False)
class Collection:
    """N images, by number."""

    files: tuple[str, ...]
    label: Ints  # [N], class number
    group: Ints  # [N], what must stay on one side of an honest split
    tested: Bools  # [N], False: of another data set, learnt from in "merged" and "strict" only
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Units:
    """U images and copies: of each image number 0 (itself) to `copies`."""

    image: Ints  # [U]
    copy: Ints  # [U]

    @classmethod
    def of(cls, collection: Collection, copies: int) -> Units:
        """All units of a collection, the copies of an image side by side."""
        count = len(collection.files)
        return cls(np.repeat(np.arange(count), copies + 1), np.tile(np.arange(copies + 1), count))


@dataclass(frozen=True, eq=False)
class Fold:
    """One split."""

    train: Bools  # [U]
    test: Bools  # [U]


def folds_of(collection: Collection, protocol: str, copies: int, folds: int, seed: int) -> Iterator[Fold]:
    """The folds of one protocol; each unit that is tested at all is tested once.

    Args:
        collection: the images.
        protocol: key of PROTOCOLS.
        copies: augmented copies of each image.
        folds: how many.
        seed: of the deal. "grouped", "merged" and "strict" deal alike for one seed.

    Raises:
        TrainingError: a class has too few images, or groups, for the folds.
        ValueError: an unknown protocol.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")
    units = Units.of(collection, copies)
    ours = collection.tested[units.image]
    if protocol == "common":
        rows = np.flatnonzero(ours)
        _check(collection, np.arange(len(collection.files)), folds, "images")
        split = StratifiedKFold(folds, shuffle=True, random_state=seed)
        for _, test in split.split(rows, collection.label[units.image[rows]]):
            chosen = np.zeros(len(ours), bool)
            chosen[rows[test]] = True
            yield Fold(ours & ~chosen, chosen)
        return
    for images in _image_folds(collection, protocol, folds, seed):
        test_images = images[units.image]
        learnt = ours & ~test_images
        if protocol == "merged":
            learnt = ~test_images
        elif protocol == "strict":
            touched = np.isin(collection.group, collection.group[images])
            learnt = ~touched[units.image]
        yield Fold(learnt, test_images & (units.copy == 0))


def _image_folds(collection: Collection, protocol: str, folds: int, seed: int) -> Iterator[Bools]:
    """Test images [N] of each fold."""
    rows = np.flatnonzero(collection.tested)
    label, group = collection.label[rows], collection.group[rows]
    if protocol == "image":
        _check(collection, np.arange(len(collection.files)), folds, "images")
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, label)
    else:
        _check(collection, collection.group, folds, "groups of images")
        parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(rows, label, group)
    for _, test in parts:
        chosen = np.zeros(len(collection.files), bool)
        chosen[rows[test]] = True
        yield chosen


def _check(collection: Collection, unit: Ints, folds: int, kind: str) -> None:
    for number, name in enumerate(collection.classes):
        count = len(np.unique(unit[collection.tested & (collection.label == number)]))
        if count < folds:
            raise TrainingError(
                f'"{name}" has {count} {kind}, too few for {folds} folds: give more images of it or use fewer folds'
            )
