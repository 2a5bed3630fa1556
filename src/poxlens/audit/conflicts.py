"""One photo under two labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poxlens.audit.finding import Finding, Item, count
from poxlens.audit.material import Material, star
from poxlens.data.duplicates.labels import Compatible
from poxlens.data.duplicates.model import SAME_PHOTO


@dataclass(frozen=True)
class Conflict:
    """Two files that show one photo and say different things of it."""

    first: int  # row
    second: int
    kind: str  # "exact", "pixels", "near" or "confirmed"


def find_conflicts(material: Material, compatible: Compatible | None = None) -> list[Conflict]:
    """Pairs that show one photo and whose labels contradict each other, each once under its surest kind."""
    agree = (compatible or Compatible()).agree
    found: dict[tuple[int, int], str] = {}
    for kind in SAME_PHOTO:
        links = [material.links(kind)] + ([star(material.keys[kind])] if kind in material.keys else [])
        for one in links:
            for first, second in zip(one.first.tolist(), one.second.tolist(), strict=True):
                if not agree(material.rows[first].label, material.rows[second].label):
                    found.setdefault((min(first, second), max(first, second)), kind)
    return [Conflict(*pair, kind) for pair, kind in found.items()]


def check_conflicts(material: Material, conflicts: list[Conflict]) -> list[Finding]:
    """Findings `labels.same_file` (one file, two labels) and `labels.conflict` (one photo, two labels)."""
    same = [one for one in conflicts if one.kind in ("exact", "pixels")]
    alike = [one for one in conflicts if one.kind not in ("exact", "pixels")]
    findings = []
    if same:
        findings.append(
            Finding(
                "labels.same_file",
                "fault",
                f"{count(len(same), 'picture stands', 'pictures stand')} here under two labels",
                "One of the labels is wrong, and nothing here says which. Ask the source, or leave both out:"
                " --fix does.",
                _items(material, same),
                {"pairs": len(same)},
            )
        )
    if alike:
        findings.append(
            Finding(
                "labels.conflict",
                "fault",
                f"{count(len(alike), 'pair')} of files that show the same photo contradict each other",
                "Look at both. Where one label holds the other (others = chickenpox or measles), say so with"
                " --compatible others=chickenpox,measles; else leave both out: --fix does.",
                _items(material, alike),
                {"pairs": len(alike)},
            )
        )
    return findings


def _items(material: Material, conflicts: Iterable[Conflict]) -> tuple[Item, ...]:
    rows = material.rows
    return tuple(
        Item(
            rows[one.first].file,
            f"{rows[one.first].label} here, {rows[one.second].label} there; {one.kind}",
            rows[one.second].file,
        )
        for one in conflicts
    )
