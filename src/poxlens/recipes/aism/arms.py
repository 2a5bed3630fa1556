"""What every arm said of every image that it did not learn from: the one table all figures are computed from."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import ManifestError
from poxlens.evaluate.calibration import softmax
from poxlens.files import write_atomically
from poxlens.recipes.aism.units import Result
from poxlens.recipes.compare.cases import Cases

COLUMNS = ("repeat", "fold", "network", "setting", "share", "file", "group", "label", "temperature")
"""As of the other studies, the arm being the setting; then the share of labels, and p_CLASS for each class."""
FILE = "predictions.csv"
_LEAST = 1e-6  # what six digits keep of a probability

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Said:
    """One arm at one share of the labels, out of fold. Rows are in the order of file names, then folds."""

    arm: str
    share: float
    files: NDArray[np.str_]  # [T]
    groups: NDArray[np.str_]  # [T]
    folds: Ints  # [T], counted from 1
    truth: Ints  # [T]
    raw: Doubles  # [T, C], as the network or head gives them
    calibrated: Doubles  # [T, C], with the temperature that suits the fold's validation part

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return self.arm if self.share == 1 else f"{self.arm}, {self.share:.0%} of the labels"

    @property
    def decided(self) -> Ints:
        """[T] the most probable class; calibration does not change it."""
        found: Ints = self.raw.argmax(1).astype(np.int64)
        return found

    def rows(self, chosen: NDArray[np.bool_]) -> Said:
        """Some of the rows."""
        return replace(
            self,
            files=self.files[chosen],
            groups=self.groups[chosen],
            folds=self.folds[chosen],
            truth=self.truth[chosen],
            raw=self.raw[chosen],
            calibrated=self.calibrated[chosen],
        )


def write_predictions(
    path: Path,
    cases: Cases,
    results: Sequence[Result],
    frozen: Path | None = None,
    names: Mapping[str, str] | None = None,
) -> None:
    """Write the out-of-fold probabilities of all finished trainings, and of the frozen networks' heads.

    Args:
        path: the CSV.
        cases: the study's images.
        results: of the trainings.
        frozen: predictions.csv of `poxlens compare` on the same folds.
        names: "NETWORK, SETTING" of these -> what they are called.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*COLUMNS, *(f"p_{name}" for name in cases.classes)))
    for one in results:
        unit = one.unit
        for at, values in sorted(
            zip(one.test.tolist(), one.probabilities, strict=True), key=lambda pair: cases.rows[pair[0]].file
        ):
            row = cases.rows[at]
            told = (row.file, cases.groups.names[cases.groups.of[at]], row.label, f"{one.temperature:.4f}")
            who = (0, unit.number - 1, unit.arm.network, unit.arm.name, f"{unit.share:g}")
            writer.writerow((*who, *told, *_written(values)))
    for row in _frozen(frozen, cases.classes, names or {}) if frozen is not None else ():
        writer.writerow(row)
    write_atomically(path, stream.getvalue())


def _written(values: Sequence[float] | NDArray[np.float32]) -> list[str]:
    return [f"{float(value):.6f}" for value in values]


def _frozen(path: Path, classes: Sequence[str], names: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Rows of a comparison's table; its heads have their temperature already."""
    found = []
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        for row in reader:
            name = f"{row['network']}, {row['setting']}"
            who = (row["repeat"], row["fold"], row["network"], names.get(name, name), "1")
            told = (row["file"], row["group"], row["label"], "1.0000")
            found.append((*who, *told, *(row[f"p_{one}"] for one in classes)))
    return found


def read_predictions(
    path: Path, ensembles: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, ...], list[Said]]:
    """The classes and what every arm said; ensembles are made here, as means of their members.

    Args:
        path: of `write_predictions`; may be gzipped.
        ensembles: name -> arms; one with a member that is not there is left out.

    Raises:
        ManifestError: the file cannot be read, or lacks a column or a number; names the row.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}") from fault
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = reader.fieldnames or ()
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ManifestError(f'{path}: no column "{missing[0]}"')
    classes = tuple(name.removeprefix("p_") for name in names if name.startswith("p_"))
    tables: dict[tuple[str, float], list[tuple[str, str, int, int, float, list[float]]]] = {}
    for number, row in enumerate(reader, start=2):
        try:
            key = (row["setting"], float(row["share"]))
            values = [float(row[f"p_{name}"]) for name in classes]
            truth = classes.index(row["label"])
            fold = int(row["fold"]) + 1
            told = (row["file"], row["group"], fold, truth, float(row["temperature"]), values)
        except (ValueError, TypeError) as fault:
            raise ManifestError(f"{path}, row {number}: {fault}") from fault
        tables.setdefault(key, []).append(told)
    found = [_said(arm, share, rows) for (arm, share), rows in tables.items()]
    known = {one.arm: one for one in found if one.share == 1}
    for name, members in ensembles.items():
        if all(member in known for member in members):
            found.append(_mean(name, [known[member] for member in members]))
    return classes, found


def _said(arm: str, share: float, rows: list[tuple[str, str, int, int, float, list[float]]]) -> Said:
    rows = sorted(rows, key=lambda row: (row[0], row[2]))
    raw = np.maximum(np.array([row[5] for row in rows]), _LEAST)
    raw /= raw.sum(1, keepdims=True)
    temperature = np.array([row[4] for row in rows])
    return Said(
        arm,
        share,
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.int64),
        raw,
        softmax(np.log(raw) / temperature[:, None]),
    )


def _mean(name: str, members: Sequence[Said]) -> Said:
    """The mean of calibrated and of raw probabilities, on the rows that all members have."""
    parts = common(members)
    return Said(
        name,
        1.0,
        parts[0].files,
        parts[0].groups,
        parts[0].folds,
        parts[0].truth,
        np.mean([one.raw for one in parts], axis=0),
        np.mean([one.calibrated for one in parts], axis=0),
    )


def common(several: Sequence[Said]) -> list[Said]:
    """The rows (image and fold) that all have, in the same order."""
    keys = [set(zip(one.files.tolist(), one.folds.tolist(), strict=True)) for one in several]
    shared = set.intersection(*keys)
    return [
        one.rows(
            np.array(
                [key in shared for key in zip(one.files.tolist(), one.folds.tolist(), strict=True)], bool
            )
        )
        for one in several
    ]
