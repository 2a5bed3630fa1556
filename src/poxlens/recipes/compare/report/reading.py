"""predictions.csv of a study in memory, checked: what every figure of the report is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.files import sha256_bytes
from poxlens.recipes.compare.report.rows import Place, ReportError, Row, read_rows, table_bytes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Model:
    """One network with one setting, tested on every image in every repeat."""

    network: str
    setting: str
    probabilities: Floats  # [R, N, C], out-of-fold

    @property
    def name(self) -> str:
        """For tables and files."""
        return f"{self.network} {self.setting}"

    @cached_property
    def decided(self) -> Ints:
        """[R, N], the most probable class."""
        found: Ints = self.probabilities.argmax(axis=2).astype(np.int64)
        return found


@dataclass(frozen=True)
class Incomplete:
    """A network with a setting that lacks folds: it is named, and no figure of it is given."""

    network: str
    setting: str
    missing: tuple[Place, ...]

    @property
    def told(self) -> str:
        """In words."""
        shown = ", ".join(f"{repeat}.{fold}" for repeat, fold in self.missing[:10])
        more = f" and {len(self.missing) - 10} more" if len(self.missing) > 10 else ""
        return f"{self.network} {self.setting}: no predictions for fold {shown}{more} (repeat.fold)"


@dataclass(frozen=True, eq=False)
class Tested:
    """All predictions of a study; images in the order of their file names."""

    classes: tuple[str, ...]
    target: str
    files: tuple[str, ...]  # [N]
    truth: Ints  # [N], class numbers
    group: NDArray[np.str_]  # [N]
    tone: NDArray[np.str_]  # [N], an estimate
    fold: Ints  # [R, N], the fold that tested each image
    models: tuple[Model, ...]
    incomplete: tuple[Incomplete, ...]
    sha256: str  # of predictions.csv, unpacked

    @property
    def place(self) -> int:
        """The target's class number."""
        return self.classes.index(self.target)

    @property
    def positive(self) -> NDArray[np.bool_]:
        """[N], whether the image shows the target."""
        return np.equal(self.truth, self.place)

    @property
    def repeats(self) -> int:
        """How many."""
        return len(self.fold)

    @property
    def networks(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(model.network for model in self.models))

    @property
    def settings(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(model.setting for model in self.models))

    def of(self, network: str, setting: str) -> Model | None:
        """That model, None when it was not run or is incomplete."""
        return next(
            (model for model in self.models if (model.network, model.setting) == (network, setting)), None
        )


def read_tested(path: Path, target: str, expected: Sequence[Place] = ()) -> Tested:
    """Read and check predictions.csv.

    Args:
        path: the file.
        target: the class that is screened for.
        expected: the folds that the study asked for; those that occur in the file when empty.

    Raises:
        ReportError: the file is missing, its columns are others, a cell is not as it should be, an image is tested
            twice in a repeat or not in all of them, there is one class only, or no model is complete.
    """
    classes, rows = read_rows(path)
    if target not in classes:
        raise ReportError(f"{path}: has no column p_{target}, the class that the study screens for.")
    tables: dict[tuple[str, str], dict[Place, list[Row]]] = {}
    for row in rows:
        tables.setdefault(row.model, {}).setdefault(row.place, []).append(row)
    places = sorted(set(expected) | {row.place for row in rows})
    facts = _facts(path, rows)
    files = sorted(facts)
    at = {file: number for number, file in enumerate(files)}
    truth = np.array([classes.index(facts[file].label) for file in files])
    if len(np.unique(truth)) < 2:
        raise ReportError(
            f"{path}: every image is labelled {facts[files[0]].label}: nothing can be compared."
        )
    whole = {name: table for name, table in tables.items() if len(table) == len(places)}
    lacking = tuple(
        Incomplete(*name, tuple(place for place in places if place not in table))
        for name, table in tables.items()
        if name not in whole
    )
    if not whole:
        raise ReportError(f"{path}: no network has all folds. First: {lacking[0].told}.")
    fold = _folds(path, next(iter(whole.values())), at)
    models = tuple(
        Model(*name, _probabilities(path, name, table, at, fold, len(classes)))
        for name, table in whole.items()
    )
    return Tested(
        classes=classes,
        target=target,
        files=tuple(files),
        truth=truth,
        group=np.array([facts[file].group for file in files], dtype=str),
        tone=np.array([facts[file].tone for file in files], dtype=str),
        fold=fold,
        models=models,
        incomplete=lacking,
        sha256=sha256_bytes(table_bytes(path) or b""),
    )


def _facts(path: Path, rows: Sequence[Row]) -> dict[str, Row]:
    """One row of each file, all of which say the same of it."""
    facts: dict[str, Row] = {}
    for row in rows:
        known = facts.setdefault(row.file, row)
        if (known.label, known.group, known.tone) != (row.label, row.group, row.tone):
            raise ReportError(f"{path}: rows of {row.file} differ in label, group or tone.")
    return facts


def _folds(path: Path, table: dict[Place, list[Row]], at: dict[str, int]) -> Ints:
    repeats = sorted({repeat for repeat, _ in table})
    fold = np.full((len(repeats), len(at)), -1, np.int64)
    for (repeat, number), rows in table.items():
        line = repeats.index(repeat)
        for row in rows:
            if fold[line, at[row.file]] != -1:
                raise ReportError(f"{path}: {row.file} is tested twice in repeat {repeat}.")
            fold[line, at[row.file]] = number
    if (fold == -1).any():
        line, column = (int(value) for value in np.argwhere(fold == -1)[0])
        file = next(file for file, number in at.items() if number == column)
        raise ReportError(f"{path}: {file} is not tested in repeat {repeats[line]}, but in others it is.")
    return fold


def _probabilities(
    path: Path,
    name: tuple[str, str],
    table: dict[Place, list[Row]],
    at: dict[str, int],
    fold: Ints,
    classes: int,
) -> Floats:
    repeats = sorted({repeat for repeat, _ in table})
    found = np.full((*fold.shape, classes), np.nan)
    for (repeat, number), rows in table.items():
        line = repeats.index(repeat)
        for row in rows:
            column = at[row.file]
            if fold[line, column] != number or not np.isnan(found[line, column, 0]):
                raise ReportError(
                    f"{path}: {' '.join(name)} tests {row.file} in other folds of repeat {repeat} than"
                    " the first network does."
                )
            found[line, column] = row.probabilities
    if np.isnan(found).any():
        raise ReportError(f"{path}: {' '.join(name)} lacks images that the first network is tested on.")
    return found
