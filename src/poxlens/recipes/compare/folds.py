"""Which images of a study are learnt from, chosen on and tested, fold by fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.splits.make import make_splits
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import read_splits
from poxlens.data.splits.units import Groups
from poxlens.files import sha256_file
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.extra import Extra
from poxlens.recipes.compare.study import Study, StudyError

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold; rows are places in the study's images."""

    repeat: int
    number: int
    train: Rows  # of the tested data sets
    validation: Rows  # hyper-parameters are chosen on these
    test: Rows
    extra: Mapping[str, Rows] = field(default_factory=dict)  # filter -> images that are only learnt from
    auxiliary: Rows = field(default_factory=lambda: np.zeros(0, np.int64))  # those of auxiliary classes

    def learnt(self, extra: str, *, auxiliary: bool = False) -> Rows:
        """The rows to learn from with a filter of the extra images, "" for none of them; ascending."""
        if not extra:
            return self.train
        others = self.extra[extra]
        if not auxiliary:
            others = others[~np.isin(others, self.auxiliary)]
        return np.sort(np.concatenate([self.train, others]))


def split(study: Study, cases: Cases, base: Path) -> Splits:
    """The split of the tested images: the study's file, or made from its protocol.

    Raises:
        SplitError: a class cannot be spread over the folds.
        StudyError: the split's file is of other images, or leaves nothing to choose on.
    """
    asked = study.protocol
    if asked.splits:
        splits = read_splits(base / asked.splits)
        _require_same(splits, cases, asked.splits)
        return splits
    plan = Plan(
        folds=asked.folds,
        repeats=asked.repeats,
        validation=asked.validation,
        grouped=asked.grouped,
        seed=asked.seed,
    )
    return _made(study, cases, base, plan, cases.groups)


def leave_one_out(study: Study, cases: Cases, base: Path) -> Splits:
    """A fold for each group of the tested images, for each image when the study is not grouped.

    Raises:
        SplitError: a class has one group only.
    """
    groups = cases.groups
    if not study.protocol.grouped:
        order = np.argsort(np.argsort([row.file for row in cases.rows], kind="stable"))
        groups = Groups(order.astype(np.int64), tuple(sorted(row.file for row in cases.rows)))
    asked = study.protocol
    plan = Plan(kind="leave-one-group-out", validation=asked.validation, seed=asked.seed)
    return _made(study, cases, base, plan, groups)


def folds(cases: Cases, splits: Splits, extra: Extra, *, grouped: bool) -> Iterator[Fold]:
    """The folds in order, with the images that are only learnt from.

    Of these, what is of a group with any tested or validated image is left out. For a grouped study with a split
    made elsewhere, so is any other image whose group is tested.

    Args:
        cases: the images.
        splits: of the tested ones.
        extra: filters of the others.
        grouped: keep groups apart.
    """
    place = {row.file: at for at, row in enumerate(cases.rows)}
    at = np.array([place[file] for file in splits.files])
    group = cases.groups.of
    for repeat, number in splits:
        test = np.sort(at[splits.outer[repeat][number]])
        validation = at[splits.inner[repeat][number][0]]
        train = at[splits.fit(repeat, number, 0)]
        if grouped:
            train = train[~np.isin(group[train], group[test])]
            validation = validation[~np.isin(group[validation], group[test])]
        seen = np.concatenate([test, validation])
        others = np.flatnonzero(~cases.tested)
        others = others[~np.isin(group[others], group[seen])]
        yield Fold(
            repeat,
            number,
            np.sort(train),
            np.sort(validation),
            test,
            extra.kept(others, test, repeat, number),
            np.flatnonzero(cases.truth >= len(cases.classes)),
        )


def _made(study: Study, cases: Cases, base: Path, plan: Plan, groups: Groups) -> Splits:
    tested = np.flatnonzero(cases.tested)
    manifest = replace(cases.manifest, rows=tuple(cases.rows[row] for row in tested))
    present, of = np.unique(groups.of[tested], return_inverse=True)
    listed = study.protocol.groups
    return make_splits(
        manifest,
        plan,
        groups=Groups(of, tuple(groups.names[group] for group in present)),
        tone=[cases.tone[row] for row in tested],
        groups_sha256=sha256_file(base / listed) if listed else "",
    )


def _require_same(splits: Splits, cases: Cases, path: Path) -> None:
    known = {row.file for row, tested in zip(cases.rows, cases.tested, strict=True) if tested}
    strange = [file for file in splits.files if file not in known]
    absent = known - set(splits.files)
    if strange or absent:
        first = strange[0] if strange else min(absent)
        raise StudyError(
            f"{path} was made for other images than the study tests: {len(strange)} of its files are not"
            f" in the study, {len(absent)} of the study's not in it (first: {first})"
        )
    for repeat, number in splits:
        if not splits.inner[repeat][number]:
            raise StudyError(
                f"{path}: fold {splits.names[repeat][number]} has no inner part to choose hyper-parameters on."
                " Split again with --validation 0.25"
            )
