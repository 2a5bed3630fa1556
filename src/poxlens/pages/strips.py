"""How a number spreads within each of several rows, inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from poxlens.pages.rows import ROW, WIDTH, at, axis, canvas, name_of


def spread_strips(
    rows: Sequence[tuple[str, tuple[float, float, float, float, float], str]],
    *,
    low: float,
    high: float,
    ticks: Sequence[float],
    told: str,
    unit: str = "",
) -> str:
    """One strip a row: a thin line from the 5th to the 95th percentile, a bar over the middle half, the median.

    Args:
        rows: name, percentiles 5, 25, 50, 75 and 95, and a note at its end.
        low: of the axis.
        high: of the axis.
        ticks: where grid lines stand.
        told: what a screen reader says of the whole.
        unit: written after each tick.
    """
    parts = axis(low, high, ticks, len(rows), unit)
    for place, (name, spread, note) in enumerate(rows):
        y = ROW * place + 13
        fifth, first, middle, third, last = (at(value, low, high) for value in spread)
        parts.append(name_of(name, place))
        parts.append(f'<line class="whisker" x1="{fifth:.1f}" x2="{last:.1f}" y1="{y}" y2="{y}"/>')
        # A class of one size would have no bar at all.
        width = max(3.0, third - first)
        parts.append(
            f'<rect class="half" x="{(first + third - width) / 2:.1f}" y="{y - 6}" width="{width:.1f}"'
            ' height="12" rx="2"/>'
        )
        parts.append(f'<line class="median" x1="{middle:.1f}" x2="{middle:.1f}" y1="{y - 7}" y2="{y + 7}"/>')
        parts.append(f'<text class="faint" x="{WIDTH:g}" y="{y + 4}" text-anchor="end">{escape(note)}</text>')
    return canvas(ROW * len(rows) + 24, told, parts)
