"""scores.csv: one row a detector and image, and the folds that figures are computed from.

A detector's name tells what it learnt from: `NETWORK energy` from all known images, `NETWORK energy, without eczema`
from all but that condition, `NETWORK neighbours, mpox alone` from the target. Images of a condition are only compared
with known ones that the same detector scored.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import PoxlensError
from poxlens.evaluate.novelty import Tested
from poxlens.files import write_atomically
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.run import Done
from poxlens.recipes.novelty.study import Study
from poxlens.recipes.novelty.units import ALONE

COLUMNS = ("repeat", "fold", "detector", "harmonised", "condition", "file", "group", "is_mpox", "score")
WITHOUT, ONLY = ", without ", " alone"


@dataclass(frozen=True)
class Row:
    """One score."""

    repeat: int
    fold: int
    detector: str
    harmonised: bool
    condition: str
    file: str
    group: str
    is_target: bool
    score: float


def rows_of(done: Done, study: Study) -> Iterator[Row]:
    """Every score of a run, in the order of its units."""
    cases = done.cases
    for part in done.parts:
        for unit, found in part.scores.items():
            for method, scores in found.scores.items():
                name = detector_name(part.network, method, unit.left_out, study)
                for place, score in zip(found.rows.tolist(), scores.tolist(), strict=True):
                    if cases.counted[place] and np.isfinite(score):
                        yield Row(
                            unit.repeat,
                            unit.fold,
                            name,
                            part.harmonised,
                            str(cases.condition[place]),
                            str(cases.file[place]),
                            str(cases.group[place]),
                            bool(cases.condition[place] == study.target),
                            score,
                        )


def detector_name(network: str, method: str, left_out: str, study: Study) -> str:
    """As in scores.csv."""
    told = f"{network} {method}"
    if left_out == ALONE:
        return f"{told}, {study.target}{ONLY}"
    return f"{told}{WITHOUT}{left_out}" if left_out else told


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write scores.csv; how many rows."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(COLUMNS)
    count = 0
    for row in rows:
        table.writerow(
            (
                row.repeat,
                row.fold,
                row.detector,
                int(row.harmonised),
                row.condition,
                row.file,
                row.group,
                int(row.is_target),
                f"{row.score:.5g}",
            )
        )
        count += 1
    write_atomically(path, buffer.getvalue())
    return count


def read_rows(path: Path) -> list[Row]:
    """The rows of a scores.csv.

    Raises:
        PoxlensError: unreadable, or other columns; names the row.
    """
    found = []
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            table = csv.reader(stream)
            if tuple(next(table, ())) != COLUMNS:
                raise PoxlensError(f"{path}: its columns are not {', '.join(COLUMNS)}")
            for number, cells in enumerate(table, 2):
                try:
                    repeat, fold, detector, harmonised, condition, file, group, target, score = cells
                    found.append(
                        Row(
                            int(repeat),
                            int(fold),
                            detector,
                            harmonised == "1",
                            condition,
                            file,
                            group,
                            target == "1",
                            float(score),
                        )
                    )
                except ValueError as fault:
                    raise PoxlensError(f"{path}, row {number}: {fault}") from fault
    except OSError as fault:
        raise PoxlensError(f"{path} cannot be read: {fault.strerror}") from fault
    return found


Key = tuple[str, bool]
"""Detector and whether images were made alike."""


@dataclass(frozen=True, eq=False)
class Scored:
    """All rows of one detector, as arrays."""

    repeat: NDArray[np.int64]
    fold: NDArray[np.int64]
    image: NDArray[np.int64]
    group: NDArray[np.int64]
    condition: NDArray[np.str_]
    target: NDArray[np.bool_]
    score: NDArray[np.float64]

    def against(self, condition: str, *, target_only: bool, known: frozenset[str]) -> list[Tested]:
        """Folds of known images (of the target alone if asked) against one condition; without either, none."""
        novel = self.condition == condition
        reference = self.target if target_only else np.isin(self.condition, list(known - {condition}))
        folds = []
        for repeat, fold in sorted(set(zip(self.repeat.tolist(), self.fold.tolist(), strict=True))):
            here = (self.repeat == repeat) & (self.fold == fold) & (novel | reference)
            if (novel & here).any() and (reference & here).any():
                folds.append(Tested(self.image[here], self.group[here], novel[here], self.score[here]))
        return folds


def by_detector(rows: Iterable[Row]) -> Mapping[Key, Scored]:
    """Rows of each detector."""
    kept: dict[Key, list[Row]] = defaultdict(list)
    images: dict[str, int] = {}
    groups: dict[str, int] = {}
    for row in rows:
        kept[row.detector, row.harmonised].append(row)
        images.setdefault(row.file, len(images))
        groups.setdefault(row.group, len(groups))
    return {
        key: Scored(
            np.array([row.repeat for row in some]),
            np.array([row.fold for row in some]),
            np.array([images[row.file] for row in some]),
            np.array([groups[row.group] for row in some]),
            np.array([row.condition for row in some]),
            np.array([row.is_target for row in some], bool),
            np.array([row.score for row in some]),
        )
        for key, some in kept.items()
    }


def known_conditions(cases: Cases) -> frozenset[str]:
    """Conditions that count as known where they are not left out: all that heads learn from but photos of people."""
    names = set(cases.condition[cases.known].tolist()) - {"", "normal"}
    return frozenset(names)
