"""The report of leak-demo as one HTML file: no script, no request, no image of a patient."""

from __future__ import annotations

from html import escape

from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.recipes.leak.figures import FIGURES, Gap, Measured
from poxlens.recipes.leak.heads import HEADS
from poxlens.recipes.leak.network import NAME
from poxlens.recipes.leak.plots import copies_panel, figure_panel, svg
from poxlens.recipes.leak.report import TOLD, Report, written

# Wider than the page's own grid of plots: these hold text at both sides.
_GRID = "display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr))"
_AID = "Figures of a method on a data set, not of a medical device. PCR decides."


def page(found: Report) -> str:
    """The whole page as HTML text."""
    name = found.plan.dataset or "the whole table"
    body = _head(found, name) + section("The same head, the same images", _figures(found))
    body += section("What the split adds", _gaps(found)) + section("More copies, more leak", _copies(found))
    body += section("How it was done", _method(found))
    return document(f"The leak, shown: {name}", body, footer=_AID)


def _head(found: Report, name: str) -> str:
    worst = max(
        (g for g in found.gaps if (g.above, g.below, g.copies) == ("common", "grouped", found.plan.copies)),
        key=lambda g: g.figures["accuracy"].value,
        default=None,
    )
    numbers = [(str(found.images), "images"), (str(found.groups), "groups: persons and near-duplicates")]
    if worst is not None:
        common, honest = found.of(worst.head, "common"), found.of(worst.head, "grouped")
        assert common is not None
        assert honest is not None
        numbers += [
            (f"{common.clustered['accuracy'].value:.3f}", f"accuracy of {worst.head}, common protocol"),
            (f"{honest.clustered['accuracy'].value:.3f}", f"accuracy of {worst.head}, honest protocol"),
        ]
    skipped = [f"{one.file} was not used: {one.reason}" for one in found.skipped]
    return (
        heading("The leak, shown", name, f"Table of images: SHA-256 {found.data_sha256}")
        + tiles(numbers)
        + notes(skipped)
        + "<p>Every head is trained on the same images twice: under the protocol that is common in the field, and"
        " under one that keeps a person, a photo and its copies on one side of the split. The difference is not"
        " skill: it is what the split gave away.</p>\n"
    )


def _figures(found: Report) -> str:
    plots = "".join(svg(figure_panel(found, name)) for name in FIGURES)
    rows: list[tuple[str, ...]] = []
    breaks: set[int] = set()
    previous = ""
    for measured in _shown(found):
        if measured.head != previous and rows:
            breaks.add(len(rows))
        previous = measured.head
        rows.append(
            (
                f"{measured.head}, {measured.protocol}",
                str(measured.rows),
                str(measured.images),
                str(measured.groups),
                "–" if measured.seen is None else f"{measured.seen:.0%}",
                *(written(measured.clustered[name]) for name in FIGURES),
                written(measured.naive["accuracy"]),
            )
        )
    heads = ("", "tested rows", "images", "groups", "seen", *FIGURES, "accuracy, naive interval")
    return (
        f'<div style="{_GRID}">{plots}</div>'
        '<p class="faint">Dot and line: the figure and its 95 % interval over groups. Pale bar: the interval that'
        " takes every copy as an independent image, as a paper that splits copies would give it.</p>"
        + table("", heads, rows, breaks)
        + '<p class="faint">Seen: share of the tested rows of which a copy, the person or a near-duplicate was learnt'
        " from.</p>"
    )


def _shown(found: Report) -> list[Measured]:
    return [
        measured
        for head in found.heads
        for protocol in TOLD
        if (measured := found.of(head, protocol)) is not None
    ]


def _gaps(found: Report) -> str:
    gaps = [g for g in found.gaps if g.copies == found.plan.copies]
    gaps.sort(key=lambda g: found.heads.index(g.head))
    heads = ("", *FIGURES)
    return table("", heads, [_gap_row(g) for g in gaps]) + (
        '<p class="faint">Paired 95 % intervals: the same groups are drawn on both sides. A line with 0 in its interval'
        " shows no leak on these images.</p>"
    )


def _gap_row(gap: Gap) -> tuple[str, ...]:
    name = f"{gap.head}: {gap.above} − {gap.below}"
    return (name, *(written(gap.figures[figure], signed=True) for figure in FIGURES))


def _copies(found: Report) -> str:
    panels = [copies_panel(found, name) for name in ("accuracy", "AUROC")]
    plots = "".join(svg(panel) for panel in panels if panel[1])
    if not plots:
        return "<p>Only one number of copies was run.</p>"
    gaps = [g for g in found.gaps if (g.above, g.below) == ("common", "grouped")]
    gaps.sort(key=lambda g: (found.heads.index(g.head), g.copies))
    rows = [
        (f"{g.head}, {g.copies} copies", *(written(g.figures[name], signed=True) for name in FIGURES))
        for g in gaps
    ]
    return (
        f'<div style="{_GRID}">{plots}</div>'
        '<p class="faint">With 0 copies the common protocol is a random split of the images: what is left are'
        " persons and near-duplicates on both sides.</p>"
        + table("Common minus grouped", ("", *FIGURES), rows)
    )


def _method(found: Report) -> str:
    plan = found.plan
    protocols = [(name, TOLD[name]) for name in TOLD if any(m.protocol == name for m in found.measured)]
    heads = [(name, HEADS[name][1]) for name in found.heads if name in HEADS]
    if NAME in found.heads and plan.tuning:
        told = f"every layer of {plan.tuning.network} at {plan.tuning.side} px, {plan.tuning.epochs} epochs"
        heads.append((NAME, told))
    counts = ", ".join(f"{name} {count}" for name, count in found.counts.items())
    others = (
        f" {found.others} images of {', '.join(plan.others)} are learnt from too." if found.others else ""
    )
    return (
        f"<p>Classes: {escape(counts)}. AUROC is of {escape(plan.target)} against all others.{escape(others)}</p>"
        + table("Protocols", ("", "what it does"), protocols, told=True)
        + table("Heads", ("", "what it is"), heads, told=True)
        + f'<p class="faint">Features of {escape(plan.network)}; {plan.copies} augmented copies of each image;'
        f" {plan.repeats} repeats of {plan.folds} folds, seed {plan.seed}. No option of a head was chosen on these"
        " images.</p>"
    )
