"""Tables of predictions told apart by a first column: learning curves (`size`) and ways of leaving one out (`way`).

They have the columns of predictions.csv after the first one. All values of a series are tested on the same images, so
that their figures differ by that one thing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Statistic
from poxlens.recipes.compare.report.reading import Tested
from poxlens.recipes.compare.report.rows import ReportError, Row, read_rows, table_bytes


@dataclass(frozen=True)
class Point:
    """One network with one setting at one value of the series."""

    network: str
    setting: str
    value: str  # of the first column
    figures: Mapping[str, Estimate]  # empty when it lacks images
    lacking: int  # images that it was not tested on

    @property
    def told(self) -> str:
        """What is wrong with it, in words."""
        return f"{self.network} {self.setting}, {self.value}: {self.lacking} predictions are missing"


@dataclass(frozen=True)
class Learnt:
    """A point of a learning curve."""

    network: str
    setting: str
    size: int  # images learnt from and chosen on
    figures: Mapping[str, Estimate]


def read_learning(
    path: Path, tested: Tested, *, resamples: int, seed: int
) -> tuple[tuple[Learnt, ...], tuple[str, ...]]:
    """The points of all learning curves, in the order of network, setting and size; none without the file.

    Returns:
        The points, and what of the others is missing, in words.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """

    def check(where: str, cell: str) -> None:
        if not cell.isdecimal() or int(cell) < 1:
            raise ReportError(f"{where}: size must be a number of images, is {cell!r}.")

    rows = tested.repeats * len(tested.files)
    found = read_series(path, "size", tested, rows, check, resamples=resamples, seed=seed)
    learnt = [
        Learnt(one.network, one.setting, int(one.value), one.figures) for one in found if not one.lacking
    ]
    lacking = tuple(f"learning curve, {one.told}" for one in found if one.lacking)
    return tuple(sorted(learnt, key=lambda one: (one.network, one.setting, one.size))), lacking


def read_leaving_one_out(
    path: Path, tested: Tested, *, resamples: int, seed: int
) -> tuple[tuple[Point, ...], tuple[str, ...]]:
    """Figures of each way of leaving one out, in the order of network, setting and way; none without the file.

    Returns:
        The points, and what of the others is missing, in words.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """

    def check(where: str, cell: str) -> None:
        if not cell:
            raise ReportError(f"{where}: way must not be empty.")

    found = read_series(path, "way", tested, len(tested.files), check, resamples=resamples, seed=seed)
    lacking = tuple(f"leave-one-out, {one.told}" for one in found if one.lacking)
    return tuple(one for one in found if not one.lacking), lacking


def read_series(
    path: Path,
    first: str,
    tested: Tested,
    rows_each: int,
    check: Callable[[str, str], None],
    *,
    resamples: int,
    seed: int,
) -> tuple[Point, ...]:
    """Figures at each value of a series: of all tested rows together, with intervals over groups.

    Args:
        path: the table; without it there is no point.
        first: its first column.
        tested: predictions of the same images.
        rows_each: predictions that each point should have; of one with fewer no figure is given.
        check: is given the place of each cell of the first column and the cell, and refuses it by raising.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """
    content = table_bytes(path)
    if content is None:
        return ()
    classes, rows = read_rows(path, (first,))
    if classes != tested.classes:
        raise ReportError(f"{path}: its classes are not those of predictions.csv.")
    points: dict[tuple[str, str, str], list[Row]] = {}
    table = csv.DictReader(io.StringIO(content.decode(), newline=""))
    for number, (row, cells) in enumerate(zip(rows, table, strict=True), start=2):
        check(f"{path}, row {number}", cells[first] or "")
        points.setdefault((*row.model, cells[first]), []).append(row)
    return tuple(
        _point(key, members, rows_each - len(members), tested, resamples, seed)
        for key, members in sorted(points.items())
    )


def _point(
    key: tuple[str, str, str], rows: list[Row], lacking: int, tested: Tested, resamples: int, seed: int
) -> Point:
    if lacking:
        return Point(*key, {}, lacking)
    classes, target = tested.classes, tested.target
    truth = np.array([classes.index(row.label) for row in rows])
    p = np.array([row.probabilities for row in rows])
    decided, positive = p.argmax(axis=1), truth == classes.index(target)
    figures: dict[str, Statistic] = {
        "accuracy": accuracy(truth, decided),
        "macro F1": macro_f1(truth, decided, len(classes)),
    }
    if positive.any() and not positive.all():
        figures["AUROC"] = auroc(p[:, classes.index(target)], positive)
    found = estimate(figures, [row.group for row in rows], resamples=resamples, seed=seed)
    return Point(*key, found, 0)
