"""predictions.csv of a study: every figure and plot of its report is computed from this table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.files import write_atomically
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.units import Result

COLUMNS = ("repeat", "fold", "network", "setting", "file", "group", "tone", "label")

Key = tuple[int, int, str, str]  # repeat, fold, network, setting
Tested = tuple[NDArray[np.int64], NDArray[np.float32]]  # [T] places in the study's images, [T, C]


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
    write_atomically(path, _text(cases, "", [("", _table(results, ensembles))]))


def write_series(
    path: Path,
    cases: Cases,
    first: str,
    series: Iterable[tuple[str | int, Sequence[Result]]],
    ensembles: Mapping[str, Sequence[str]],
) -> None:
    """As `write_predictions`, several tables one after the other, told apart by a first column.

    Args:
        path: the CSV file.
        cases: the study's images.
        first: name of the column.
        series: its values with the results of each.
        ensembles: name -> networks.
    """
    tables = [(value, _table(results, ensembles)) for value, results in series]
    write_atomically(path, _text(cases, first, tables))


def _table(results: Sequence[Result], ensembles: Mapping[str, Sequence[str]]) -> dict[Key, Tested]:
    table: dict[Key, Tested] = {}
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
    return table


def _text(cases: Cases, first: str, tables: Iterable[tuple[str | int, Mapping[Key, Tested]]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    head = (first,) if first else ()
    writer.writerow((*head, *COLUMNS, *(f"p_{name}" for name in cases.classes)))
    for value, table in tables:
        before = (value,) if first else ()
        for key in sorted(table):
            rows = zip(*table[key], strict=True)
            for row, values in sorted(rows, key=lambda pair: cases.rows[int(pair[0])].file):
                at = int(row)
                group = cases.groups.names[cases.groups.of[at]]
                cells = (cases.rows[at].file, group, cases.tone[at], cases.rows[at].label)
                writer.writerow((*before, *key, *cells, *(f"{value:.6f}" for value in values)))
    return stream.getvalue()
