"""Everything that a run of leak-demo tells, computed from its predictions files and nothing else."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from poxlens.evaluate.intervals import RESAMPLES, Estimate
from poxlens.files import sha256_bytes
from poxlens.recipes.leak.figures import FIGURES, ORIGINALS, Gap, Measured, gap, measure, originals, seen
from poxlens.recipes.leak.predictions import Tested, read_tested
from poxlens.recipes.leak.protocols import PROTOCOLS, Collection
from poxlens.recipes.leak.run import Run
from poxlens.recipes.leak.tasks import Plan
from poxlens.recipes.samples import Skipped

TOLD = {
    "common": PROTOCOLS["common"],
    ORIGINALS: "the common protocol's figures on the unaugmented images alone",
    **PROTOCOLS,
}
"""Protocol -> what it does, in the order shown."""


@dataclass(frozen=True, eq=False)
class Report:
    """All figures of a run."""

    plan: Plan
    classes: tuple[str, ...]
    counts: Mapping[str, int]  # class -> tested images
    images: int  # tested
    groups: int  # of tested images
    others: int  # images of other data sets, learnt from in "merged" and "strict"
    skipped: tuple[Skipped, ...]
    data_sha256: str
    groups_sha256: str  # of file and group of every image, joined as they were used
    predictions: Mapping[str, str]  # file name -> SHA-256 of its unpacked content
    measured: tuple[Measured, ...]
    gaps: tuple[Gap, ...]

    def of(self, head: str, protocol: str, copies: int | None = None) -> Measured | None:
        """The figures of one head under one protocol; with the plan's number of copies when None."""
        wanted = (head, protocol, self.plan.copies if copies is None else copies)
        return next((m for m in self.measured if (m.head, m.protocol, m.copies) == wanted), None)

    def gap(self, head: str, above: str, below: str, copies: int | None = None) -> Gap | None:
        """The gap of one head between two protocols."""
        wanted = (head, above, below, self.plan.copies if copies is None else copies)
        return next((g for g in self.gaps if (g.head, g.above, g.below, g.copies) == wanted), None)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads in the order they were run."""
        return tuple(dict.fromkeys(m.head for m in self.measured))


def report(run: Run, *, resamples: int = RESAMPLES) -> Report:
    """All figures of a finished run.

    Raises:
        ManifestError: a predictions file is missing or damaged.
    """
    plan, collection = run.plan, run.collection
    tested = [one for path in run.files.values() for one in read_tested(path)]
    measured, gaps = figures(tested, plan, resamples=resamples)
    ours = collection.tested
    return Report(
        plan=plan,
        classes=collection.classes,
        counts={
            name: int((ours & (collection.label == number)).sum())
            for number, name in enumerate(collection.classes)
        },
        images=int(ours.sum()),
        groups=len(np.unique(collection.group[ours])),
        others=int((~ours).sum()),
        skipped=run.skipped,
        data_sha256=run.data_sha256,
        groups_sha256=_groups(collection),
        predictions={path.name: _unpacked(path) for path in run.files.values()},
        measured=measured,
        gaps=gaps,
    )


def figures(
    tested: Sequence[Tested], plan: Plan, *, resamples: int = RESAMPLES
) -> tuple[tuple[Measured, ...], tuple[Gap, ...]]:
    """The figures of all predictions, and the gaps of each protocol over the honest one."""
    split = [t for t in tested if t.protocol == "common" and t.copies == plan.copies > 0]
    alone = [originals(t) for t in split]
    measured = tuple(measure(t, plan.target, resamples=resamples, seed=plan.seed) for t in tested)
    # A copy of an unaugmented image may have been learnt from: that shows only in the rows of all copies.
    measured += tuple(
        replace(measure(a, plan.target, resamples=resamples, seed=plan.seed), seen=seen(t, t.copy == 0))
        for a, t in zip(alone, split, strict=True)
    )
    whole = [*tested, *alone]
    by = {(t.head, t.copies, t.protocol): t for t in whole}
    pairs = [("common", "grouped"), (ORIGINALS, "grouped"), ("image", "grouped"), ("merged", "strict")]
    gaps = tuple(
        gap(
            by[head, copies, above], by[head, copies, below], plan.target, resamples=resamples, seed=plan.seed
        )
        for head, copies in dict.fromkeys((t.head, t.copies) for t in whole)
        for above, below in pairs
        if (head, copies, above) in by and (head, copies, below) in by
    )
    return measured, gaps


def to_json(found: Report) -> dict[str, Any]:
    """The report as JSON-ready values; NaN is null."""
    plain: dict[str, Any] = _plain(asdict(found))
    plain["protocols"] = {name: TOLD[name] for name in dict.fromkeys(m.protocol for m in found.measured)}
    plain["figures"] = list(FIGURES)
    return plain


def written(estimate: Estimate | None, *, signed: bool = False) -> str:
    """A figure with its interval: "0.953 [0.941-0.962]"; a gap with its sign."""
    if estimate is None or math.isnan(estimate.value):
        return "–"
    form = "+.3f" if signed else ".3f"
    value = f"{estimate.value:{form}}".replace("-", "−")
    if math.isnan(estimate.low):
        return f"{value} [no interval]"
    low, high = (f"{bound:{form}}".replace("-", "−") for bound in (estimate.low, estimate.high))
    return f"{value} [{low}{' to ' if signed else '–'}{high}]"


def _groups(collection: Collection) -> str:
    pairs = zip(collection.files, collection.group.tolist(), strict=True)
    return sha256_bytes("".join(f"{file},{group}\n" for file, group in pairs).encode())


def _unpacked(path: Path) -> str:
    return sha256_bytes(gzip.decompress(path.read_bytes()))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
