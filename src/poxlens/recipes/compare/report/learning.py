"""Learning curves: figures over the number of images learnt from, from learning.csv of a run folder.

The table has the columns of predictions.csv after a first column `size`, the images learnt from. Each size is tested
on the same images, so that a curve shows the size and nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Statistic
from poxlens.recipes.compare.report.rows import ReportError, Row, read_rows


@dataclass(frozen=True)
class LearningPoint:
    """One network with one setting, having learnt from so many images."""

    network: str
    setting: str
    size: int
    figures: Mapping[str, Estimate]


def read_learning(path: Path, target: str, *, resamples: int, seed: int) -> tuple[LearningPoint, ...]:
    """The points of all learning curves, in the order of network, setting and size; none without the file.

    Figures are of all tested rows, whole groups are drawn for the intervals.

    Raises:
        ReportError: the table is not as it should be; names the row.
    """
    if not path.is_file():
        return ()
    classes, rows = read_rows(path, ("size",))
    if target not in classes:
        raise ReportError(f"{path}: has no column p_{target}, the class that the study screens for.")
    points: dict[tuple[str, str, int], list[Row]] = {}
    for row, size in zip(rows, _sizes(path), strict=True):
        points.setdefault((*row.model, size), []).append(row)
    return tuple(
        LearningPoint(*key, _figures(members, classes, target, resamples, seed))
        for key, members in sorted(points.items())
    )


def _sizes(path: Path) -> list[int]:
    sizes = []
    with path.open(newline="", encoding="utf-8") as stream:
        for number, cells in enumerate(csv.DictReader(stream), start=2):
            cell = cells["size"] or ""
            if not cell.isdecimal() or int(cell) < 1:
                raise ReportError(f"{path}, row {number}: size must be a number of images, is {cell!r}.")
            sizes.append(int(cell))
    return sizes


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
