"""The predictions file of a run: one row an image and repeat. Every figure of a card is computed from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.files import write_atomically
from poxlens.recipes.samples import Sample

Floats = NDArray[np.float64]

_COLUMNS = (
    *("experiment", "repeat", "fold", "file", "part", "source", "label", "group"),
    *("tone", "usable", "novelty", "may_be"),
)


@dataclass(frozen=True, eq=False)
class Rows:
    """What is known of each of N samples apart from predictions."""

    file: NDArray[np.str_]
    part: NDArray[np.str_]  # "" for the whole photo, else the patch
    source: NDArray[np.str_]
    label: NDArray[np.str_]
    group: NDArray[np.int64]
    tone: NDArray[np.str_]  # "light", "dark" or ""
    usable: NDArray[np.bool_]  # passes the quality checks
    novelty: (
        Floats  # by a score that learnt nothing of the sample's group; of a source left out, nothing of it
    )
    possible: NDArray[np.bool_]  # [N, C]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Logits [R, N, C] of one experiment, NaN where a sample was not tested, and the folds [R, N]."""

    rows: Rows
    logits: Floats
    fold: NDArray[np.int64]


def rows_of(
    samples: Sequence[Sample], group: NDArray[np.int64], novelty: Floats, possible: NDArray[np.bool_]
) -> Rows:
    """The rows of samples."""
    return Rows(
        np.array([sample.row.file for sample in samples]),
        np.array([_part(sample) for sample in samples]),
        np.array([sample.row.dataset for sample in samples]),
        np.array([sample.label for sample in samples]),
        group.astype(np.int64),
        np.array([sample.tone.group or "" for sample in samples]),
        np.array([sample.usable for sample in samples]),
        np.asarray(novelty, np.float64),
        possible,
    )


def write_predictions(path: Path, experiments: Mapping[str, Predicted], classes: Sequence[str]) -> None:
    """Write predictions.csv: columns experiment, repeat, fold, file, part, source, label, group, tone, usable,
    novelty, may_be (classes joined by "|") and one logit a class.

    Args:
        path: the file.
        experiments: by name.
        classes: names, in the order of the logits.
    """
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow([*_COLUMNS, *(f"z_{name}" for name in classes)])
    for name, one in experiments.items():
        rows, logits, fold = one.rows, one.logits, one.fold
        may_be = ["|".join(np.asarray(classes)[row]) for row in rows.possible]
        for repeat in range(len(logits)):
            for i in np.flatnonzero(np.isfinite(logits[repeat, :, 0])):
                table.writerow(
                    [name, repeat, fold[repeat, i], rows.file[i], rows.part[i], rows.source[i], rows.label[i]]
                    + [rows.group[i], rows.tone[i], int(rows.usable[i]), f"{rows.novelty[i]:.6g}", may_be[i]]
                    + [f"{z:.6g}" for z in logits[repeat, i]]
                )
    write_atomically(path, buffer.getvalue())


def read_predictions(path: Path, *, only: str | None = None) -> dict[str, Predicted]:
    """The experiments of a predictions.csv, each over the samples that it tested; all, or `only` one of them."""
    with path.open(encoding="utf-8", newline="") as stream:
        records = [one for one in csv.DictReader(stream) if only is None or one["experiment"] == only]
    classes = [name.removeprefix("z_") for name in records[0] if name.startswith("z_")]
    found = {}
    for experiment in dict.fromkeys(record["experiment"] for record in records):
        mine = [record for record in records if record["experiment"] == experiment]
        first: dict[tuple[str, str], int] = {}
        for record in mine:
            first.setdefault((record["file"], record["part"]), len(first))
        count, repeats = len(first), 1 + max(int(record["repeat"]) for record in mine)
        logits = np.full((repeats, count, len(classes)), np.nan)
        fold = np.full((repeats, count), -1)
        known: list[dict[str, str]] = [{}] * count
        for record in mine:
            i, repeat = first[record["file"], record["part"]], int(record["repeat"])
            known[i] = record
            logits[repeat, i] = [float(record[f"z_{name}"]) for name in classes]
            fold[repeat, i] = int(record["fold"])
        found[experiment] = Predicted(_rows(known, classes), logits, fold)
    return found


def _rows(known: Sequence[Mapping[str, str]], classes: Sequence[str]) -> Rows:
    text = {key: np.array([row[key] for row in known]) for key in ("file", "part", "source", "label", "tone")}
    return Rows(
        text["file"],
        text["part"],
        text["source"],
        text["label"],
        np.array([int(row["group"]) for row in known]),
        text["tone"],
        np.array([row["usable"] == "1" for row in known]),
        np.array([float(row["novelty"]) for row in known]),
        np.array([[name in row["may_be"].split("|") for name in classes] for row in known]),
    )


def _part(sample: Sample) -> str:
    patch = sample.patch
    return f"{patch.left},{patch.top},{patch.side}" if patch else ""
