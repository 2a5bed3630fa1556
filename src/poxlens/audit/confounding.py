"""Classes that can be told without looking at the skin: by their source, or by traits of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.material import Bools, Floats, Ints, Material
from poxlens.audit.probes import FOLDS, MOST_ROWS, Probe, deal_units, design, enough, probe, subset
from poxlens.audit.traits import ALL, FAMILIES, SOURCE, SOURCE_ONLY, family_values, source_columns

LIMIT = 0.75  # AUROC from which a class is called known by a trait
EVERYTHING = "all"
OTHERS = "the others"


@dataclass(frozen=True, eq=False)
class Bench:
    """The rows that probes are computed on and their columns by family."""

    label: Ints  # [M]
    labels: tuple[str, ...]
    source: Ints  # [M]
    sources: tuple[str, ...]
    unit: Ints  # [M]
    values: Mapping[str, Floats]  # family -> [M, T]
    resamples: int = 500
    seed: int = 0
    skipped: list[str] = field(default_factory=list)  # classes too small to judge, plain words


def bench(material: Material, *, resamples: int, seed: int) -> Bench:
    """The readable rows of a table, at most MOST_ROWS, in whole units."""
    rows = np.flatnonzero(material.readable)
    rows = rows[subset(material.unit[rows], MOST_ROWS, seed)]
    values = {name: table[rows] for name, table in family_values(material).items()}
    return Bench(
        material.label[rows], material.labels, material.source[rows], material.sources, material.unit[rows],
        values, resamples, seed,
    )  # fmt: skip


def class_probes(bench: Bench, advance: Callable[[], None] = lambda: None) -> tuple[Probe, ...]:
    """Each class against all others by each family: in the whole table, and within each source that has several."""
    found: list[Probe] = []
    for scope, rows in _scopes(bench):
        families = _columns(bench, rows, with_source=scope == EVERYTHING)
        unit, label = bench.unit[rows], bench.label[rows]
        fold = deal_units(unit, label, FOLDS, bench.seed)
        for code in np.unique(label):
            advance()
            positive = label == code
            if not enough(positive, unit):
                bench.skipped.append(f"{bench.labels[code]} ({scope})")
                continue
            told = probe(families, positive, unit, fold, resamples=bench.resamples, seed=bench.seed)
            found += [
                Probe(scope, bench.labels[code], OTHERS, family, figure) for family, figure in told.items()
            ]
    return tuple(found)


def pair_probes(bench: Bench, advance: Callable[[], None] = lambda: None) -> tuple[Probe, ...]:
    """Each class against each other class by all traits together, in the whole table."""
    found = []
    for one, other in combinations(np.unique(bench.label), 2):
        advance()
        rows = np.flatnonzero((bench.label == one) | (bench.label == other))
        unit, positive = bench.unit[rows], bench.label[rows] == one
        if not enough(positive, unit):
            continue
        columns = {ALL: _columns(bench, rows, with_source=False)[ALL]}
        fold = deal_units(unit, bench.label[rows], FOLDS, bench.seed)
        told = probe(columns, positive, unit, fold, resamples=bench.resamples, seed=bench.seed)
        found += [
            Probe(EVERYTHING, bench.labels[one], bench.labels[other], ALL, figure) for figure in told.values()
        ]
    return tuple(found)


def tasks(bench: Bench, most: int) -> int:
    """How often `class_probes`, and for at most `most` classes `pair_probes`, call `advance`."""
    classes = len(np.unique(bench.label))
    scopes = sum(len(np.unique(bench.label[rows])) for _, rows in _scopes(bench))
    return scopes + (classes * (classes - 1) // 2 if classes <= most else 0)


def check_probes(probes: Sequence[Probe], limit: float = LIMIT) -> list[Finding]:
    """Finding `confounded.traits` for each scope in which a class is known by traits at `limit` or above."""
    findings = []
    for scope in dict.fromkeys(one.scope for one in probes):
        known = [
            one
            for one in probes
            if one.scope == scope
            and one.family in FAMILIES
            and one.auroc.value >= limit
            and not one.auroc.low <= 0.5
        ]
        if not known:
            continue
        known.sort(key=lambda one: (one.label, -one.auroc.value))
        classes = list(dict.fromkeys(one.label for one in sorted(known, key=lambda one: -one.auroc.value)))
        where = "in the whole table" if scope == EVERYTHING else f"within {scope}"
        title = f"{count(len(classes), 'class is', 'classes are')} known by plain traits {where}: {some(classes, 6)}"
        findings.append(
            Finding(
                "confounded.traits",
                "warning",
                title,
                (_ADVICE if scope == EVERYTHING else _WITHIN) + _blame(known),
                tuple(Item(one.label, f"{FAMILIES[one.family]}: AUROC {figure(one)}") for one in known),
                {"scope": scope, "classes": len(classes)},
            )
        )
    return findings


_ADVICE = (
    "A network can name these without seeing a lesion, so its accuracy partly measures the studio, the camera or the"
    " web site. Compare within one source, crop frames, bring all images to one size and quality, and test on a source"
    " that was not learnt from."
)
_WITHIN = "Even within one source these are told apart without looking at a lesion."


def _blame(known: Sequence[Probe]) -> str:
    """Which of them no disease can explain."""
    surely = sorted({one.label for one in known if one.family in SOURCE_ONLY})
    if not surely:
        return " Colour and sharpness may be the disease's own here."
    return f" Size, compression, file or frame, which no disease changes, give away: {some(surely, 6)}."


def check_sources(material: Material) -> list[Finding]:
    """Findings `confounded.single_source`, `confounded.source`: what the source alone tells of the class."""
    counts = table_of(material)
    if len(material.sources) < 2 or len(material.labels) < 2:
        return []
    findings = []
    single = np.flatnonzero((counts > 0).sum(1) == 1)
    if single.size:
        items = []
        for place in single:
            source = material.sources[int(counts[place].argmax())]
            items.append(Item(material.labels[place], f"all {counts[place].sum():,} images from {source}"))
        findings.append(
            Finding(
                "confounded.single_source",
                "warning",
                f"{count(len(items), 'class comes', 'classes come')} from one source only"
                f" (of {len(material.labels)}): {some((item.name for item in items), 6)}",
                "Such a class cannot be told apart from its source. Add images of it from another source, or leave"
                " it out of any claim; a test within one source is the only fair one.",
                tuple(items),
                {"classes": len(items), "of": len(material.labels)},
            )
        )
    best = counts.max(0).sum() / counts.sum()
    commonest = counts.sum(1).max() / counts.sum()
    v = cramers_v(counts)
    if v >= 0.5:
        findings.append(
            Finding(
                "confounded.source",
                "warning",
                f"The source alone names the class of {best:.0%} of the images"
                f" (the commonest class alone: {commonest:.0%}); Cramer's V {v:.2f}",
                "The column dataset predicts the label. Report figures within each source and with one source"
                " left out (poxlens data split can deal by source).",
                numbers={"share": float(best), "commonest_share": float(commonest), "cramers_v": v},
            )
        )
    return findings


def table_of(material: Material, rows: Bools | None = None) -> Ints:
    """Images by class and source, [C, S]."""
    counts = np.zeros((len(material.labels), len(material.sources)), np.int64)
    taken = slice(None) if rows is None else rows
    np.add.at(counts, (material.label[taken], material.source[taken]), 1)
    return counts


def cramers_v(counts: Ints) -> float:
    """Association of rows and columns, 0 (none) to 1 (one tells the other), bias-corrected (Bergsma 2013).

    Args:
        counts: [R, C]; NaN is returned where one side has a single value.
    """
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    rows, columns = counts.shape
    n = counts.sum()
    if min(rows, columns) < 2 or n < 2:
        return float("nan")
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / n
    phi = float(((counts - expected) ** 2 / expected).sum() / n)
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    r = rows - (rows - 1) ** 2 / (n - 1)
    c = columns - (columns - 1) ** 2 / (n - 1)
    return float(np.sqrt(phi / max(min(r, c) - 1, 1e-12)))


def figure(one: Probe) -> str:
    """The AUROC with its interval: ".87 [.84–.90]"."""
    told = one.auroc
    if not np.isfinite(told.low):
        return f"{told.value:.2f}"
    return f"{told.value:.2f} [{told.low:.2f}–{told.high:.2f}]"


def _scopes(bench: Bench) -> Iterator[tuple[str, Ints]]:
    """The whole table, and each source with two classes or more."""
    if not len(bench.label):
        return
    yield EVERYTHING, np.arange(len(bench.label))
    if len(np.unique(bench.source)) < 2:
        return
    for code in np.unique(bench.source):
        rows = np.flatnonzero(bench.source == code)
        if len(np.unique(bench.label[rows])) > 1:
            yield bench.sources[code], rows


def _columns(bench: Bench, rows: Ints, *, with_source: bool) -> dict[str, Floats]:
    families = {name: design(values[rows]) for name, values in bench.values.items()}
    families[ALL] = np.concatenate(list(families.values()), axis=1)
    if with_source:
        families[SOURCE] = design(source_columns(bench.source[rows]), squares=False)
    return families
