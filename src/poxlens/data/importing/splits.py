"""The splits that a set ships, in folders or tables, by the files that were imported."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from poxlens.data.catalogue.spec import SetSpec
from poxlens.data.importing.place import Place
from poxlens.data.importing.side_tables import Said
from poxlens.data.manifest import Row
from poxlens.data.official import Placed


def official_splits(
    spec: SetSpec, places: Iterable[Place], rows: Sequence[tuple[Place, Row]], said: Said
) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    """Where the authors placed each imported original, and what is to be known of it.

    An image that stands in two parts of one split is in none of them, and told.

    Args:
        spec: the set.
        places: all its images, those in fold folders too.
        rows: the imported originals.
        said: what its tables say.
    """
    parts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in places:
        split = _split(spec, one)
        if split and one.part:
            parts[_key(spec, one), split].add(one.part)
    for (image, split), part in said.parts.items():
        parts[image, split].add(part)
    found: list[Placed] = []
    twice: Counter[str] = Counter()
    splits = sorted({split for _, split in parts})
    for split in splits:
        for one, row in rows:
            told = parts.get((_key(spec, one), split), set())
            if len(told) == 1:
                found.append(Placed(row.file, split, next(iter(told))))
            twice[split] += len(told) > 1
    notes = [
        f"{split}: {twice[split]:,} images stand in two of its parts and are left out of it."
        for split in splits
        if twice[split]
    ]
    notes += _notes(splits, found, [row for _, row in rows])
    return tuple(sorted(found)), tuple(notes)


def _notes(splits: Sequence[str], found: Sequence[Placed], rows: Sequence[Row]) -> list[str]:
    patient = {row.file: row.person for row in rows if row.patient}
    notes = []
    for split in splits:
        placed = [one for one in found if one.split == split]
        parts: dict[str, set[str]] = defaultdict(set)
        for one in placed:
            if one.file in patient:
                parts[patient[one.file]].add(one.part)
        torn = sum(len(where) > 1 for where in parts.values())
        if torn:
            notes.append(
                f"{split}: {torn:,} patients stand in more than one part: a leak in the official split."
            )
        if len(placed) < len(rows):
            notes.append(f"{split}: {len(rows) - len(placed):,} imported images are in none of its parts.")
    return notes


def _split(spec: SetSpec, one: Place) -> str:
    if spec.fold_folders:
        return one.fold
    return spec.split_folders or ("folders" if not spec.classes and not one.augmented else "")


def _key(spec: SetSpec, one: Place) -> str:
    """By image where a split lists images or copies; by file where each file stands once."""
    return one.image.lower() if spec.fold_folders or spec.tables else str(one.file)
