"""predictions.csv of a study: every figure and plot of its report is computed from this table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.files import write_atomically
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.units import Result

COLUMNS = ("repeat", "fold", "network", "setting", "file", "group", "tone", "label")


def write_predictions(
    path: Path, cases: Cases, results: Sequence[Result], ensembles: Mapping[str, Sequence[str]]
) -> None:
    """Write the out-of-fold predictions of all finished units and of the ensembles, in one order.

    An ensemble is the mean of its networks' probabilities, for each setting and fold that all of them finished.

    Args:
        path: the CSV file.
        cases: the study's images.
        results: of the units.
        ensembles: name -> networks.
    """
    table: dict[tuple[int, int, str, str], tuple[NDArray[np.int64], NDArray[np.float32]]] = {}
    for result in results:
        unit = result.unit
        table[unit.repeat, unit.fold, unit.network, unit.setting.name] = (result.test, result.probabilities)
    places = sorted({(repeat, fold, setting) for repeat, fold, _, setting in table})
    for name, members in ensembles.items():
        for repeat, fold, setting in places:
            found = [table.get((repeat, fold, member, setting)) for member in members]
            whole = [one for one in found if one is not None]
            if len(whole) == len(members):
                stacked = np.stack([probabilities for _, probabilities in whole]).astype(np.float64)
                table[repeat, fold, name, setting] = (whole[0][0], stacked.mean(0).astype(np.float32))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*COLUMNS, *(f"p_{name}" for name in cases.classes)))
    for key in sorted(table):
        for row, values in sorted(
            zip(*table[key], strict=True), key=lambda pair: cases.rows[int(pair[0])].file
        ):
            at = int(row)
            group = cases.groups.names[cases.groups.of[at]]
            cells = (cases.rows[at].file, group, cases.tone[at], cases.rows[at].label)
            writer.writerow((*key, *cells, *(f"{value:.6f}" for value in values)))
    write_atomically(path, stream.getvalue())
