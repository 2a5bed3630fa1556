"""Points on two axes as inline SVG, the horizontal one logarithmic where values span decades."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 360.0, 270.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 44.0, 10.0, 350.0, 222.0


def scatter(
    points: Sequence[tuple[str, str, float, float]],
    colours: Mapping[str, str],
    *,
    across: str,
    up: str,
    low: float,
    high: float,
    told: str,
) -> str:
    """One dot a point; its name in its tooltip.

    Args:
        points: name, kind, horizontal value (above 0), vertical value.
        colours: kind -> colour, as #rrggbb.
        across: what the horizontal axis, logarithmic, measures.
        up: what the vertical one does.
        low: of the vertical axis.
        high: of it.
        told: what a screen reader says of the whole.
    """
    values = [x for _, _, x, _ in points] or [1.0]
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    last = max(last, first + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - first) / (last - first)
        rise = (min(max(y, low), high) - low) / (high - low)
        return _LEFT + share * (_RIGHT - _LEFT), _BOTTOM - rise * (_BOTTOM - _TOP)

    parts = []
    for power in range(first, last + 1):
        x, _ = place(10.0**power, low)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_BOTTOM}"/>')
        parts.append(
            f'<text class="faint" x="{x:.1f}" y="{_BOTTOM + 15}" text-anchor="middle">{10.0**power:g}</text>'
        )
    for step in range(5):
        value = low + (high - low) * step / 4
        _, y = place(10.0**first, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="faint" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>'
        )
    for name, kind, across_value, up_value in points:
        x, y = place(across_value, up_value)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colours[kind]}" fill-opacity=".85">'
            f"<title>{escape(name)}: {across_value:.3g}, {up_value:.3f}</title></circle>"
        )
    middle = (_LEFT + _RIGHT) / 2
    parts.append(
        f'<text class="faint" x="{middle}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(across)}</text>'
    )
    parts.append(f'<text class="faint" x="{_LEFT - 36}" y="{_TOP + 4}">{escape(up)}</text>')
    return f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(told)}">{"".join(parts)}</svg>'
