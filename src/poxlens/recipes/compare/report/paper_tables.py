"""The study in the form of Campana's tables 2 and 3, columns under their true names, beside the paper's values."""

from __future__ import annotations

import math

from poxlens.evaluate.fold_figures import Spread
from poxlens.evaluate.paper import BINARY_COLUMNS, MULTI_COLUMNS, OURS, TABLE_2, TABLE_3, PaperRow, Value
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.table import Cell, Table

FOLDS = 10  # of the paper


def paper_tables(found: Analysis) -> tuple[Table, ...]:
    """The table over folds and, of a study made like MCSI, the same beside the paper's values."""
    binary = len(found.tested.classes) == 2
    columns = BINARY_COLUMNS if binary else MULTI_COLUMNS
    said = [
        f"the paper's “{head}” is here “{_told(found, name)}”"
        for head, name in columns.items()
        if head != name
    ]
    table = Table(
        "folds",
        f"As Campana 2024, table {2 if binary else 3}: mean (SD) over folds",
        ("network", "setting", *(_told(found, name) for name in columns.values())),
        tuple(
            (one.model.network, one.model.setting, *(one.spreads[name] for name in columns.values()))
            for one in found.pooled
        ),
        "Like with like: "
        + "; ".join(said)
        + ". An SD over folds is no standard error: folds share training images.",
    )
    if not found.record.mcsi_like:
        return (table,)
    return table, _beside(found, columns, TABLE_2 if binary else TABLE_3)


def _beside(found: Analysis, columns: dict[str, str], paper: tuple[PaperRow, ...]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in paper:
        setting = "dense+augmentation" if row.augmentation else "dense"
        values = (row.accuracy, row.sensitivity, row.specificity, row.f1)
        ours = next(
            (
                one.spreads
                for one in found.pooled
                if (one.model.network, one.model.setting) == (OURS[row.network], setting)
            ),
            None,
        )
        cells: list[Cell] = [OURS[row.network], setting]
        for name, value in zip(columns.values(), values, strict=True):
            cells += [_spread(value), Spread(math.nan, math.nan, 0, 0) if ours is None else ours[name]]
        rows.append(tuple(cells))
    heads = [f"{_told(found, name)}, {whose}" for name in columns.values() for whose in ("paper", "here")]
    return Table(
        "beside-the-paper",
        "The paper's values on MCSI beside this study's",
        ("network", "setting", *heads),
        tuple(rows),
        "This study's images are not MCSI: they were put together in the same way from other photos, so that figures"
        " may be set side by side but not subtracted. Campana 2024, tables 2 and 3.",
    )


def _spread(value: Value) -> Spread:
    return Spread(value[0], value[1], FOLDS, FOLDS)


def _told(found: Analysis, name: str) -> str:
    return name.replace("the target", found.tested.target)
