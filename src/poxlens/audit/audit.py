"""All checks of a table, one after the other: what `poxlens data audit` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from poxlens.audit import balance, chance, conflicts, confounding, copies, leaks, lettering, marks, photos
from poxlens.audit.finding import Finding, gravest_first
from poxlens.audit.folds import Assignment
from poxlens.audit.material import Ints, Material
from poxlens.audit.probes import Probe
from poxlens.audit.spread import Spread, spreads
from poxlens.data.duplicates.labels import Compatible
from poxlens.data.table import Fault
from poxlens.photo.rules import QualityLimits

MOST_CLASSES = 25  # for a probe of each pair of them

Step: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""(name, total) -> a context that gives what is called once a piece of the step is done."""


@dataclass(frozen=True)
class Options:
    """What decides an audit beside the table."""

    folds: tuple[int, ...] = (5, 10)  # of the random splits it is asked about
    compatible: Compatible = field(default_factory=Compatible)
    limits: QualityLimits = field(default_factory=QualityLimits)
    resamples: int = 500  # of each bootstrap
    seed: int = 0
    workers: int = 2


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found."""

    name: str  # of the table
    table_sha256: str
    split: str  # name of the splits file, or ""
    images: int
    readable: int
    units: int  # independent
    findings: tuple[Finding, ...]  # the gravest first
    classes: tuple[balance.ClassCount, ...]
    sources: tuple[str, ...]
    by_source: Ints  # [classes, sources] images
    probes: tuple[Probe, ...]  # a class against the others
    pair_probes: tuple[Probe, ...]  # a class against another
    unjudged: tuple[str, ...]  # classes too small for a probe
    chances: tuple[chance.Chance, ...]
    letters: tuple[lettering.Lettered, ...]
    spreads: tuple[Spread, ...]
    conflicts: tuple[conflicts.Conflict, ...]

    def counts(self) -> dict[str, int]:
        """How many findings of each severity."""
        from poxlens.audit.finding import SEVERITIES

        return {severity: sum(one.severity == severity for one in self.findings) for severity in SEVERITIES}


@contextmanager
def _quiet(name: str, total: int) -> Iterator[Callable[[], None]]:
    del name, total
    yield lambda: None


def audit(
    material: Material,
    *,
    name: str,
    table_sha256: str,
    options: Options | None = None,
    table_faults: Sequence[Fault] = (),
    assignments: Sequence[Assignment] = (),
    split: str = "",
    finder: lettering.Finder | None = None,
    step: Step = _quiet,
) -> Audit:
    """Run all checks.

    Args:
        material: the table and what was measured.
        name: of the table, for the report.
        table_sha256: of its bytes.
        options: see Options.
        table_faults: what is wrong with the table itself.
        assignments: how a study deals the images; without any, what a random split would leak is told.
        split: where the assignments come from.
        finder: tells where letters are drawn on a photo; without it that is not looked for.
        step: opens a progress bar.
    """
    asked = options or Options()
    quarrels = conflicts.find_conflicts(material, asked.compatible)
    classes = balance.count_classes(material, resamples=asked.resamples, seed=asked.seed)
    chances = chance.by_chance(material, asked.folds)
    findings = [*photos.check_table(table_faults), *leaks.check_leaks(material, assignments)]
    findings += leaks.check_parts(material, assignments)
    findings += [] if assignments else chance.check_chance(material, chances)
    findings += photos.check_files(material, asked.limits)
    findings += copies.check_copies(material) + conflicts.check_conflicts(material, quarrels)
    probes, pairs, unjudged = _probes(material, asked, step)
    findings += confounding.check_sources(material) + confounding.check_probes(probes)
    with step("marks repeated in a source", marks.photos_read(material)) as advance:
        marked = marks.find_marks(material, workers=asked.workers, seed=asked.seed, advance=advance)
    findings += marks.check_marks(material, marked)
    letters = _letters(material, asked, finder, step)
    findings += lettering.check_letters(material, letters)
    folds = [len(one.parts) for one in assignments if not one.inner] or asked.folds
    findings += balance.check_balance(classes, folds) + balance.check_tones(classes)
    findings += photos.check_personal(material)
    return Audit(
        name=name,
        table_sha256=table_sha256,
        split=split,
        images=len(material),
        readable=int(material.readable.sum()),
        units=int(np.unique(material.unit).size),
        findings=gravest_first(findings),
        classes=classes,
        sources=material.sources,
        by_source=confounding.table_of(material),
        probes=probes,
        pair_probes=pairs,
        unjudged=unjudged,
        chances=chances,
        letters=letters,
        spreads=spreads(material),
        conflicts=tuple(quarrels),
    )


def _probes(
    material: Material, options: Options, step: Step
) -> tuple[tuple[Probe, ...], tuple[Probe, ...], tuple[str, ...]]:
    bench = confounding.bench(material, resamples=options.resamples, seed=options.seed)
    with step("classes told by plain traits", confounding.tasks(bench, MOST_CLASSES)) as advance:
        probes = confounding.class_probes(bench, advance)
        few = len(material.labels) <= MOST_CLASSES
        pairs = confounding.pair_probes(bench, advance) if few else ()
    return probes, pairs, tuple(dict.fromkeys(bench.skipped))


def _letters(
    material: Material, options: Options, finder: lettering.Finder | None, step: Step
) -> tuple[lettering.Lettered, ...]:
    if finder is None:
        return ()
    with step("letters and logos drawn over photos", lettering.photos_read(material)) as advance:
        return lettering.find_letters(
            material,
            finder,
            workers=options.workers,
            resamples=options.resamples,
            seed=options.seed,
            advance=advance,
        )
