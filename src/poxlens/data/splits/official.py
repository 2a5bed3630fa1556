"""Splits that a data set ships: read from a table, matched with the images by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from poxlens.data.manifest import Manifest
from poxlens.data.splits.cells import read_cells
from poxlens.errors import SplitError

PARTS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_NAMES = ("file", "image", "filename", "name")  # columns that may name the image


@dataclass
class Official:
    """One shipped division into parts."""

    name: str
    parts: dict[str, list[int]] = field(default_factory=lambda: {"train": [], "val": [], "test": []})  # rows


def read_official(path: Path, manifest: Manifest) -> list[Official]:
    """The divisions of a CSV.

    A column names the image (file, image, filename or name): its path in the table, or its file name with or
    without the ending. Either `part` says train, val or test, and `split`, if there is one, which of several
    divisions the row speaks of; or `split` alone says train, val or test (as MSLD's own file); or `fold` names
    the one fold that tests the image.

    Raises:
        SplitError: no such columns or parts, a name that no image or more than one has, an image in two parts, a
            division without training or test part; names row, image and what is known.
    """
    rows = list(read_cells(path, ()))
    if not rows:
        raise SplitError(f"{path}: names no image.")
    columns = set(rows[0][1])
    name = next((column for column in _NAMES if column in columns), None)
    if name is None:
        raise SplitError(f"{path}, row 1: no column that names the image; one of: {', '.join(_NAMES)}.")
    places = _places(path, manifest, [(number, cells[name]) for number, cells in rows])
    if "part" in columns or "split" in columns:
        found = _by_part(path, manifest, rows, places)
    elif "fold" in columns:
        found = _by_fold(path, manifest, rows, places)
    else:
        raise SplitError(f'{path}, row 1: no column "part" (train, val, test) and none named "fold".')
    for one in found:
        missing = [part for part in ("train", "test") if not one.parts[part]]
        if missing:
            raise SplitError(f"{path}: {one.name or 'the split'} has no {' and no '.join(missing)} part.")
    return found


Numbered = list[tuple[int, dict[str, str]]]


def _by_part(path: Path, manifest: Manifest, rows: Numbered, places: list[int]) -> list[Official]:
    column = "part" if "part" in rows[0][1] else "split"
    found: dict[str, Official] = {}
    seen: dict[tuple[str, int], tuple[int, str]] = {}
    for (number, cells), place in zip(rows, places, strict=True):
        part = PARTS.get(cells[column].lower())
        if part is None:
            raise SplitError(
                f'{path}, row {number}, column "{column}": "{cells[column]}" is not train, val or test.'
            )
        name = cells.get("split", "") if column == "part" else ""
        before, other = seen.setdefault((name, place), (number, part))
        if before != number:
            where = (
                f"in {other} in row {before} and in {part} here"
                if other != part
                else f"in row {before} already"
            )
            raise SplitError(f"{path}, row {number}: {manifest.rows[place].file} is {where}.")
        found.setdefault(name, Official(name)).parts[part].append(place)
    return list(found.values())


def _by_fold(path: Path, manifest: Manifest, rows: Numbered, places: list[int]) -> list[Official]:
    tested: dict[str, list[int]] = {}
    seen: dict[int, tuple[int, str]] = {}
    for (number, cells), place in zip(rows, places, strict=True):
        fold = cells["fold"]
        if not fold:
            raise SplitError(f'{path}, row {number}, column "fold": is empty.')
        before, other = seen.setdefault(place, (number, fold))
        if before != number:
            raise SplitError(
                f"{path}, row {number}: {manifest.rows[place].file} is in fold {other} in row {before}"
                f" and in fold {fold} here."
            )
        tested.setdefault(fold, []).append(place)
    found = []
    for fold in sorted(tested, key=lambda name: (len(name), name)):  # 2 before 10
        rest = [place for other, held in tested.items() if other != fold for place in held]
        found.append(Official(f"fold {fold}", {"train": rest, "val": [], "test": tested[fold]}))
    return found


def _places(path: Path, manifest: Manifest, names: Iterable[tuple[int, str]]) -> list[int]:
    """The row of the table that each (row number, name) means."""
    whole: dict[str, list[int]] = {}
    for place, row in enumerate(manifest.rows):
        pure = PurePosixPath(row.file.replace("\\", "/"))
        for key in {row.file, pure.name, pure.stem}:
            whole.setdefault(key, []).append(place)
    found = []
    for number, name in names:
        # A shipped list may name the folder of its own layout: the file's name is tried after the whole path.
        places = whole.get(name) or whole.get(PurePosixPath(name.replace("\\", "/")).name, [])
        exact = [place for place in places if manifest.rows[place].file == name]
        if len(exact or places) != 1:
            some = ", ".join(manifest.rows[place].file for place in places[:3])
            told = f"is the name of {len(places)} images ({some})" if places else "is no image of the table"
            raise SplitError(f'{path}, row {number}: "{name}" {told}.')
        found.append((exact or places)[0])
    return found
