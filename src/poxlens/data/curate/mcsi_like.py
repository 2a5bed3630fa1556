"""Four balanced classes of skin close-ups, made as Campana 2024, section 4.1, made MCSI, from other photos."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poxlens.data.curate.apply import Cut
from poxlens.data.manifest import Manifest, Row
from poxlens.errors import CurationError

LEAST_SIDE = (
    96  # px; the photos of MSLD and MSID are 224 px whole, so that MCSI's own limit of 224 gives nothing
)


@dataclass(frozen=True)
class Source:
    """Where the photos of one class come from."""

    name: str  # the class
    dataset: str  # column "dataset" of the table
    label: str  # column "label" of the table
    licence: str
    instead_of: str  # what MCSI took


SOURCES = (
    Source("mpox", "msld", "mpox", "CC BY-NC", "mpox of the same source, Ali et al. 2022"),
    Source(
        "chickenpox",
        "msid",
        "chickenpox",
        "CC BY 4.0",
        "chickenpox of the Hardin Library, University of Iowa",
    ),
    Source("acne", "acne-closeup", "acne", "not stated", "ACNE04, Wu et al. 2019"),
    Source("healthy", "msid", "normal", "CC BY 4.0", "healthy skin, Muñoz-Saavedra et al. 2023"),
)


@dataclass(frozen=True)
class Selection:
    """Which crops make the set, and what was left out."""

    cuts: tuple[Cut, ...]  # class after class, each as many
    available: dict[str, int]  # class -> photos that gave a crop, one a group
    conflicts: tuple[str, ...]  # groups whose photos stand in several classes: left out


def source_rows(manifest: Manifest) -> Manifest:
    """The rows that the four classes are taken from, labelled with their class.

    Raises:
        CurationError: a class has no row.
    """
    names = {(one.dataset, one.label): one.name for one in SOURCES}
    rows = tuple(
        replace(row, label=names[row.dataset, row.label])
        for row in manifest.rows
        if (row.dataset, row.label) in names
    )
    for one in SOURCES:
        if not any(row.label == one.name for row in rows):
            raise CurationError(
                f"the table has no row with dataset {one.dataset} and label {one.label}, for the class {one.name}."
            )
    return replace(manifest, rows=rows)


def read_groups(path: Path) -> dict[str, str]:
    """File -> group of near-duplicates, from a CSV with the columns file and group.

    Raises:
        CurationError: the file cannot be read, or has other columns.
    """
    try:
        reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
        if not {"file", "group"} <= set(reader.fieldnames or ()):
            raise CurationError(f'{path}, row 1: needs the columns "file" and "group".')
        found = {row["file"]: row["group"] for row in reader if row["file"] and row["group"]}
    except (OSError, ValueError, csv.Error) as fault:
        raise CurationError(f"{path}: cannot be read: {fault}.") from fault
    return found


def select(cuts: Sequence[Cut], groups: dict[str, str], per_class: int) -> Selection:
    """As many crops of each class, one a photo and one a group of near-duplicates.

    A class's crops are taken in the order of their sources' SHA-256: as good as a draw, and always the same.
    Where a class has fewer than `per_class`, every class gets as few.

    Args:
        cuts: crops, labelled with their class.
        groups: file -> group; a file without one is its own. Groups over several classes are left out.
        per_class: crops of each class, at most.

    Raises:
        CurationError: a class is left without any crop.
    """
    classes = defaultdict(set)
    for cut in cuts:
        classes[_group(cut, groups)].add(cut.proposal.label)
    conflicts = {group for group, labels in classes.items() if len(labels) > 1}
    pools: dict[str, list[Cut]] = {one.name: [] for one in SOURCES}
    taken = set(conflicts)
    for cut in sorted(cuts, key=lambda one: (one.proposal.sha256, one.proposal.file)):
        group = _group(cut, groups)
        if group not in taken:
            taken.add(group)
            pools[cut.proposal.label].append(cut)
    available = {name: len(pool) for name, pool in pools.items()}
    count = min(per_class, *available.values())
    if count == 0:
        empty = ", ".join(name for name, n in available.items() if not n)
        raise CurationError(f"no crop is left for: {empty}.")
    chosen = tuple(cut for pool in pools.values() for cut in pool[:count])
    return Selection(chosen, available, tuple(sorted(conflicts)))


def readme(
    selection: Selection, least_side: int, rows: Sequence[Row], *, grouped: bool, reviewed: int
) -> str:
    """The text that goes with the set: what it is not, where it comes from, what its figures cannot show."""
    counts = Counter(cut.proposal.label for cut in selection.cuts)
    photos = Counter(row.label for row in rows)
    sides = {
        one.name: sorted(cut.box[2] for cut in selection.cuts if cut.proposal.label == one.name)
        for one in SOURCES
    }
    table = "\n".join(
        f"| {one.name} | {one.dataset}, {one.label} | {photos[one.name]} | {selection.available[one.name]} |"
        f" {counts[one.name]} | {sides[one.name][0]} / {sides[one.name][len(sides[one.name]) // 2]}"
        f" / {sides[one.name][-1]} | {one.licence} | {one.instead_of} |"
        for one in SOURCES
    )
    duplicates = (
        f"One crop a group of near-duplicates; {len(selection.conflicts)} groups over several classes were left out."
        if grouped
        else "Near-duplicates were not taken out: no groups were given."
    )
    told = (
        f"A person decided on {reviewed} of the {len(selection.cuts)} crops; the others are automatic."
        if reviewed
        else "No person looked at these crops: they are automatic."
    )
    return f"""# Not MCSI

This is **not** the data set MCSI (Mpox Close Skin Images; Campana et al. 2024). It was built from other photos in the
way of the paper's section 4.1: photos without skin set aside, then of each photo the largest square that holds skin
and no background, at least {least_side} px wide (the paper: 224 px; here most originals are 224 px
whole, and healthy people are shown whole). Crops that small are less sure to be free of background.
Figures on this set must not be given as figures on MCSI.

| class | source | photos | with a crop | here | side least / middle / most, px | licence | in MCSI |
|---|---|---|---|---|---|---|---|
{table}

{duplicates} {told}

**Each class has one source.** A classifier can tell the classes by resolution, compression, colour or camera, so an
accuracy on this set partly measures the source and not the disease. Run `poxlens data audit` on it and read the
probes before any figure.

**Not to be published.** The crops show patients, some of them children, and their licences differ (one is not stated):
for development and tests on this computer only. Labels are those of the sources; no clinician checked them.
No result here is a diagnosis; PCR decides.

`manifest.csv` names for each crop its source file with its SHA-256, and the square (left, top, side in px).
"""


def _group(cut: Cut, groups: dict[str, str]) -> str:
    return groups.get(cut.proposal.file) or f"file:{cut.proposal.file}"
