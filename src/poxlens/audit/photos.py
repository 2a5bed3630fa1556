"""Files that are not what the table says, or that no study of skin can use; and what they tell of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.material import Bools, Floats, Material
from poxlens.audit.traits import trait
from poxlens.data.table import Fault
from poxlens.photo.rules import QualityLimits

PERSONAL = {
    "gps": "where it was taken", "serial": "serial numbers of camera or lens", "name": "names of people",
    "comment": "comments and descriptions", "thumbnail": "an older thumbnail", "camera": "the camera's make and model",
    "date": "when it was taken",
}  # fmt: skip
"""Kind of personal metadata -> what it tells, the gravest first."""

_GRAVE = ("gps", "serial", "name", "comment", "thumbnail")
_GREY = 1.0  # standard deviation of a* and b*: below, one hue at most
_TOLD_ELSEWHERE = ("missing", "unreadable", "conflict")  # faults of a table that other checks name


def check_table(faults: Sequence[Fault]) -> list[Finding]:
    """Findings `table.<kind>` for the faults of the table itself."""
    from poxlens.data.faults import KINDS

    findings = []
    for kind, number in Counter(fault.kind for fault in faults).items():
        if kind in _TOLD_ELSEWHERE:
            continue
        items = tuple(Item(fault.file or _row(fault), str(fault)) for fault in faults if fault.kind == kind)
        findings.append(
            Finding(
                f"table.{kind}",
                "warning" if kind == "column" else "fault",
                f"The table: {KINDS.get(kind, kind)} ({number:,})",
                "Mend the rows named here. Rows that could not be read are not audited.",
                items,
                {"faults": number},
            )
        )
    return findings


def check_files(material: Material, limits: QualityLimits | None = None) -> list[Finding]:
    """Findings `files.unreadable`, `files.missing`, `files.changed`, `files.size`, and the looks of `check_looks`."""
    scan, rows = material.scan, material.rows
    findings = []
    missing = [row for row, fault in enumerate(scan.fault) if fault.startswith("unreadable.missing")]
    broken = [
        row for row, fault in enumerate(scan.fault) if fault and not fault.startswith("unreadable.missing")
    ]
    if missing:
        findings.append(
            Finding(
                "files.missing",
                "fault",
                f"{count(len(missing), 'file is', 'files are')} not there",
                "Put them where the table says, or name their folder with --root; --fix takes their rows out.",
                tuple(Item(rows[row].file, _sentence(scan.fault[row])) for row in missing),
                {"files": len(missing)},
            )
        )
    if broken:
        findings.append(
            Finding(
                "files.unreadable",
                "fault",
                f"{count(len(broken), 'file')} cannot be read as an image",
                "Get them again from their source; --fix takes their rows out. Nothing else was checked on them.",
                tuple(Item(rows[row].file, _sentence(scan.fault[row])) for row in broken),
                {"files": len(broken)},
            )
        )
    changed = [
        place
        for place, row in enumerate(rows)
        if row.sha256 and scan.sha256[place] and row.sha256 != scan.sha256[place]
    ]
    if changed:
        findings.append(
            Finding(
                "files.changed",
                "fault",
                f"{count(len(changed), 'file is', 'files are')} not the file that the table was made from",
                "The column sha256 says another file. Get the right one, or, if the change was meant, take the new sum"
                " with --fix.",
                tuple(
                    Item(rows[place].file, f"is {scan.sha256[place][:12]}…, the table says {rows[place].sha256[:12]}…")
                    for place in changed
                ),
                {"files": len(changed)},
            )
        )  # fmt: skip
    resized = [
        place
        for place, row in enumerate(rows)
        if material.readable[place]
        and (row.width or scan.width[place], row.height or scan.height[place])
        != (scan.width[place], scan.height[place])
    ]
    if resized:
        findings.append(
            Finding(
                "files.size",
                "warning",
                f"{count(len(resized), 'file has', 'files have')} another size than the table says",
                "Width and height are of the upright image. --fix writes those of the file.",
                tuple(
                    Item(
                        rows[place].file,
                        f"{scan.width[place]} x {scan.height[place]} px,"
                        f" the table says {rows[place].width or '?'} x {rows[place].height or '?'}",
                    )
                    for place in resized
                ),
                {"files": len(resized)},
            )
        )
    return findings + check_looks(material, limits or QualityLimits())


def check_looks(material: Material, limits: QualityLimits) -> list[Finding]:
    """Findings `files.tiny`, `.grey`, `.aspect`, `.blurred`, `.no_skin`, `.framed`: readable, but of little use."""
    scan = material.scan
    short = np.minimum(scan.width, scan.height).astype(np.float64)
    long = np.maximum(scan.width, scan.height).astype(np.float64)
    sharp = 10 ** trait(material, "log_sharpness") - 1
    skin = trait(material, "skin_share")
    flat = trait(material, "border_flat")
    spread = np.maximum(trait(material, "a_sd"), trait(material, "b_sd"))
    aspect = long / np.maximum(short, 1)
    looks: tuple[tuple[str, str, str, Bools, Floats, Callable[[float], str], str], ...] = (
        ("tiny", "warning", "smaller than {limit} px", short < limits.min_short_side, short,
         lambda value: f"{value:.0f} px", "Enlarging adds no detail: a class of small files is known by its blur."),
        ("aspect", "note", "more than {limit:g} times as long as wide", aspect > limits.max_aspect, aspect,
         lambda value: f"{value:.1f} : 1", "A square crop loses most of it and a resize distorts it."),
        ("blurred", "note", "blurred", sharp < limits.min_sharpness, sharp,
         lambda value: f"sharpness {value:.1f}", "The screener refuses such photos; a bundle learns little from them."),
        ("grey", "note", "without colour", spread < _GREY, spread,
         lambda value: f"spread of hue {value:.1f}", "Redness is part of what is learnt; leave scans and prints out."),
        ("no_skin", "note", "with little skin (under {limit:.0%} of the area)", skin < limits.min_skin_fraction, skin,
         lambda value: f"{value:.0%} skin", "Drawings, clothes, whole rooms: poxlens data curate sets them aside."),
        ("framed", "note", "with a drawn frame, bars or a plain background on two sides or more", flat >= 0.5, flat,
         lambda value: f"{value * 4:.0f} of 4 edges are plain",
         "A frame names its source. poxlens data curate crops to skin."),
    )  # fmt: skip
    limit_of = {
        "tiny": limits.min_short_side,
        "aspect": limits.max_aspect,
        "no_skin": limits.min_skin_fraction,
    }
    findings = []
    for name, severity, what, hit, value, words, advice in looks:
        found = np.flatnonzero(hit & material.readable)
        if not len(found):
            continue
        share = len(found) / max(1, int(material.readable.sum()))
        by_class = Counter(material.labels[code] for code in material.label[found].tolist())
        classes = some((f"{label} {number}" for label, number in by_class.most_common()), 4)
        findings.append(
            Finding(
                f"files.{name}",
                severity,
                f"{count(len(found), 'image')} {what.format(limit=limit_of.get(name, 0))} ({share:.1%})",
                f"{advice} By class: {classes}.",
                tuple(Item(material.rows[row].file, words(float(value[row]))) for row in found.tolist()),
                {"files": len(found), "share": share},
            )
        )
    return findings


def check_personal(material: Material) -> list[Finding]:
    """Finding `personal.metadata`: files that say who, where or with what camera."""
    kinds = material.scan.personal
    found = [row for row, told in enumerate(kinds) if told]
    if not found:
        return []
    counts = Counter(kind for told in kinds for kind in told)
    order = [kind for kind in PERSONAL if counts[kind]] + sorted(set(counts) - set(PERSONAL))
    grave = any(counts[kind] for kind in _GRAVE)
    return [
        Finding(
            "personal.metadata",
            "warning" if grave else "note",
            f"{count(len(found), 'file carries', 'files carry')} personal metadata:"
            f" {some((f'{PERSONAL.get(kind, kind)} {counts[kind]:,}' for kind in order), 8)}",
            "Strip it before the set leaves the house: exiftool -all= -tagsfromfile @ -Orientation FOLDER keeps the"
            " pixels as they are. poxlens itself never passes it on.",
            tuple(Item(material.rows[row].file, ", ".join(kinds[row])) for row in found),
            {"files": len(found), **{kind: counts[kind] for kind in order}},
        )
    ]


def _sentence(fault: str) -> str:
    return fault.split(": ", 1)[-1]


def _row(fault: Fault) -> str:
    return "the table" if fault.row is None else f"row {fault.row}"
