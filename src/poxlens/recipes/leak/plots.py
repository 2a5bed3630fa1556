"""The two plots of leak-demo as SVG: figures by head and protocol, and the gap by number of copies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.leak.figures import ORIGINALS
from poxlens.recipes.leak.report import Report, written

# Told apart by lightness too (Okabe & Ito 2008).
COLOURS = {
    "common": "#c2410c",
    ORIGINALS: "#e58a4e",
    "image": "#e0a526",
    "grouped": "#2a78b5",
    "merged": "#9aa3ad",
    "strict": "#1b9e77",
}
_HEADS = ("#9aa3ad", "#e0a526", "#2a78b5", "#c2410c", "#7b4fa3")
_SHAPES = ("circle", "square", "triangle", "diamond", "circle")
_WIDTH = 420
_LEFT, _RIGHT = 118.0, 308.0  # of the axis
_STYLE = (
    "svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#1b2126}.faint{fill:#5b6670;font-size:11px}"
    ".grid{stroke:#dde2e6}.diagonal{stroke:#5b6670;stroke-dasharray:4 4}"
)
Scale = Callable[[float], float]
Panel = tuple[str, int, str]
"""Markup, height, and what it says in words."""


def figure_panel(found: Report, name: str) -> Panel:
    """One figure by head and protocol: a dot, its interval over groups, and a bar for the naive interval."""
    shown = [
        (head, protocol, measured)
        for head in found.heads
        for protocol in COLOURS
        if (measured := found.of(head, protocol)) is not None
    ]
    lowest = min(
        (m.clustered[name].low for *_, m in shown if not math.isnan(m.clustered[name].low)), default=0
    )
    start = max(0.0, math.floor(lowest * 10) / 10)

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (min(max(value, start), 1.0) - start) / (1 - start)

    parts, told, top, previous = [], [], 30.0, ""
    for head, protocol, measured in shown:
        if head != previous:
            parts.append(f'<text font-weight="600" x="0" y="{top + 12:.0f}">{escape(head)}</text>')
            top, previous = top + 19, head
        figure, colour = measured.clustered[name], COLOURS[protocol]
        if protocol == "common":
            parts.append(_bar(x, measured.naive[name], top + 9, colour))
        parts.append(_whisker(x, figure, top + 9, colour))
        parts.append(
            f'<text class="faint" x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">{protocol}</text>'
        )
        parts.append(f'<text class="faint" x="{_RIGHT + 8}" y="{top + 13}">{_short(figure)}</text>')
        told.append(f"{head}, {protocol} {written(figure)}")
        top += 17
    ticks = [start + 0.1 * step for step in range(round((1 - start) * 10) + 1)]
    every = 2 if len(ticks) > 6 else 1
    frame = [
        f'<line class="grid" x1="{x(t):.1f}" x2="{x(t):.1f}" y1="24" y2="{top}"/>'
        f'<text class="faint" x="{x(t):.1f}" y="20" text-anchor="middle">{t:.1f}</text>'
        for t in ticks[::-1][::every]
    ]
    title = f'<text font-weight="600" x="0" y="18">{escape(name)}</text>'
    return title + "".join(frame) + "".join(parts), int(top + 6), f"{name}: {'; '.join(told)}."


def copies_panel(found: Report, name: str) -> Panel:
    """The gap of one figure, common minus grouped, by number of copies, a line a head."""
    gaps = [g for g in found.gaps if (g.above, g.below) == ("common", "grouped")]
    numbers = sorted({g.copies for g in gaps})
    heads = [head for head in found.heads if len({g.copies for g in gaps if g.head == head}) > 1]
    values = [g.figures[name] for g in gaps if g.head in heads]
    if not values:
        return "", 0, ""
    bounds = [v for e in values for v in (e.value, e.low, e.high) if not math.isnan(v)]
    high = math.ceil(max(*bounds, 0.1) * 10) / 10
    low = math.floor(min(*bounds, 0.0) * 10) / 10

    def x(place: float) -> float:
        return 44 + 340 * (place + 0.5) / len(numbers)

    def y(value: float) -> float:
        return 34 + 190 * (high - value) / (high - low)

    parts = [f'<text font-weight="600" x="0" y="18">{escape(name)}: common minus grouped</text>']
    for step in range(round((high - low) * 10) + 1):
        at = low + step / 10
        kind = "diagonal" if abs(at) < 1e-9 else "grid"
        parts.append(f'<line class="{kind}" x1="44" x2="384" y1="{y(at):.1f}" y2="{y(at):.1f}"/>')
        parts.append(f'<text class="faint" x="38" y="{y(at) + 4:.1f}" text-anchor="end">{at:+.1f}</text>')
    for place, number in enumerate(numbers):
        parts.append(f'<text class="faint" x="{x(place):.1f}" y="242" text-anchor="middle">{number}</text>')
    parts.append(
        '<text class="faint" x="214" y="260" text-anchor="middle">augmented copies of each image</text>'
    )
    told = []
    for order, head in enumerate(heads):
        colour, shape = _HEADS[order % len(_HEADS)], _SHAPES[order % len(_SHAPES)]
        line = [(numbers.index(g.copies), g.figures[name]) for g in gaps if g.head == head]
        line.sort(key=lambda point: point[0])
        shift = (order - (len(heads) - 1) / 2) * 0.14
        corners = " ".join(f"{x(place + shift):.1f},{y(e.value):.1f}" for place, e in line)
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for place, e in line:
            at = x(place + shift)
            if not math.isnan(e.low):
                parts.append(
                    f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(e.low):.1f}" y2="{y(e.high):.1f}"'
                    f' stroke="{colour}" stroke-width="1.5" opacity=".6"/>'
                )
            parts.append(_mark(shape, at, y(e.value), colour))
            told.append(f"{head}, {numbers[place]} copies {written(e, signed=True)}")
        parts.append(_mark(shape, 20 + 104 * order, 282, colour))
        parts.append(f'<text class="faint" x="{28 + 104 * order}" y="286">{escape(head)}</text>')
    return "".join(parts), 296, f"Gap in {name}: {'; '.join(told)}."


def svg(panel: Panel) -> str:
    """One panel as an inline SVG of a page."""
    inside, height, told = panel
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(told)}">{inside}</svg>'


def standalone(panels: Sequence[Panel]) -> str:
    """Panels below each other as one SVG file."""
    top, parts = 10, []
    for inside, height, _ in panels:
        if height:
            parts.append(f'<g transform="translate(10 {top})">{inside}</g>')
            top += height + 14
    told = escape(" ".join(panel[2] for panel in panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH + 20} {top}" width="{2 * _WIDTH}"'
        f' role="img"><title>{told}</title><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _whisker(x: Scale, figure: Estimate, middle: float, colour: str) -> str:
    line = ""
    if not math.isnan(figure.low):
        line = (
            f'<line x1="{x(figure.low):.1f}" x2="{x(figure.high):.1f}" y1="{middle}" y2="{middle}"'
            f' stroke="{colour}" stroke-width="1.5"/>'
        )
    return line + f'<circle cx="{x(figure.value):.1f}" cy="{middle}" r="4.5" fill="{colour}"/>'


def _bar(x: Scale, figure: Estimate, middle: float, colour: str) -> str:
    if math.isnan(figure.low):
        return ""
    width = max(1.0, x(figure.high) - x(figure.low))
    return (
        f'<rect x="{x(figure.low):.1f}" y="{middle - 7}" width="{width:.1f}" height="14" rx="2"'
        f' fill="{colour}" opacity=".25"/>'
    )


def _mark(shape: str, x: float, y: float, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "triangle": ((0, -5), (5, 4), (-5, 4)),
        "diamond": ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    }[shape]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def _short(figure: Estimate) -> str:
    if math.isnan(figure.value):
        return "–"
    if math.isnan(figure.low):
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.2f}–{figure.high:.2f}]".replace("0.", ".")
