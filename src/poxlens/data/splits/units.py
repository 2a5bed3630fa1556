"""Groups: the images that must stand on one side of every split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest, Row
from poxlens.data.splits.cells import read_cells
from poxlens.errors import SplitError
from poxlens.files import sha256_file


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of the N images of a table, numbered by their first file name, so whatever the order of the rows."""

    of: NDArray[np.int64]  # [N], 0 .. G - 1
    names: tuple[str, ...]  # [G], the patient, the group's own name, or its first file

    @property
    def count(self) -> int:
        """G."""
        return len(self.names)


def find_groups(manifest: Manifest, listed: Mapping[str, str] | None = None) -> Groups:
    """Connected parts of: same patient (or lesion), same `group`, same listed group, same SHA-256.

    Args:
        manifest: the table. Patients are told apart by data set and number; `group` and SHA-256 hold across sets.
        listed: file -> group of near-duplicates (of `read_groups`), for as many files as it names.
    """
    parent = list(range(len(manifest.rows)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[tuple[str, str], int] = {}
    for place, row in enumerate(manifest.rows):
        for key in _keys(row, (listed or {}).get(row.file, "")):
            parent[root(place)] = root(first.setdefault(key, place))
    return _numbered(manifest, [root(place) for place in range(len(parent))])


def read_groups(path: Path, manifest: Manifest) -> dict[str, str]:
    """File -> group of a CSV with the columns file and group, as `poxlens data duplicates` writes it.

    Files of other tables may be in it too and are left out.

    Raises:
        SplitError: the file cannot be read, has other columns, names a file twice with two groups, or none of the
            table's; names the row.
    """
    known = {row.file for row in manifest.rows}
    found: dict[str, tuple[int, str]] = {}
    for number, cells in read_cells(path, ("file", "group")):
        file, group = cells["file"], cells["group"]
        if not file or not group:
            raise SplitError(f"{path}, row {number}: file and group must both be filled.")
        before, same = found.setdefault(file, (number, group))
        if same != group:
            raise SplitError(
                f'{path}, row {number}: {file} is in group "{group}" here and in "{same}" in row {before}.'
            )
    listed = {file: group for file, (_, group) in found.items() if file in known}
    if not listed:
        raise SplitError(
            f"{path}: names none of the {len(known)} files of the table. Was it made from another?"
        )
    return listed


def with_groups(manifest: Manifest, path: Path) -> Manifest:
    """The table with the group of each file that a list of groups names.

    Args:
        manifest: the table.
        path: CSV with the columns file and group, of `poxlens data duplicates`.

    Raises:
        SplitError: as `read_groups` does.
    """
    listed = read_groups(path, manifest)
    rows = tuple(replace(row, group=listed.get(row.file, row.group)) for row in manifest.rows)
    return replace(manifest, rows=rows, groups_sha256=sha256_file(path))


def _keys(row: Row, listed: str) -> list[tuple[str, str]]:
    """What joins a row to others; the kinds are apart, so that patient 7 is not group 7."""
    keys = [("patient", row.person)] if row.patient else []
    keys += [(kind, value) for kind, value in (("group", row.group), ("sha256", row.sha256)) if value]
    return keys + ([("listed", listed)] if listed else [])


def _numbered(manifest: Manifest, roots: list[int]) -> Groups:
    number: dict[int, int] = {}
    names: list[str] = []
    of = np.empty(len(roots), np.int64)
    for place in sorted(range(len(roots)), key=lambda place: manifest.rows[place].file):
        row = manifest.rows[place]
        if roots[place] not in number:
            number[roots[place]] = len(names)
            names.append(row.person.lstrip("/") if row.patient else row.group or row.file)
        of[place] = number[roots[place]]
    return Groups(of, tuple(names))
