"""The same photo or the same person on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.folds import Assignment
from poxlens.audit.material import Bools, Ints, Links, Material, star
from poxlens.data.duplicates.model import JOINED

KINDS = {
    "exact": "the same file",
    "pixels": "the same picture in another file",
    "near": "the same photo",
    "confirmed": "the same photo, cropped or re-toned",
    "scene": "two photos of one scene",
    "person": "the same person",
    "group": "the same group",
    "indirect": "linked through other files",
    "suspected": "perhaps the same photo",
}
"""How two files belong together, the surest first."""


@dataclass(frozen=True)
class Leak:
    """Two files that belong together and stand in two parts."""

    first: int  # row
    second: int
    kind: str  # of KINDS
    where: tuple[str, ...]  # "repeat 1: fold 2 | fold 4", for each assignment that separates them


def find_leaks(material: Material, assignments: Sequence[Assignment]) -> tuple[tuple[Leak, ...], Bools]:
    """Every leak, each pair once under its surest kind, and which rows any leak touches, [N].

    Of a key that many rows share (a person, a group) one pair is named for each part it stands in beside its
    first; all its rows are counted as touched. "suspected" pairs are named and touch nothing.
    """
    touched = np.zeros(len(material), bool)
    found: dict[tuple[int, int], tuple[str, list[str]]] = {}
    for assignment in assignments:
        for kind, links, rows in _crossing(material, assignment.part):
            if kind != "suspected":
                touched[rows] = True
            for first, second in zip(links.first.tolist(), links.second.tolist(), strict=True):
                pair = (min(first, second), max(first, second))
                a, b = (assignment.parts[assignment.part[row]] for row in pair)
                found.setdefault(pair, (kind, []))[1].append(f"{assignment.name}: {a} | {b}")
    rank = list(KINDS)
    leaks = [Leak(*pair, kind, tuple(dict.fromkeys(where))) for pair, (kind, where) in found.items()]
    return tuple(sorted(leaks, key=lambda leak: (rank.index(leak.kind), leak.first, leak.second))), touched


def check_leaks(material: Material, assignments: Sequence[Assignment]) -> list[Finding]:
    """Findings `leak.<kind>` of the outer parts, `leak.inner` of the inner ones, `leak.suspected`."""
    findings = _twice(material, assignments)
    outer = [one for one in assignments if not one.inner]
    leaks, touched = find_leaks(material, outer)
    used = np.zeros(len(material), bool)
    for assignment in outer:
        used |= assignment.part >= 0
    for kind, words in KINDS.items():
        of_kind = [leak for leak in leaks if leak.kind == kind]
        if of_kind:
            sure = kind != "suspected"
            findings.append(
                Finding(
                    f"leak.{kind}",
                    "leak" if sure else "warning",
                    f"{count(len(of_kind), 'pair')} on both sides of a split: {words}",
                    _ADVICE if sure else _LOOK,
                    _items(material, of_kind),
                    {"pairs": len(of_kind), "images_touched_by_any_leak": int(touched.sum()),
                     "images_used": int(used.sum())},
                )
            )  # fmt: skip
    inner, _ = find_leaks(material, [one for one in assignments if one.inner])
    known = {(leak.first, leak.second) for leak in leaks}
    fresh = [leak for leak in inner if leak.kind != "suspected" and (leak.first, leak.second) not in known]
    if fresh:
        findings.append(
            Finding(
                "leak.inner",
                "fault",
                f"{count(len(fresh), 'pair')} on both sides of an inner split only",
                "The figures of the outer folds stand, but what is chosen on the inner folds (settings, thresholds,"
                " calibration) is chosen on images that were learnt from. Keep these files on one side.",
                _items(material, fresh),
                {"pairs": len(fresh)},
            )
        )
    return findings


_ADVICE = (
    "A figure measured on these folds partly measures memory. Deal the images again with poxlens data split, which"
    " keeps these files on one side, and measure again."
)
_LOOK = (
    "Their fingerprints are alike and nothing more is known. Look at them (poxlens data duplicates shows each pair)"
    " and write what belongs together into the column group."
)


def check_parts(material: Material, assignments: Sequence[Assignment]) -> list[Finding]:
    """Findings `split.class_missing` (a part without a class) and `split.unused` (files in no part)."""
    findings = []
    outer = [one for one in assignments if not one.inner]
    gaps = []
    for one in outer:
        for place, part in enumerate(one.parts):
            held = set(material.label[one.part == place].tolist())
            lacking = [label for code, label in enumerate(material.labels) if code not in held]
            if lacking:
                gaps.append(Item(f"{one.name}: {part}", f"has no {some(lacking, 8)}"))
    if gaps:
        findings.append(
            Finding(
                "split.class_missing",
                "warning",
                f"{count(len(gaps), 'part')} of the split without one of the classes",
                "Nothing is measured of a class where it is not tested, and nothing learnt where it is not trained on."
                " Use fewer folds or poxlens data split, which refuses this.",
                tuple(gaps),
            )
        )
    used = np.zeros(len(material), bool)
    for one in outer:
        used |= one.part >= 0
    if outer and not used.all():
        idle = np.flatnonzero(~used).tolist()
        findings.append(
            Finding(
                "split.unused",
                "note",
                f"{count(len(idle), 'file is', 'files are')} in no part of the split",
                "They were neither learnt from nor tested. Say why in the study, or deal them.",
                tuple(Item(material.rows[row].file) for row in idle),
                {"files": len(idle)},
            )
        )
    return findings


def _twice(material: Material, assignments: Sequence[Assignment]) -> list[Finding]:
    items = tuple(
        Item(material.rows[row].file, f"{one.name}: {first} | {second}", material.rows[row].file)
        for one in assignments
        for row, first, second in one.twice
    )
    if not items:
        return []
    return [
        Finding(
            "leak.listed_twice",
            "leak",
            f"{count(len(items), 'file stands', 'files stand')} in two parts of the split",
            _ADVICE,
            items,
            {"files": len(items)},
        )
    ]


def _items(material: Material, leaks: Sequence[Leak]) -> tuple[Item, ...]:
    rows = material.rows
    told = []
    for leak in leaks:
        one, two = rows[leak.first], rows[leak.second]
        labels = "" if one.label == two.label else f"; labels {one.label} and {two.label}"
        told.append(Item(one.file, f"{KINDS[leak.kind]}{labels}; {', '.join(leak.where)}", two.file))
    return tuple(told)


def _crossing(material: Material, part: Ints) -> Iterator[tuple[str, Links, Ints]]:
    """Each kind's links from one part to another, with the rows that they concern."""
    direct: list[Ints] = []
    for kind in ("exact", "pixels"):
        links, rows = crossing_key(material.keys[kind], part)
        direct.append(rows)
        yield kind, links, rows
    for kind in JOINED:
        links = _across(material.links(kind), part)
        rows = np.unique(np.concatenate([links.first, links.second]))
        direct.append(rows)
        yield kind, links, rows
    for kind in ("person", "group"):
        links, rows = crossing_key(material.keys[kind], part)
        direct.append(rows)
        yield kind, links, rows
    # A, B and C are one photo; B is in no part: A and C still leak though nothing links them directly.
    links, rows = crossing_key(material.unit, part)
    seen = np.unique(material.unit[np.concatenate(direct)])
    fresh = ~np.isin(material.unit[links.first], seen)
    yield "indirect", Links(links.first[fresh], links.second[fresh]), rows
    suspected = _across(material.links("suspected"), part)
    yield "suspected", suspected, np.empty(0, np.int64)


def crossing_key(key: Ints, part: Ints) -> tuple[Links, Ints]:
    """Links between the parts that rows of one key stand in, and all rows of such keys.

    Args:
        key: [N], equal = together, -1 = none.
        part: [N], -1 = not used.
    """
    held = np.flatnonzero((key >= 0) & (part >= 0))
    # One row for each (key, part) that occurs, the first; the rows of one key follow each other.
    order = held[np.lexsort((held, part[held], key[held]))]
    keys, parts = key[order], part[order]
    new_part = np.ones(len(order), bool)
    new_part[1:] = (keys[1:] != keys[:-1]) | (parts[1:] != parts[:-1])
    speakers = order[new_part]
    links = star(key[speakers])
    first, second = speakers[links.first], speakers[links.second]
    rows = held[np.isin(key[held], np.unique(key[first]))]
    return Links(first, second), rows


def _across(links: Links, part: Ints) -> Links:
    one, two = part[links.first], part[links.second]
    cross = (one >= 0) & (two >= 0) & (one != two)
    return Links(links.first[cross], links.second[cross])
