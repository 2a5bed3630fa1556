"""One photo many times: augmented copies in the set, and photos that several sources share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from poxlens.audit.chance import photo_groups
from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.material import Ints, Material, sizes, star
from poxlens.data.duplicates.model import SAME_PHOTO

MANY = 4  # copies of one photo from which a set looks augmented: a scrape brings two or three
_COPY = {"exact": "the same bytes", "pixels": "the same pixels", "near": "the same photo"}

# What augmentation tools, phones and file managers append to a name. Each takes one ending off.
_ENDINGS = re.compile(
    r"""(?ix) (
      [ _-]* \( \d{1,3} \)                                              # photo (2)
    | [ _-]+ (copy|copie|kopie|copia) ([ _-]*\d{1,3})?                  # photo - Copy
    | [ _.-]+ (aug|augmented|augment) [a-z]* ([ _-]*\d{1,5})*           # photo_aug_3
    | [ _-]+ (h|v|hor|vert|horizontal|vertical|lr|ud)?[ _-]?
             (flip|flipped|mirror|mirrored) ([ _-]*(h|v|lr|ud|\d{1,3}))?   # photo_hflip
    | [ _-]+ (rot|rotate|rotated|rotation) [ _-]* -?\d{0,3}             # photo_rot90
    | [ _-]+ (crop|cropped|zoom|zoomed|shear|shift|scale|scaled|blur|blurred|noise|noisy|bright|brightness|dark
             |contrast|saturation|hue|gamma|jitter|translate|translated|elastic) ([ _-]*-?\d{0,4})?
    | \.rf\.[0-9a-f]{16,64}                                             # photo.rf.<hash>, an export of Roboflow
    ) $"""
)
_BEGINNINGS = re.compile(
    r"(?i)^(aug(mented)?|flip(ped)?|rot(ated)?|copy of|crop(ped)?)[ _-]+(\d{1,4}[ _-]+)?"
)


def original_name(file: str) -> str:
    """The name without folder, ending and whatever a tool appended to it; lower case."""
    stem = PurePosixPath(file).stem.lower()
    stem = _BEGINNINGS.sub("", stem) or stem
    while True:
        shorter = _ENDINGS.sub("", stem)
        if shorter in (stem, ""):
            return stem
        stem = shorter


def named_copies(files: Sequence[str]) -> list[tuple[int, int]]:
    """(original, copy) rows whose names say that one was made from the other, in one folder."""
    found: list[tuple[int, int]] = []
    families: dict[tuple[str, str], list[int]] = {}
    for row, file in enumerate(files):
        folder = str(PurePosixPath(file).parent)
        families.setdefault((folder, original_name(file)), []).append(row)
    for (_, base), rows in families.items():
        changed = [row for row in rows if PurePosixPath(files[row]).stem.lower() != base]
        if len(rows) > 1 and changed:
            first = next((row for row in rows if row not in changed), rows[0])
            found += [(first, row) for row in rows if row != first]
    return found


def check_copies(material: Material) -> list[Finding]:
    """Findings `copies.exact`, `copies.pixels`, `copies.augmented`, `copies.names`, `copies.near`, `copies.sources`."""
    findings = _same(material)
    group = photo_groups(material)
    surplus = len(group) - len(np.unique(group))
    if surplus:
        findings += _many(material, group)
        findings += _near(material, group, surplus)
        findings += _between_sources(material)
    named = named_copies(material.files)
    if named:
        share = len({row for _, row in named}) / len(material)
        findings.append(
            Finding(
                "copies.names",
                "fault" if share >= 0.05 else "warning",
                f"{count(len(named), 'file is', 'files are')} named like a copy of another ({share:.1%} of the table)",
                "Names such as _aug, _flip, (2) come from augmentation or from saving twice. Augment inside the"
                " training part of each fold, never before splitting; keep the originals only.",
                tuple(Item(material.rows[copy].file, "named like a copy of", material.rows[first].file)
                      for first, copy in named),
                {"files": len(named), "share": share},
            )
        )  # fmt: skip
    return findings


def _same(material: Material) -> list[Finding]:
    findings = []
    exact = _surplus(material.keys["exact"])
    if exact:
        findings.append(
            Finding(
                "copies.exact",
                "fault",
                f"{count(len(exact), 'file is an exact copy', 'files are exact copies')} of another",
                "Keep one of each: --fix does. Counted twice, a photo weighs twice, and split it leaks.",
                tuple(_item(material, one, two, "the same bytes") for one, two in exact),
                {"files": len(exact)},
            )
        )
    twins = set(exact)
    pixels = [pair for pair in _surplus(material.keys["pixels"]) if pair not in twins]
    if pixels:
        findings.append(
            Finding(
                "copies.pixels",
                "fault",
                f"{count(len(pixels), 'file has', 'files have')} the pixels of another in other bytes",
                "The same picture saved again. Keep one of each: --fix does.",
                tuple(_item(material, one, two, "the same pixels") for one, two in pixels),
                {"files": len(pixels)},
            )
        )
    return findings


def _many(material: Material, group: Ints) -> list[Finding]:
    """Photos with many copies: a set that was augmented before it was split."""
    members = sizes(group)
    many = members >= MANY
    if not many.any():
        return []
    share = float(many.mean())
    relations: Counter[str] = Counter(
        word
        for pair in material.pairs
        if pair.kind in SAME_PHOTO and many[pair.first]
        for word in pair.relation.split(", ")
        if word
    )
    groups, place, number = np.unique(group[many], return_index=True, return_counts=True)
    rows = np.flatnonzero(many)[place]
    items = [
        Item(material.rows[row].file, f"{copies} files show this photo", _others(material, group, int(one)))
        for copies, row, one in sorted(
            zip(number.tolist(), rows.tolist(), groups.tolist(), strict=True), reverse=True
        )
    ]
    how = some((f"{relation} {times}" for relation, times in relations.most_common()), 5)
    return [
        Finding(
            "copies.augmented",
            "fault" if share >= 0.2 else "warning",
            f"{count(len(items), 'photo stands', 'photos stand')} here {MANY} times or more, {int(many.sum()):,} files"
            f" ({share:.1%} of the table)",
            (f"Copies by kind: {how}. " if how else "")
            + "Augmented or collected again and again: keep one of each or keep them in one group, and augment inside"
            " the training part of each fold only.",
            tuple(items),
            {"photos": len(items), "files": int(many.sum()), "share": share},
        )
    ]


def _others(material: Material, group: Ints, one: int) -> str:
    rows = np.flatnonzero(group == one)[1:]
    return some([material.rows[row].file for row in rows], MANY)


def _near(material: Material, group: Ints, surplus: int) -> list[Finding]:
    pairs = [pair for pair in material.pairs if pair.kind in ("near", "confirmed")]
    suspected = sum(pair.kind == "suspected" for pair in material.pairs)
    if not pairs:
        return []
    more = (
        f" {suspected:,} more pairs are only suspected: poxlens data duplicates lists them."
        if suspected
        else ""
    )
    missing = sum(
        len({material.rows[row].cluster for row in (pair.first, pair.second)}) == 2 for pair in pairs
    )
    return [
        Finding(
            "copies.near",
            "warning" if missing else "note",
            f"{count(len(pairs), 'pair')} of files show the same photo, whole, cropped or re-toned; {surplus:,} of"
            f" {len(group):,} files repeat another",
            f"{missing:,} of these pairs are not joined by the columns patient or group: fill group with --fix, and"
            f" split with poxlens data split.{more}",
            tuple(
                _item(material, pair.first, pair.second, f"{pair.kind}{f', {pair.relation}' if pair.relation else ''}")
                for pair in pairs
            ),
            {"pairs": len(pairs), "repeating_files": surplus, "unjoined_pairs": missing, "suspected_pairs": suspected},
        )
    ]  # fmt: skip


def _between_sources(material: Material) -> list[Finding]:
    across = [
        pair
        for pair in material.pairs
        if pair.kind in SAME_PHOTO and material.source[pair.first] != material.source[pair.second]
    ]
    if not across:
        return []
    between = Counter(
        " and ".join(sorted(material.sources[material.source[row]] for row in (pair.first, pair.second)))
        for pair in across
    )
    told = some((f"{names}: {number}" for names, number in between.most_common()), 6)
    return [
        Finding(
            "copies.sources",
            "warning",
            f"{count(len(across), 'pair')} of files show the same photo in two sources",
            f"{told}. A test on one source after training on the other is no external test while these are in both.",
            tuple(
                _item(
                    material, pair.first, pair.second, f"{_COPY.get(pair.kind, pair.relation or pair.kind)}"
                )
                for pair in across
            ),
            {"pairs": len(across), **between},
        )
    ]


def _surplus(key: Ints) -> list[tuple[int, int]]:
    """(first row, later row) of each key that rows share."""
    links = star(key)
    return list(zip(links.first.tolist(), links.second.tolist(), strict=True))


def _item(material: Material, first: int, second: int, detail: str) -> Item:
    one, two = material.rows[first], material.rows[second]
    labels = "" if one.label == two.label else f"; labels {one.label} and {two.label}"
    return Item(one.file, f"{detail}{labels}", two.file)
