"""The images that are learnt from without labels, and those that must not be: kept apart by group and by hash.

Whoever is tested later must be unknown to the encoder. So a pool leaves out every image that is named as tested, every
other file with the same SHA-256, and every image of the same group: the same patient, lesion, or near-duplicate.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from poxlens.data.importing.walk import walk
from poxlens.data.manifest import Manifest, Row, read_manifest
from poxlens.data.splits.units import Groups, find_groups, with_groups
from poxlens.errors import ManifestError, TrainingError
from poxlens.files import sha256_bytes, sha256_file, write_atomically

POOL, EXCLUDED, SKIPPED = "pool.csv", "excluded.csv", "skipped.csv"
UNLABELLED = "unlabelled"

Advance = Callable[[int], None]
Condition = Mapping[str, str]
"""Column -> value; all of them must hold."""


@dataclass(frozen=True)
class Asked:
    """What is to be learnt from, and what not."""

    sources: tuple[Path, ...]  # tables of images, and folders
    groups: Path | None = None  # CSV file,group of near-duplicates, for all tables together
    exclude: tuple[Path, ...] = ()  # tables of images that are tested later
    exclude_rows: tuple[Condition, ...] = ()  # rows of the sources that are
    watch: tuple[Path, ...] = ()  # tables of labelled images for the monitor; excluded as well


@dataclass(frozen=True)
class Named:
    """All images that are spoken of, and of each whether it is "learnt", "excluded" or "watched"."""

    rows: tuple[Row, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """An image that is not learnt from."""

    file: str
    why: str


@dataclass(frozen=True)
class Pool:
    """What is learnt from, what watches, what is left out; each row with its SHA-256 and group."""

    learnt: tuple[Row, ...]
    watched: tuple[Row, ...]  # labelled, none of them of a group that is learnt from
    excluded: tuple[Left, ...]
    skipped: tuple[Left, ...]  # cannot be read

    @property
    def text(self) -> str:
        """pool.csv."""
        return _csv(("file", "sha256", "group"), [(row.file, row.sha256, row.group) for row in self.learnt])

    @property
    def sha256(self) -> str:
        """Of pool.csv."""
        return sha256_bytes(self.text.encode())

    def write(self, folder: Path) -> None:
        """pool.csv, excluded.csv and skipped.csv."""
        write_atomically(folder / POOL, self.text)
        for name, some in ((EXCLUDED, self.excluded), (SKIPPED, self.skipped)):
            write_atomically(folder / name, _csv(("file", "why"), [(one.file, one.why) for one in some]))

    def without(self, faults: Mapping[Path, str]) -> Pool:
        """The same without files that turned out to be damaged.

        Args:
            faults: path -> reason.
        """
        bad = [
            Left(row.file, faults[row.path]) for row in (*self.learnt, *self.watched) if row.path in faults
        ]
        return replace(
            self,
            learnt=tuple(row for row in self.learnt if row.path not in faults),
            watched=tuple(row for row in self.watched if row.path not in faults),
            skipped=(*self.skipped, *bad),
        )


def read_pool(
    asked: Asked, named: Named | None = None, *, workers: int = 2, advance: Advance | None = None
) -> Pool:
    """Find the images, hash every file, and leave out what must not be learnt from.

    Args:
        asked: what.
        named: of `find_images`, where that was called before.
        workers: files read at once.
        advance: called with 1 for each file.

    Raises:
        ManifestError: a table or folder cannot be read.
        SplitError: the list of groups cannot be read or names none of the images.
        TrainingError: no image is left, or the condition of excluded rows fits none.
    """
    named = find_images(asked) if named is None else named
    hashed, skipped = _hashed(named.rows, workers, advance)
    rows, kind = [], []
    for row, one in zip(named.rows, named.kinds, strict=True):
        found = hashed.get(row.path, "")
        if not found and one == "learnt":
            continue
        if not found and not row.sha256:
            raise TrainingError(
                f"{row.file} is to be excluded, but is neither there nor has the table its SHA-256"
            )
        rows.append(replace(row, sha256=found or row.sha256))
        kind.append(one)
    table = Manifest(tuple(rows), Path(), "")
    if asked.groups is not None:
        table = with_groups(table, asked.groups)
    return _parted(table, kind, find_groups(table), hashed, skipped)


def learnt_hashes(path: Path) -> frozenset[str]:
    """SHA-256 of every image that an encoder has learnt from.

    Args:
        path: the run folder of `poxlens pretrain`, or its encoder.safetensors.

    Raises:
        TrainingError: its pool.csv is missing or damaged.
    """
    file = (path if path.is_dir() else path.parent) / POOL
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))
        found = frozenset(row["sha256"] for row in rows)
    except (OSError, KeyError, ValueError) as fault:
        raise TrainingError(f"{file} does not tell what the encoder has learnt from: {fault}") from fault
    if not found or any(len(one) != 64 for one in found):
        raise TrainingError(f"{file} does not tell what the encoder has learnt from: a SHA-256 is missing")
    return found


def check_unseen(path: Path, rows: Sequence[Row]) -> None:
    """Whether an encoder has learnt from none of the images that it is to be tested on.

    Args:
        path: the run folder of `poxlens pretrain`, or its encoder.safetensors.
        rows: the tested images; their files are hashed where the table does not.

    Raises:
        TrainingError: it has; names the first of them.
    """
    known = learnt_hashes(path)
    seen = [row.file for row in rows if (row.sha256 or sha256_file(row.path)) in known]
    if seen:
        raise TrainingError(
            f"the encoder of {path} has learnt from {len(seen)} of the tested images ({seen[0]}): "
            "pretrain it anew with --exclude"
        )


def find_images(asked: Asked) -> Named:
    """Read the tables and list the folders.

    Raises:
        ManifestError: a table or folder cannot be read.
        TrainingError: the condition of excluded rows fits none.
    """
    rows: list[Row] = []
    kinds: list[str] = []
    fits = [0] * len(asked.exclude_rows)
    for source in asked.sources:
        for row in _rows_of(source):
            hits = [place for place, one in enumerate(asked.exclude_rows) if _fits(row, one)]
            for place in hits:
                fits[place] += 1
            rows.append(row)
            kinds.append("excluded" if hits else "learnt")
    for place, count in enumerate(fits):
        if count == 0:
            told = ",".join(f"{name}={value}" for name, value in asked.exclude_rows[place].items())
            raise TrainingError(f"no image fits {told}: nothing would be excluded by it")
    for kind, tables in (("excluded", asked.exclude), ("watched", asked.watch)):
        for path in tables:
            some = read_manifest(path).rows
            rows += some
            kinds += [kind] * len(some)
    return Named(tuple(rows), tuple(kinds))


def _rows_of(source: Path) -> tuple[Row, ...]:
    if not source.is_dir():
        return read_manifest(source).rows
    found = walk(source)
    if not found.images:
        raise ManifestError(f"{source}: there is no image in this folder")
    name = source.resolve().name
    return tuple(Row(f"{name}/{one}", source / one, UNLABELLED, name) for one in found.images)


def _fits(row: Row, condition: Condition) -> bool:
    return all(str(getattr(row, name, "")) == value for name, value in condition.items())


def _hashed(
    rows: Sequence[Row], workers: int, advance: Advance | None
) -> tuple[dict[Path, str], dict[Path, Left]]:
    """SHA-256 of each file that can be read, and why another cannot."""
    wanted = list({row.path: row for row in rows}.values())

    def look(row: Row) -> str | OSError:
        try:
            return sha256_file(row.path)
        except OSError as fault:
            return fault

    found: dict[Path, str] = {}
    faults: dict[Path, Left] = {}
    with ThreadPoolExecutor(workers) as pool:
        for row, answer in zip(wanted, pool.map(look, wanted), strict=True):
            if isinstance(answer, str):
                found[row.path] = answer
            else:
                faults[row.path] = Left(row.file, f"cannot be read: {answer.strerror or answer}")
            if advance:
                advance(1)
    return found, faults


def _parted(
    table: Manifest,
    kinds: Sequence[str],
    groups: Groups,
    hashed: Mapping[Path, str],
    faults: Mapping[Path, Left],
) -> Pool:
    apart = np.array([kind != "learnt" for kind in kinds])
    barred = set(groups.of[apart].tolist())
    sums = {row.sha256 for row, away in zip(table.rows, apart.tolist(), strict=True) if away}
    learnt: list[Row] = []
    excluded: list[Left] = []
    seen: set[str] = set()
    for row, kind, group in zip(table.rows, kinds, groups.of.tolist(), strict=True):
        if kind != "learnt":
            excluded.append(Left(row.file, "named"))
        elif row.sha256 in sums:
            excluded.append(Left(row.file, "the same file as an excluded one"))
        elif group in barred:
            excluded.append(Left(row.file, f"of the group of an excluded one: {groups.names[group]}"))
        elif row.sha256 in seen:
            excluded.append(Left(row.file, "the same file as another of the pool"))
        else:
            seen.add(row.sha256)
            learnt.append(replace(row, group=groups.names[group]))
    if not learnt:
        raise TrainingError(f"no image is left to learn from: all {len(excluded)} are excluded or unreadable")
    watched = _watched(table, kinds, groups, hashed)
    return Pool(tuple(learnt), watched, tuple(excluded), tuple(faults.values()))


def _watched(
    table: Manifest, kinds: Sequence[str], groups: Groups, hashed: Mapping[Path, str]
) -> tuple[Row, ...]:
    """The monitor's own tables, else whatever is excluded and has a label."""
    kind = "watched" if "watched" in kinds else "excluded"
    found: dict[str, Row] = {}
    for row, own, group in zip(table.rows, kinds, groups.of.tolist(), strict=True):
        if own == kind and row.path in hashed and row.label != UNLABELLED:
            found.setdefault(row.sha256, replace(row, group=groups.names[group]))
    return tuple(found.values())


def _csv(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return stream.getvalue()
