"""The audit as one HTML file: no script, no request, no photo; for phone, desk and printer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from poxlens.audit.audit import Audit
from poxlens.audit.confounding import EVERYTHING, LIMIT, OTHERS
from poxlens.audit.finding import SEVERITIES, Finding
from poxlens.audit.spread import MEASURES
from poxlens.audit.traits import ALL, FAMILIES, SOURCE
from poxlens.audit.wording import AID, VERDICT, verdict
from poxlens.evaluate.intervals import Estimate
from poxlens.pages.bars import legend, stacked_bars
from poxlens.pages.document import document, heading, section, table, tiles
from poxlens.pages.dots import interval_dots
from poxlens.pages.heat import Cell, heat_table
from poxlens.pages.strips import spread_strips

TONES = {"light": "#e9c9a4", "dark": "#7a4a2b", "unknown": "#b6bec6"}
SHOWN = 100  # items of a finding; audit.json has all
_PAIRED = 16  # classes, for a table of every pair of them


def page(audit: Audit) -> str:
    """The whole page as HTML text."""
    parts = [section("What was found", _findings(audit.findings))]
    if not audit.split:
        parts.append(section("If this table were split at random", _chances(audit)))
    parts += [
        section("Classes and sources", _sources(audit)),
        section("Classes told without looking at the skin", _probes(audit)),
        section("How the files of each class differ", _spreads(audit)),
        *([section("Letters, logos and frames drawn over photos", _letters(audit))] if audit.letters else []),
        section("Classes, independent units and skin tone", _classes(audit)),
    ]
    return document(f"Audit of {audit.name}", _head(audit) + "".join(parts), footer=AID)


def _head(audit: Audit) -> str:
    counts = audit.counts()
    faint = f"SHA-256 {audit.table_sha256}" + (f"; split {audit.split}" if audit.split else "")
    numbers = [(f"{counts[name]:,}", f"{name}{'' if counts[name] == 1 else 's'}") for name in SEVERITIES]
    size = [
        (f"{audit.images:,}", "images"),
        (f"{audit.units:,}", "independent units"),
        (f"{len(audit.classes):,}", "classes"),
        (f"{len(audit.sources):,}", "sources"),
    ]
    said = verdict(audit)
    return (
        heading("Audit of a table of images", audit.name, faint)
        + f'<p class="verdict {said}">{escape(VERDICT[said])}</p>'
        + tiles(numbers)
        + tiles(size)
    )


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<p>Nothing.</p>"
    shown = []
    severity = ""
    for one in findings:
        if one.severity != severity:
            severity = one.severity
            shown.append(f'<p class="faint">{severity.capitalize()}: {escape(SEVERITIES[severity])}.</p>')
        shown.append(_finding(one))
    return "".join(shown)


def _finding(one: Finding) -> str:
    badge = f'<span class="badge {one.severity}">{one.severity}</span>'
    head = f"{badge} <b>{escape(one.title)}</b>"
    text = f'<p>{escape(one.advice)} <code class="faint">{escape(one.code)}</code></p>'
    if not one.items:
        return f'<div class="finding">{head}{text}</div>'
    pairs = any(item.other for item in one.items)
    heads = ("", *(("with",) if pairs else ()), "")
    rows = [(item.name, *((item.other,) if pairs else ()), item.detail) for item in one.items[:SHOWN]]
    more = len(one.items) - SHOWN
    rest = f'<p class="faint">… and {more:,} more in audit.json.</p>' if more > 0 else ""
    listed = "item" if len(one.items) == 1 else "items"
    return (
        f'<div class="finding">{head}{text}<details><summary>{len(one.items):,} {listed}</summary>'
        f"{table('', heads, rows, told=True)}{rest}</details></div>"
    )


def _chances(audit: Audit) -> str:
    rows = [
        (f"{one.folds} folds", f"{one.any:.1%}", f"{one.photo:.1%}", f"{one.person:.1%}")
        for one in audit.chances
    ]
    return (
        "<p>Expected share of test images with a partner in training, were images dealt one by one (exact,"
        " from the groups found).</p>"
        + table("", ("", "any partner", "the same photo", "the same person"), rows)
    )


def _sources(audit: Audit) -> str:
    most = max(1, int(audit.by_source.max()))
    rows: list[tuple[str, list[Cell]]] = [
        (
            one.label,
            [(f"{count:,}" if count else "·", math.sqrt(count / most)) for count in counts.tolist()],
        )
        for one, counts in zip(audit.classes, audit.by_source, strict=True)
    ]
    return heat_table(
        "Images of each class (rows) from each source (columns)",
        audit.sources,
        rows,
        last="A row with a single filled cell: whoever knows the source knows the class.",
    )


def _probes(audit: Audit) -> str:
    if not audit.probes:
        return "<p>No class has enough independent units for a probe.</p>"
    dots = "".join(
        f"<figure><figcaption>{escape(title)}</figcaption>{_dots(audit, family)}</figure>"
        for family, title in ((ALL, "All plain traits together"), (SOURCE, "The source alone"))
        if any(one.family == family and one.scope == EVERYTHING for one in audit.probes)
    )
    scopes = list(dict.fromkeys(one.scope for one in audit.probes))
    tables = "".join(_family_table(audit, scope) for scope in scopes)
    small = (
        f'<p class="faint">Too few independent units for a probe: {escape(", ".join(audit.unjudged))}.</p>'
        if audit.unjudged
        else ""
    )
    return (
        "<p>AUROC of a logistic regression that sees traits of the file and never the picture, cross-validated"
        " with persons, groups and copies kept whole; 0.5 is chance, 1 is certainty. 95 % intervals over"
        f" independent units; the dashed line is {LIMIT}, from which a class is called known.</p>"
        f'<div class="plots two">{dots}</div>{tables}{_pair_table(audit)}{small}'
    )


def _dots(audit: Audit, family: str) -> str:
    rows = [
        (one.label, one.auroc.value, one.auroc.low, one.auroc.high)
        for one in audit.probes
        if one.family == family and one.scope == EVERYTHING
    ]
    rows.sort(key=lambda row: -row[1])
    told = f"AUROC by class of {family}: " + "; ".join(f"{name} {value:.2f}" for name, value, _, _ in rows)
    return interval_dots(
        rows, low=0.4, high=1.0, ticks=(0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), told=told, line=LIMIT
    )


def _family_table(audit: Audit, scope: str) -> str:
    families = [*FAMILIES, ALL, *((SOURCE,) if scope == EVERYTHING else ())]
    figures = {(one.label, one.family): one.auroc for one in audit.probes if one.scope == scope}
    families = [family for family in families if any(key[1] == family for key in figures)]
    rows: list[tuple[str, list[Cell]]] = []
    for label in dict.fromkeys(label for label, _ in figures):
        cells = []
        for family in families:
            found = figures.get((label, family))
            cells.append(("–", 0.0) if found is None else _auroc_cell(found.value))
        rows.append((label, cells))
    title = "Each class against the others, in the whole table" if scope == EVERYTHING else f"Within {scope}"
    return heat_table(title, families, rows)


def _pair_table(audit: Audit) -> str:
    values = {(one.label, one.against): one.auroc.value for one in audit.pair_probes if one.against != OTHERS}
    labels = list(dict.fromkeys(label for pair in values for label in pair))
    if len(labels) < 3:
        return ""
    if len(labels) > _PAIRED:
        hard = sorted(values.items(), key=lambda item: item[1])[:_PAIRED]
        rows = [(f"{one} / {other}", f"{value:.2f}") for (one, other), value in hard]
        return table(
            "Pairs of classes that plain traits tell apart least (all in audit.json)", ("", "AUROC"), rows
        )
    rows_: list[tuple[str, list[Cell]]] = []
    for place, label in enumerate(labels[1:], start=1):
        cells = [
            _auroc_cell(found)
            if (found := values.get((one, label), values.get((label, one))))
            else ("–", 0.0)
            for one in labels[:place]
        ]
        rows_.append((label, cells + [("", 0.0)] * (len(labels) - 1 - place)))
    return heat_table("Each class against each other, all traits", labels[:-1], rows_)


def _auroc_cell(value: float) -> Cell:
    return f"{value:.2f}", max(0.0, (value - 0.5) * 2)


def _spreads(audit: Audit) -> str:
    plots = []
    for measure, unit in MEASURES.items():
        found = [one for one in audit.spreads if one.measure == measure]
        if not found:
            continue
        low, high, ticks = _scale(
            min(one.percentiles[0] for one in found), max(one.percentiles[4] for one in found)
        )
        rows = [(one.label, one.percentiles, f"n {one.n:,}") for one in found]
        told = f"{measure} by class, median: " + "; ".join(
            f"{one.label} {one.percentiles[2]:.3g}" for one in found
        )
        plot = spread_strips(rows, low=low, high=high, ticks=ticks, told=told)
        named = f"{measure[0].upper()}{measure[1:]}{f', {unit}' if unit else ''}"
        plots.append(f"<figure><figcaption>{escape(named)}</figcaption>{plot}</figure>")
    return (
        f'<div class="plots two">{"".join(plots)}</div><p class="faint">The line spans the 5th to the 95th percentile,'
        " the bar the middle half, the tick the median. Sharpness is log10 of the variance of the Laplacian;"
        " lightness 0–255.</p>"
    )


def _letters(audit: Audit) -> str:
    rows = [
        (f"{one.label} ({one.source})", f"{len(one.rows)} of {one.seen}", _share(one.share))
        for one in sorted(audit.letters, key=lambda one: -one.share.value)
    ]
    return (
        "<p>Told by the network that curation crops with, on a sample of each class in each source.</p>"
        + table("", ("", "photos", "share"), rows)
    )


def _classes(audit: Audit) -> str:
    rows = []
    for one in audit.classes:
        shares = [
            (tone, count / max(1, one.images))
            for tone, count in (("light", one.light), ("dark", one.dark), ("unknown", one.untold))
        ]
        rows.append((one.label, shares, f"n {one.images:,}"))
    told = "Skin tone by class; the table has the numbers"
    cells = [
        (
            one.label, f"{one.images:,}", f"{one.units:,}", f"{one.light:,}", f"{one.dark:,}", f"{one.untold:,}",
            _share(one.dark_share),
        )
        for one in audit.classes
    ]  # fmt: skip
    return (
        legend({"light": TONES["light"], "dark": TONES["dark"], "too little skin to tell": TONES["unknown"]})
        + stacked_bars(rows, TONES, told)
        + table("", ("", "images", "units", "light", "dark", "untold", "dark share"), cells)
        + '<p class="faint">An independent unit is a person, a named group or one photo with all its copies. Tone:'
        " Individual Typology Angle above 10° is light (Campana 2024, section 4.4.4), or what the table says; an"
        " estimate that light and camera move.</p>"
    )


def _share(figure: Estimate) -> str:
    if not math.isfinite(figure.value):
        return "–"
    if not math.isfinite(figure.low):
        return f"{figure.value:.0%}"
    return f"{figure.value:.0%} [{figure.low:.0%}–{figure.high:.0%}]"


def _scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """A round axis that holds both, and its ticks."""
    span = max(high - low, 1e-6)
    step = 10 ** math.floor(math.log10(span / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 4)
    start, end = math.floor(low / step) * step, math.ceil(high / step) * step
    if end <= start:
        end = start + step
    ticks = [start + number * step for number in range(round((end - start) / step) + 1)]
    return start, end, ticks
