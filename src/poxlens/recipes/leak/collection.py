"""From a table of images to the collection that all protocols share: which images, which classes, which groups."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import ManifestError, TrainingError
from poxlens.recipes.leak.protocols import Collection, Ints


def read_groups(path: Path) -> dict[str, str]:
    """File -> group, from a CSV with the columns file and group; others are ignored.

    Raises:
        ManifestError: the table cannot be read, lacks a column, or names a file twice or without a group.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}.") from fault
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in ("file", "group") if name not in (reader.fieldnames or ())]
    if missing:
        raise ManifestError(f'{path}, row 1: no column "{missing[0]}"; a table of groups has file and group.')
    groups: dict[str, str] = {}
    for number, cells in enumerate(reader, start=2):
        file, group = (cells["file"] or "").strip(), (cells["group"] or "").strip()
        if not file or not group:
            raise ManifestError(f"{path}, row {number}: file or group is empty.")
        name = str(PurePosixPath(file))
        if name in groups:
            raise ManifestError(f'{path}, row {number}, column "file": {file} is there already.')
        groups[name] = group
    return groups


def choose_rows(
    manifest: Manifest, dataset: str | None, others: Sequence[str], target: str, *, binary: bool = False
) -> tuple[list[Row], list[str], tuple[str, ...]]:
    """The rows that take part, the class of each, and the classes, the target first.

    The classes are the labels of the tested data set; with `binary`, or where it has two labels, every label but
    the target means "the rest". Rows of other data sets whose label is no class then are left out.

    Args:
        manifest: the table.
        dataset: the tested data set; None for the whole table as one.
        others: data sets that are learnt from as well in "merged" and "strict".
        target: the label screened for.
        binary: target against everything else.

    Raises:
        TrainingError: a data set has no row, the target is no label of it, or it has no other label.
    """
    known = sorted({row.dataset for row in manifest.rows})
    for name in (*([dataset] if dataset is not None else []), *others):
        if name not in known:
            raise TrainingError(f'no row has the data set "{name}"; there are: {", ".join(known)}')
    tested = [row for row in manifest.rows if dataset is None or row.dataset == dataset]
    labels = sorted({row.label for row in tested})
    if target not in labels:
        raise TrainingError(f'no image has the label "{target}"; there are: {", ".join(labels)}')
    rest = [label for label in labels if label != target]
    if not rest:
        raise TrainingError(f'every image has the label "{target}": there is nothing to tell it from')
    two = binary or len(rest) == 1
    classes = (target, rest[0] if len(rest) == 1 else "others") if two else (target, *rest)
    rows = tested + [row for row in manifest.rows if row.dataset in others]
    named = [row.label if row.label in classes or not two else classes[1] for row in rows]
    kept = [place for place, name in enumerate(named) if name in classes]
    return [rows[place] for place in kept], [named[place] for place in kept], classes


def collect(
    rows: Sequence[Row],
    named: Sequence[str],
    classes: tuple[str, ...],
    groups: Mapping[str, str],
    dataset: str | None,
) -> Collection:
    """Join everything that belongs together: the person, the table's group, and the group of `groups`.

    Args:
        rows: the images, N.
        named: class of each.
        classes: all classes.
        groups: file -> group, across data sets; may lack files.
        dataset: the tested data set; None for all.
    """
    return Collection(
        files=tuple(row.file for row in rows),
        label=np.array([classes.index(name) for name in named], np.int64),
        group=_joined(rows, groups),
        tested=np.array([dataset is None or row.dataset == dataset for row in rows]),
        classes=classes,
    )


def _joined(rows: Sequence[Row], groups: Mapping[str, str]) -> Ints:
    """[N], numbered in the order of first appearance."""
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    for row in rows:
        keys = [row.person, *([f"table/{row.dataset}/{row.group}"] if row.group else [])]
        name = str(PurePosixPath(row.file))
        keys += [f"groups/{groups[name]}"] if name in groups else []
        for key in keys[1:]:
            parent[find(key)] = find(keys[0])
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(find(row.person), len(numbers)) for row in rows], np.int64)
