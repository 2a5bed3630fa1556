"""Figures with their intervals as dots on one axis, inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from poxlens.pages.rows import ROW, WIDTH, at, axis, canvas, name_of


def interval_dots(
    rows: Sequence[tuple[str, float, float, float]],
    *,
    low: float,
    high: float,
    ticks: Sequence[float],
    told: str,
    line: float | None = None,
) -> str:
    """One dot a row with its interval.

    Args:
        rows: name, value, lower and upper end (NaN: no interval).
        low: of the axis.
        high: of the axis.
        ticks: where grid lines stand.
        told: what a screen reader says of the whole.
        line: a value to mark with a dashed line.
    """
    parts = axis(low, high, ticks, len(rows))
    bottom = ROW * len(rows) + 4
    if line is not None:
        x = at(line, low, high)
        parts.append(f'<line class="diagonal" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{bottom}"/>')
    for place, (name, value, lower, upper) in enumerate(rows):
        y = ROW * place + 13
        parts.append(name_of(name, place))
        if math.isfinite(lower) and math.isfinite(upper):
            parts.append(
                f'<line class="whisker" x1="{at(lower, low, high):.1f}" x2="{at(upper, low, high):.1f}"'
                f' y1="{y}" y2="{y}"/>'
            )
        parts.append(
            f'<circle class="dot" cx="{at(value, low, high):.1f}" cy="{y}" r="5"><title>{escape(name)}:'
            f" {value:.2f}</title></circle>"
        )
        parts.append(f'<text class="faint" x="{WIDTH:g}" y="{y + 4}" text-anchor="end">{value:.2f}</text>')
    return canvas(bottom + 20, told, parts)
