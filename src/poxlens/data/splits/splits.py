"""A split in memory: what is tested when, and what may be learnt from meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest
from poxlens.data.splits.plan import Plan
from poxlens.errors import SplitError

Rows = NDArray[np.int64]  # places of images in `files`, ascending


@dataclass(frozen=True, eq=False)
class Splits:
    """A split of the N images of a table; repeats and folds are counted from 0.

    Within a repeat of k-fold or leave-one-group-out every image is tested once. Official splits are folds of one
    repeat, each with its own parts, and may leave images out.
    """

    plan: Plan
    files: tuple[str, ...]  # [N], as in the table and in its order
    label: tuple[str, ...]  # [N]
    tone: tuple[str, ...]  # [N], "light", "dark" or "unknown", an estimate
    group: NDArray[np.int64]  # [N], 0 .. G - 1
    group_names: tuple[str, ...]  # [G]
    outer: tuple[tuple[Rows, ...], ...]  # [repeat][fold] rows to test on
    inner: tuple[
        tuple[tuple[Rows, ...], ...], ...
    ]  # [repeat][fold][part] rows to choose on; learn from the rest
    unused: tuple[tuple[Rows, ...], ...]  # [repeat][fold] rows in no part; empty but for official splits
    names: tuple[
        tuple[str, ...], ...
    ]  # [repeat][fold] "1", "2" ..., the group left out, or the official name
    manifest_sha256: str  # of the table's bytes
    groups_sha256: str = ""  # of the list of near-duplicate groups, "" when none was given
    official_sha256: str = ""  # of the official list, "" when none was given
    version: str = ""  # of the poxlens that made it
    digest: str = ""  # SHA-256 of the file's content; "" until it has been written or read

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """(repeat, fold), in order."""
        for repeat, folds in enumerate(self.outer):
            for fold in range(len(folds)):
                yield repeat, fold

    def train(self, repeat: int, fold: int) -> Rows:
        """Rows of the development part of a fold: neither tested nor left out. Choices are made in here."""
        free = np.ones(len(self.files), bool)
        free[self.outer[repeat][fold]] = False
        free[self.unused[repeat][fold]] = False
        return np.flatnonzero(free)

    def fit(self, repeat: int, fold: int, part: int) -> Rows:
        """Rows to learn from while inner part `part` is validated: the development part without it."""
        return np.setdiff1d(self.train(repeat, fold), self.inner[repeat][fold][part], assume_unique=True)

    def crossing(self, repeat: int, fold: int) -> NDArray[np.int64]:
        """Groups with images both tested and learnt from; empty unless the split leaks."""
        return np.intersect1d(self.group[self.outer[repeat][fold]], self.group[self.train(repeat, fold)])

    def inner_crossing(self, repeat: int, fold: int) -> NDArray[np.int64]:
        """Groups on both sides of any inner part: they flatter the choices made there."""
        found = [
            np.intersect1d(self.group[rows], self.group[self.fit(repeat, fold, part)])
            for part, rows in enumerate(self.inner[repeat][fold])
        ]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)

    @property
    def leaks(self) -> bool:
        """Whether in any fold a group is both tested and learnt from, or chosen on and learnt from."""
        return any(len(self.crossing(*at)) + len(self.inner_crossing(*at)) for at in self)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, sorted."""
        return tuple(sorted(set(self.label)))

    @property
    def warning(self) -> str:
        """What a reader of any figure from this split must be told; "" when there is nothing."""
        if not self.plan.grouped:
            return (
                "UNGROUPED: images were dealt one by one, so the same patient, lesion or photo may stand on both"
                " sides. Figures from this split are too high; use it only to show by how much."
            )
        if self.leaks:
            return (
                "LEAKS: groups (one patient, lesion or photo) stand on both sides of this official split."
                " Figures from it are too high."
            )
        return ""

    def check(self, manifest: Manifest) -> None:
        """Refuse a table that is not the one that was split.

        Raises:
            SplitError: says what differs: files, labels, or only other cells.
        """
        if manifest.sha256 == self.manifest_sha256:
            return
        now = {row.file: row.label for row in manifest.rows}
        was = dict(zip(self.files, self.label, strict=True))
        gone = [file for file in self.files if file not in now]
        new = [file for file in now if file not in was]
        other = [file for file in self.files if file in now and now[file] != was[file]]
        told = [
            f"{len(files)} {what} (first: {files[0]})"
            for files, what in (
                (gone, "of its files are gone"),
                (new, "files are new"),
                (other, "files have another label"),
            )
            if files
        ]
        if not told:
            told = [
                "the order of its rows" if tuple(now) != self.files else "a cell other than file and label"
            ]
        raise SplitError(
            f"The table has changed since it was split: {'; '.join(told)}. Use the table with SHA-256"
            f" {self.manifest_sha256[:12]}…, or split again into a new file."
        )
