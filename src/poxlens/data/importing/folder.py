"""Import a folder as one of the sets of the catalogue."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from poxlens.data.catalogue.spec import SetSpec
from poxlens.data.faults import content_faults
from poxlens.data.faults import name_faults as near_names
from poxlens.data.importing.checks import (
    class_faults,
    copy_faults,
    count_faults,
    known_faults,
    name_faults,
    refuse_other_sets,
    table_faults,
    unreadable_faults,
)
from poxlens.data.importing.originals import originals_of
from poxlens.data.importing.place import Place, place, shared_folders
from poxlens.data.importing.read import Read, read_images
from poxlens.data.importing.result import Imported
from poxlens.data.importing.side_tables import Said, read_side_tables
from poxlens.data.importing.splits import official_splits
from poxlens.data.importing.walk import Found, walk
from poxlens.data.labels import label_faults
from poxlens.data.manifest import Row
from poxlens.data.table import Fault

Progress = Callable[[int], Callable[[int], None]]
"""Called with the number of files to read; what it gives is called with 1 for each file done."""


@dataclass(frozen=True)
class Wish:
    """How to import."""

    base: Path  # the folder that `file` becomes relative to
    dataset: str = ""  # without it the set's name, for the generic set the folder's
    with_augmented: bool = False  # import the copies that the set ships, too
    meaning: Mapping[str, str] = field(default_factory=dict)  # label of a generic set -> ours
    workers: int | None = None  # threads; None: one a core


def import_folder(spec: SetSpec, root: Path, wish: Wish, progress: Progress | None = None) -> Imported:
    """Look at a folder as one of the sets; images are read whole, nothing is written.

    Args:
        spec: the set.
        root: the folder.
        wish: how.
        progress: as Progress says.

    Raises:
        ManifestError: the folder cannot be listed, or is not this set at all.
    """
    found = walk(root)
    said = read_side_tables(spec, root, found.others)
    places = _places(spec, found, said, wish)
    refuse_other_sets(spec, places, sum(one.source is not None and not one.augmented for one in places))
    faults: list[Fault] = [*found.faults, *said.faults, *table_faults(spec, places, said)]
    faults += class_faults(spec, places, found.empty)
    faults += name_faults(spec, places)
    originals, doubles, copies, left_out = _sorted_out(spec, places, wish)
    chosen = [*originals, *doubles, *copies]
    advance = progress(len(chosen)) if progress else None
    answers = read_images([root / one.file for one in chosen], workers=wish.workers, advance=advance)
    read = dict(zip((one.file for one in chosen), answers, strict=True))
    faults += unreadable_faults(chosen, read)
    faults += copy_faults(originals, doubles, read)
    faults += known_faults(spec, ((one, read[one.file]) for one in originals))
    pairs, notes = _rows(spec, root, wish, originals, copies, read, said)
    rows = tuple(row for _, row in pairs)
    faults += count_faults(spec, rows)
    faults += near_names((None, row.file) for row in rows)
    faults += content_faults((None, row) for row in rows)
    if not spec.classes:
        faults += label_faults((None, row.label, row.file) for row in rows)
    notes += _grade_notes(originals, said)
    sound = [(one, row) for one, row in pairs if not one.augmented]
    official, about = official_splits(spec, places, sound, said)
    if left_out["augmented copies"]:
        about = (*about, "Augmented copies were left out; --with-augmented imports them, flagged.")
    left_out["unreadable"] = sum(bool(read[one.file].fault) for one in (*originals, *copies))
    kept = {why: count for why, count in left_out.items() if count}
    return Imported(spec, len(found.images), rows, official, tuple(faults), (*notes, *about), kept)


def _places(spec: SetSpec, found: Found, said: Said, wish: Wish) -> list[Place]:
    outer = 0 if spec.classes else shared_folders(found.images)
    places = []
    for file in found.images:
        one = place(spec, file, outer)
        if spec.labels_from == "table" and said.source:
            one = replace(one, source=said.source.get(one.image.lower()))
        elif not spec.classes and one.source is not None:
            label = wish.meaning.get(one.source.label, one.source.label)
            one = replace(one, source=replace(one.source, label=label))
        places.append(one)
    return places


def _sorted_out(
    spec: SetSpec, places: Sequence[Place], wish: Wish
) -> tuple[list[Place], list[Place], list[Place], dict[str, int]]:
    """Originals to import, the same names again, augmented copies to import, and what is left out."""
    originals: dict[str, Place] = {}
    doubles: list[Place] = []
    copies: list[Place] = []
    left_out: dict[str, int] = defaultdict(int)
    for one in places:
        if spec.fold_folders == "augmented" and one.fold:
            left_out["copies in fold folders"] += 1
        elif one.augmented and wish.with_augmented and one.source is not None:
            copies.append(one)
        elif one.augmented:
            left_out["augmented copies"] += 1
        elif one.source is None:
            left_out["without a class"] += 1
        elif spec.unique_names and one.image.lower() in originals:
            doubles.append(one)
        else:
            originals[one.image.lower() if spec.unique_names else str(one.file)] = one
    again = "the same image in another fold" if spec.fold_folders == "originals" else "the same name again"
    left_out[again] = len(doubles)
    return list(originals.values()), doubles, copies, left_out


def _rows(
    spec: SetSpec,
    root: Path,
    wish: Wish,
    originals: Sequence[Place],
    copies: Sequence[Place],
    read: Mapping[PurePosixPath, Read],
    said: Said,
) -> tuple[list[tuple[Place, Row]], tuple[str, ...]]:
    """A row for each image that can be read, with its place, and what is to be known of the copies."""
    dataset = wish.dataset or (spec.name if spec.classes else root.resolve().name)
    of_copy = originals_of(copies, originals)
    copied = {one.file for one in of_copy.values() if one is not None}
    pairs = []
    for one in (*originals, *copies):
        if read[one.file].fault:
            continue
        original = of_copy.get(one.file, one) or one
        row = _row(spec, root, wish, one, original, read[one.file], said)
        if not row.patient and original.file in copied:
            # Without a patient, a copy and its original are kept together by their group.
            row = replace(row, group=f"{dataset}:{original.file.with_suffix('')}")
        pairs.append((one, replace(row, dataset=dataset)))
    lost = sum(original is None for original in of_copy.values())
    note = f"{lost:,} augmented copies have a name that tells no original: group them by near-duplicates."
    return pairs, (note,) if lost else ()


def _row(spec: SetSpec, root: Path, wish: Wish, one: Place, original: Place, answer: Read, said: Said) -> Row:
    image = original.image.lower()
    return Row(
        file=relative_to(root / one.file, wish.base),
        path=root / one.file,
        label=one.source.label if one.source else "",
        condition=one.source.source if one.source else "",
        patient=one.patient or said.patient.get(image, ""),
        body_site=said.body_site.get(image, ""),
        stage=dict(spec.stages).get(one.code, ""),
        flags=("augmented",) if one.augmented else (),
        width=answer.width,
        height=answer.height,
        sha256=answer.sha256,
    )


def _grade_notes(originals: Iterable[Place], said: Said) -> tuple[str, ...]:
    other = sum(said.grade.get(one.image.lower(), one.code) != one.code for one in originals)
    text = f"{other:,} images have another grade in the tables than in their name; the name was taken."
    return (text,) if other else ()


def relative_to(path: Path, base: Path) -> str:
    """The path from `base`, with forward slashes; a table can so be read without naming a folder."""
    # Not Path.relative_to: the images are often beside the table's folder, not in it (walk_up: Python 3.12).
    # Links in folders are followed first: ".." leads elsewhere from a linked folder.
    here = Path(os.path.realpath(path.parent)) / path.name
    return Path(os.path.relpath(here, os.path.realpath(base))).as_posix()
