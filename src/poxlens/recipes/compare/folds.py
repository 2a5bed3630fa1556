"""Which images of a study are learnt from, chosen on and tested, fold by fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.splits.make import make_splits
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import read_splits
from poxlens.data.splits.units import Groups
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.study import Study, StudyError

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold; rows are places in the study's images."""

    repeat: int
    number: int
    train: Rows
    validation: Rows  # hyper-parameters are chosen on these
    test: Rows


def split(study: Study, cases: Cases, base: Path) -> Splits:
    """The split of the tested images: the study's file, or made from its protocol.

    Raises:
        SplitError: a class cannot be spread over the folds.
        StudyError: the split's file is of other images.
    """
    tested = np.flatnonzero(cases.tested)
    asked = study.protocol
    if asked.splits:
        splits = read_splits(base / asked.splits)
        known = {cases.rows[row].file for row in tested}
        strange = [file for file in splits.files if file not in known]
        absent = known - set(splits.files)
        if strange or absent:
            first = strange[0] if strange else sorted(absent)[0]
            raise StudyError(
                f"{asked.splits} was made for other images than the study tests: {len(strange)} of its files are not"
                f" in the study, {len(absent)} of the study's not in it (first: {first})"
            )
        return splits
    manifest = replace(cases.manifest, rows=tuple(cases.rows[row] for row in tested))
    present, of = np.unique(cases.groups.of[tested], return_inverse=True)
    groups = Groups(of, tuple(cases.groups.names[group] for group in present))
    plan = Plan(
        folds=asked.folds,
        repeats=asked.repeats,
        validation=asked.validation,
        grouped=asked.grouped,
        seed=asked.seed,
    )
    return make_splits(manifest, plan, groups=groups, tone=[cases.tone[row] for row in tested])


def folds(cases: Cases, splits: Splits, *, grouped: bool) -> Iterator[Fold]:
    """The folds in order, with the images that are only learnt from.

    Of these, what is of a group with any tested or validated image is left out; so is, for a grouped study with
    a split made elsewhere, any image to learn from whose group is tested.

    Args:
        cases: the images.
        splits: of the tested ones.
        grouped: keep groups apart.
    """
    place = {row.file: at for at, row in enumerate(cases.rows)}
    at = np.array([place[file] for file in splits.files])
    extra = np.flatnonzero(~cases.tested)
    group = cases.groups.of
    for repeat, number in splits:
        test = at[splits.outer[repeat][number]]
        validation = at[splits.inner[repeat][number][0]]
        train = np.concatenate([at[splits.fit(repeat, number, 0)], extra])
        if grouped:
            train = train[~np.isin(group[train], group[test])]
            validation = validation[~np.isin(group[validation], group[test])]
        train = train[~(np.isin(group[train], group[validation]) & ~cases.tested[train])]
        yield Fold(repeat, number, np.sort(train), np.sort(validation), np.sort(test))
