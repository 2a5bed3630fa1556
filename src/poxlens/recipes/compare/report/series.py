"""Tables of predictions told apart by a first column: learning curves (`size`) and ways of leaving one out (`way`).

They have the columns of predictions.csv after the first one. All values of a series are tested on the same images, so
that their figures differ by that one thing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Statistic
from poxlens.recipes.compare.report.rows import ReportError, Row, read_rows


@dataclass(frozen=True)
class Point:
    """One network with one setting at one value of the series."""

    network: str
    setting: str
    value: str  # of the first column
    figures: Mapping[str, Estimate]


@dataclass(frozen=True)
class Learnt:
    """A point of a learning curve."""

    network: str
    setting: str
    size: int  # images learnt from
    figures: Mapping[str, Estimate]


def read_learning(path: Path, target: str, *, resamples: int, seed: int) -> tuple[Learnt, ...]:
    """The points of all learning curves, in the order of network, setting and size; none without the file.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """

    def check(where: str, cell: str) -> None:
        if not cell.isdecimal() or int(cell) < 1:
            raise ReportError(f"{where}: size must be a number of images, is {cell!r}.")

    found = read_series(path, "size", target, check, resamples=resamples, seed=seed)
    learnt = [Learnt(one.network, one.setting, int(one.value), one.figures) for one in found]
    return tuple(sorted(learnt, key=lambda one: (one.network, one.setting, one.size)))


def read_leaving_one_out(path: Path, target: str, *, resamples: int, seed: int) -> tuple[Point, ...]:
    """Figures of each way of leaving one out, in the order of network, setting and way; none without the file.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """

    def check(where: str, cell: str) -> None:
        if not cell:
            raise ReportError(f"{where}: way must not be empty.")

    return read_series(path, "way", target, check, resamples=resamples, seed=seed)


def read_series(
    path: Path,
    first: str,
    target: str,
    check: Callable[[str, str], None],
    *,
    resamples: int,
    seed: int,
) -> tuple[Point, ...]:
    """Figures at each value of a series: of all tested rows together, with intervals over groups.

    Args:
        path: the table; without it there is no point.
        first: its first column.
        target: the class that is screened for.
        check: is given the place of each cell of the first column and the cell, and refuses it by raising.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """
    if not path.is_file():
        return ()
    classes, rows = read_rows(path, (first,))
    if target not in classes:
        raise ReportError(f"{path}: has no column p_{target}, the class that the study screens for.")
    points: dict[tuple[str, str, str], list[Row]] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for number, (row, cells) in enumerate(zip(rows, csv.DictReader(stream), strict=True), start=2):
            check(f"{path}, row {number}", cells[first] or "")
            points.setdefault((*row.model, cells[first]), []).append(row)
    return tuple(
        Point(*key, _figures(members, classes, target, resamples, seed))
        for key, members in sorted(points.items())
    )


def _figures(
    rows: list[Row], classes: tuple[str, ...], target: str, resamples: int, seed: int
) -> dict[str, Estimate]:
    truth = np.array([classes.index(row.label) for row in rows])
    p = np.array([row.probabilities for row in rows])
    decided, positive = p.argmax(axis=1), truth == classes.index(target)
    figures: dict[str, Statistic] = {
        "accuracy": accuracy(truth, decided),
        "macro F1": macro_f1(truth, decided, len(classes)),
    }
    if positive.any() and not positive.all():
        figures["AUROC"] = auroc(p[:, classes.index(target)], positive)
    return estimate(figures, [row.group for row in rows], resamples=resamples, seed=seed)
