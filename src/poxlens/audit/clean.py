"""A cleaned table: what cannot be used taken out with its reason, what is known filled in."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from poxlens.audit.conflicts import Conflict
from poxlens.audit.finding import some
from poxlens.audit.material import Material
from poxlens.data.labels import meanings
from poxlens.data.manifest import Row, write_manifest
from poxlens.data.table import Fault
from poxlens.errors import ManifestError
from poxlens.files import write_atomically

COLUMNS = ("file", "action", "reason", "other")


@dataclass(frozen=True)
class Change:
    """One thing that was done to a row."""

    file: str
    action: str  # "removed", "relabelled", "grouped"
    reason: str
    other: str = ""  # the file it was done for


@dataclass(frozen=True)
class Cleaned:
    """The rows that are left, and all that was done."""

    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    filled: dict[str, int]  # column -> cells filled or corrected

    def count(self, action: str) -> int:
        """How many rows an action was done to."""
        return sum(change.action == action for change in self.changes)


def clean(material: Material, conflicts: Sequence[Conflict], faults: Sequence[Fault] = ()) -> Cleaned:
    """Take out what no study should use, join what belongs together, fill what the files tell.

    Out go: rows of the table that could not be read, unreadable and missing files, both files of a label
    conflict, and of files with the same bytes or pixels all but one (the one with a patient, else the first).
    Labels that differ only in case, spaces or hyphens become the commonest form. `group` joins what shows one photo
    or one scene, through files that are taken out too; sha256, width and height are those of the file; an empty
    skin_tone is the photo's estimate.

    Raises:
        ManifestError: nothing would be left.
    """
    removed = _unusable(material)
    _drop_conflicts(material, conflicts, removed)
    _drop_copies(material, removed)
    gone = [
        Change(fault.file or f"row {fault.row}", "removed", str(fault))
        for fault in faults
        if fault.row is not None and fault.kind in _UNREAD
    ]
    kept = [row for row in range(len(material)) if row not in removed]
    if not kept:
        raise ManifestError("Nothing would be left of the table: every file is unreadable or in conflict.")
    changes = gone + [removed[row] for row in sorted(removed)]
    labels, relabelled = _labels([material.rows[row] for row in kept])
    groups, grouped = _groups(material, kept)
    filled: Counter[str] = Counter()
    rows = []
    for place, row in enumerate(kept):
        made = replace(
            material.rows[row],
            label=labels[place],
            group=groups[place],
            sha256=material.scan.sha256[row],
            width=int(material.scan.width[row]),
            height=int(material.scan.height[row]),
            skin_tone=material.rows[row].skin_tone
            or (material.tone[row] if material.tone[row] != "unknown" else ""),
        )
        filled.update(
            name
            for name in ("sha256", "width", "height", "skin_tone")
            if getattr(made, name) != getattr(material.rows[row], name)
        )
        rows.append(made)
    return Cleaned(tuple(rows), tuple(changes + relabelled + grouped), dict(filled))


def write_cleaned(path: Path, cleaned: Cleaned) -> Path:
    """Write the table, and what was done beside it as NAME.changes.csv; the latter's path.

    Raises:
        ManifestError: the table cannot be written in this form.
        OSError: the folder is not writable.
    """
    beside = path.with_name(f"{path.stem}.changes.csv")
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((one.file, one.action, one.reason, one.other) for one in cleaned.changes)
    # The table last: where it is, its reasons are too.
    write_atomically(beside, stream.getvalue())
    write_manifest(path, cleaned.rows)
    return beside


_UNREAD = ("cells", "empty", "sha256", "size", "duplicate", "csv")  # faults whose rows were never read


def _unusable(material: Material) -> dict[int, Change]:
    return {
        row: Change(material.rows[row].file, "removed", fault)
        for row, fault in enumerate(material.scan.fault)
        if fault
    }


def _drop_conflicts(material: Material, conflicts: Sequence[Conflict], removed: dict[int, Change]) -> None:
    for one in conflicts:
        for row, other in ((one.first, one.second), (one.second, one.first)):
            mine, theirs = material.rows[row], material.rows[other]
            reason = f'label conflict ({one.kind}): "{mine.label}" here, "{theirs.label}" there'
            removed.setdefault(row, Change(mine.file, "removed", reason, theirs.file))


def _drop_copies(material: Material, removed: dict[int, Change]) -> None:
    for kind, words in (("exact", "the same bytes"), ("pixels", "the same pixels")):
        copies: dict[int, list[int]] = {}
        for row, key in enumerate(material.keys[kind].tolist()):
            if key >= 0 and row not in removed:
                copies.setdefault(key, []).append(row)
        for rows in copies.values():
            first = next((row for row in rows if material.rows[row].patient), rows[0])
            for row in rows:
                if row != first:
                    file, kept = material.rows[row].file, material.rows[first].file
                    removed[row] = Change(file, "removed", f"copy: {words}", kept)


def _labels(rows: Sequence[Row]) -> tuple[list[str], list[Change]]:
    meant = {
        label: other
        for label, (kind, other, _) in meanings(Counter(row.label for row in rows)).items()
        if kind == "label_case"
    }
    changes = [
        Change(row.file, "relabelled", f'"{row.label}" is "{meant[row.label]}" written differently')
        for row in rows
        if row.label in meant
    ]
    return [meant.get(row.label, row.label) for row in rows], changes


def _groups(material: Material, kept: Sequence[int]) -> tuple[list[str], list[Change]]:
    """The group of each kept row: its own name for units of one group or one person, else a new one."""
    units: dict[int, list[int]] = {}
    for row in kept:
        units.setdefault(int(material.unit[row]), []).append(row)
    names: dict[int, str] = {}
    changes = []
    for rows in units.values():
        persons = {material.rows[row].person for row in rows}
        own = {material.rows[row].group for row in rows}
        if own == {""} and len(persons) == 1:
            continue  # the patient says it
        named = sorted(own - {""})
        name = named[0] if named else material.rows[rows[0]].file  # as poxlens data duplicates names them
        for row in rows:
            names[row] = name
            if material.rows[row].group != name:
                others = some(material.rows[other].file for other in rows if other != row)
                changes.append(Change(material.rows[row].file, "grouped", f"group: {name}", others))
    return [names.get(row, "") for row in kept], changes


def unit_count(cleaned: Cleaned) -> int:
    """Independent units of the cleaned table."""
    return int(np.unique([row.cluster for row in cleaned.rows]).size)
