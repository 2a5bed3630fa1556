"""The images and folds of a study, once for every side that an arm takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import write_splits
from poxlens.errors import TrainingError
from poxlens.recipes.aism.decoded import read_once
from poxlens.recipes.aism.study import Study
from poxlens.recipes.compare.cases import Cases, read_table
from poxlens.recipes.compare.extra import no_extra
from poxlens.recipes.compare.folds import Fold, folds, split
from poxlens.recipes.compare.learning import sizes
from poxlens.recipes.default import Step

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Material:
    """What every unit of a run shares."""

    cases: Cases  # of the first side
    images: Mapping[int, Pixels]  # side -> [N, S, S, 3]
    digests: Mapping[int, str]  # side -> digest of names, classes, groups and pixels
    splits: Splits
    folds: tuple[Fold, ...]
    smaller: Mapping[float, tuple[Fold, ...]]  # share -> the folds with fewer images to learn from
    features: dict[Hashable, Floats] = field(
        default_factory=dict
    )  # network and start -> [N, D], as they are computed

    def parts(self, share: float) -> tuple[Fold, ...]:
        """The folds at a share of the training part."""
        return self.folds if share == 1 else self.smaller[share]


def read_material(study: Study, base: Path, out: Path, step: Step, workers: int = 1) -> Material:
    """Read the images, deal the folds and keep the split in `out`.

    Args:
        study: the study.
        base: the folder that its paths are relative to.
        out: the run folder.
        step: progress.
        workers: files read at once.

    Raises:
        PoxlensError: the table, its groups or the split are not as they should be.
        TrainingError: a class has fewer groups than folds; says how to go on.
    """
    cases, images, digests = None, {}, {}
    for side in study.sides:
        asked = study.compare_study(side)
        table = read_table(asked, base)
        one = read_once(asked, table, base, out / "images", step, workers)
        cases = cases or one
        if [row.file for row in one.rows] != [row.file for row in cases.rows]:
            raise TrainingError(
                "an image could be read once and not a second time: the folder changes under the run"
            )
        images[side], digests[side] = one.images, one.digest
    if cases is None:
        raise TrainingError("the study has no arm")
    asked = study.compare_study(study.sides[0])
    splits = split(asked, cases, base)
    splits = write_splits(out / "splits.json", splits, replace=True)
    every = tuple(folds(cases, splits, no_extra(), grouped=study.protocol.grouped))
    shares = sorted({share for arm in study.arms for share in arm.shares} - {1.0})
    smaller = {one.share: one.folds for one in sizes(cases, every, shares, seed=study.protocol.seed)}
    missing = [share for share in shares if share not in smaller]
    if missing:
        raise TrainingError(f"a share of {missing[0]:g} comes to the same images as another: leave it out")
    return Material(replace(cases, images=cases.images[:0]), images, digests, splits, every, smaller)
