"""What each head said of each tested image, on disk: one file a protocol, from which every figure is computed."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import ManifestError
from poxlens.files import write_atomically

_FIELDS = ("head", "copies", "repeat", "fold", "protocol", "file", "copy", "group", "label")
_Cells = dict[str, str]


@dataclass(frozen=True, eq=False)
class Tested:
    """One head on T tested units (images or copies), each tested once in each of R repeats."""

    head: str
    copies: int  # augmented copies of each image
    protocol: str
    classes: tuple[str, ...]
    file: NDArray[np.str_]  # [T]
    copy: NDArray[np.int64]  # [T], 0 is the image itself
    group: NDArray[np.str_]  # [T]
    label: NDArray[np.int64]  # [T], class number
    fold: NDArray[np.int64]  # [R, T]
    probability: NDArray[np.float64]  # [R, T, C]

    @property
    def decided(self) -> NDArray[np.int64]:
        """[R, T], number of the most probable class."""
        return np.asarray(self.probability.argmax(2), np.int64)


def write_tested(folder: Path, tested: Iterable[Tested]) -> dict[str, Path]:
    """Write predictions-PROTOCOL.csv.gz for each protocol; the same predictions give the same bytes.

    Returns:
        Protocol -> the file.

    Raises:
        OSError: a file cannot be written.
    """
    by_protocol: dict[str, list[Tested]] = {}
    for one in tested:
        by_protocol.setdefault(one.protocol, []).append(one)
    written = {}
    for protocol, some in by_protocol.items():
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_FIELDS, *(f"p_{name}" for name in some[0].classes)])
        for one in some:
            writer.writerows(_rows(one))
        path = folder / f"predictions-{protocol}.csv.gz"
        write_atomically(path, gzip.compress(text.getvalue().encode(), 9, mtime=0))
        written[protocol] = path
    return written


def read_tested(path: Path) -> list[Tested]:
    """Read one predictions-PROTOCOL.csv.gz (or the same unpacked).

    Raises:
        ManifestError: the file is missing or not one of ours; names the row.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}.") from fault
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = tuple(reader.fieldnames or ())
    if columns[: len(_FIELDS)] != _FIELDS:
        raise ManifestError(
            f"{path}: is not a table of predictions of leak-demo (its first columns are others)."
        )
    classes = tuple(name.removeprefix("p_") for name in columns[len(_FIELDS) :])
    runs: dict[tuple[str, int, str], list[_Cells]] = {}
    for number, cells in enumerate(reader, start=2):
        if None in cells.values() or None in cells:
            raise ManifestError(f"{path}, row {number}: has not as many cells as the header.")
        if cells["label"] not in classes:
            raise ManifestError(f'{path}, row {number}, column "label": {cells["label"]} has no probability.')
        if not cells["copies"].isdecimal():
            raise ManifestError(f'{path}, row {number}, column "copies": {cells["copies"]} is no number.')
        runs.setdefault((cells["head"], int(cells["copies"]), cells["protocol"]), []).append(cells)
    try:
        return [_tested(key, rows, classes) for key, rows in runs.items()]
    except (ValueError, TypeError, KeyError) as fault:
        raise ManifestError(f"{path}: {fault}.") from fault


def _rows(one: Tested) -> Iterator[list[object]]:
    labels = [one.classes[number] for number in one.label]
    for repeat, (folds, shares) in enumerate(zip(one.fold, one.probability, strict=True)):
        for unit, fold in enumerate(folds):
            yield [
                one.head,
                one.copies,
                repeat,
                fold,
                one.protocol,
                one.file[unit],
                one.copy[unit],
                one.group[unit],
                labels[unit],
                *(f"{share:.4f}" for share in shares[unit]),
            ]


def _tested(key: tuple[str, int, str], rows: list[_Cells], classes: tuple[str, ...]) -> Tested:
    head, copies, protocol = key
    repeats = 1 + max(int(cells["repeat"]) for cells in rows)
    if len(rows) % repeats:
        raise ValueError(f"{head}, {copies} copies: {len(rows)} rows are not {repeats} whole repeats")
    count = len(rows) // repeats
    first = rows[:count]
    for place, cells in enumerate(rows):
        expected = (str(place // count), first[place % count]["file"], first[place % count]["copy"])
        if (cells["repeat"], cells["file"], cells["copy"]) != expected:
            raise ValueError(f"{head}, {copies} copies: the rows of its repeats are not in the same order")
    shares = np.array([[float(cells[f"p_{name}"]) for name in classes] for cells in rows])
    return Tested(
        head=head,
        copies=copies,
        protocol=protocol,
        classes=classes,
        file=np.array([cells["file"] for cells in first]),
        copy=np.array([int(cells["copy"]) for cells in first]),
        group=np.array([cells["group"] for cells in first]),
        label=np.array([classes.index(cells["label"]) for cells in first]),
        fold=np.array([int(cells["fold"]) for cells in rows]).reshape(repeats, count),
        probability=shares.reshape(repeats, count, len(classes)),
    )
