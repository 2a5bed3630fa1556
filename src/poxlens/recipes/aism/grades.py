"""Recall of the target by body site and stage (Yue 2024, section 2.3): grades I, II, III and Others.

Grade I: face, neck, hands. II: arms and legs. III: back and chest. All three seen from a distance; Others are close
ranges, from which the site cannot be told. The labels are what people with no clinical training read from the photos:
they are **not clinical**.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from poxlens.data.manifest import Row
from poxlens.errors import ManifestError
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.statistic import share
from poxlens.recipes.aism.arms import Said

NOTE = "Sites and stages were read from the photos by people without clinical training; they are not clinical labels."
SITES = {
    **dict.fromkeys(("face", "neck", "hand", "hands"), "I"),
    **dict.fromkeys(("arm", "arms", "leg", "legs"), "II"),
    **dict.fromkeys(("back", "chest"), "III"),
}
OTHERS, UNCLEAR = "Others", "unclear"
CLOSE = "close-range"  # the flag that `poxlens data add-labels` gives
GRADES = ("I", "II", "III", OTHERS)
STAGES = ("earlier", "later", UNCLEAR)


@dataclass(frozen=True)
class Seen:
    """What one photo shows."""

    grade: str  # of GRADES, or "" where it is not known
    stage: str  # of STAGES, or ""


@dataclass(frozen=True)
class Recall:
    """Recall of the target on a part of its photos."""

    arm: str
    part: str  # "grade I", "stage earlier" ...
    figure: Estimate


def grade_of(site: str, near: str = "") -> str:
    """The grade of a body site; "" for one that the paper does not name.

    Args:
        site: as in the table, such as "hand".
        near: "close" or "distance"; a close range is Others whatever the site.
    """
    if near == "close" or site in ("close", "others"):
        return OTHERS
    return SITES.get(site, "")


def read_annotation(paths: Sequence[Path]) -> dict[str, Seen]:
    """File -> what all tables agree on; where they differ, "" stands (grade), or "unclear" (stage).

    Args:
        paths: CSV with file, body_site, stage, and range or grade where there is one: of `poxlens data annotate`, a
            table a reader, or of `poxlens data agree`.

    Raises:
        ManifestError: a table cannot be read or lacks a column.
    """
    passes = [_table(path) for path in paths]
    found: dict[str, Seen] = {}
    for file in dict.fromkeys(file for table in passes for file in table):
        seen = [table[file] for table in passes if file in table]
        grades, stages = {one.grade for one in seen}, {one.stage for one in seen}
        found[file] = Seen(
            grades.pop() if len(grades) == 1 else "", stages.pop() if len(stages) == 1 else UNCLEAR
        )
    return found


def from_rows(rows: Sequence[Row]) -> dict[str, Seen]:
    """What the table of images itself says, for the rows that say anything; a flag tells a close range."""
    return {
        str(PurePosixPath(row.file)): Seen(
            grade_of(row.body_site, "close" if CLOSE in row.flags else ""), row.stage
        )
        for row in rows
        if row.body_site or row.stage
    }


def recalls(said: Said, seen: Mapping[str, Seen], target: int, resamples: int = 2000) -> list[Recall]:
    """Recall of the target by grade and by stage, and by both where the paper tells it (earlier, in grade I).

    Args:
        said: an arm.
        seen: of `read_annotation` or `from_rows`.
        target: number of the class.
        resamples: of the bootstrap over groups.
    """
    known = [seen.get(str(PurePosixPath(file)), Seen("", "")) for file in said.files]
    grade, stage = np.array([one.grade for one in known]), np.array([one.stage for one in known])
    own = said.truth == target
    parts = {f"grade {name}": own & (grade == name) for name in GRADES}
    parts |= {f"stage {name}": own & (stage == name) for name in STAGES}
    parts |= {f"grade {name}, earlier": own & (grade == name) & (stage == "earlier") for name in GRADES}
    parts["all"] = own
    found = estimate(
        {name: share(said.decided == target, part) for name, part in parts.items() if part.any()},
        said.groups,
        resamples=resamples,
    )
    return [Recall(said.name, name, figure) for name, figure in found.items()]


def _table(path: Path) -> dict[str, Seen]:
    try:
        reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}") from fault
    missing = [name for name in ("file", "body_site", "stage") if name not in (reader.fieldnames or ())]
    if missing:
        raise ManifestError(f'{path}: no column "{missing[0]}"; an annotation has file, body_site and stage')
    return {str(PurePosixPath(row["file"])): _seen(row) for row in reader}


def _seen(row: Mapping[str, str | None]) -> Seen:
    site, near, grade, stage = (
        (row.get(name) or "").strip() for name in ("body_site", "range", "grade", "stage")
    )
    return Seen(grade if grade in GRADES else grade_of(site, near), stage)
