"""What plots with a name at the left of each row share: their measure fits a phone 360 px wide."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 360.0
LEFT = 118.0  # where the names end
SPAN = 186.0  # of the axis
ROW = 26
_LONGEST = 18  # letters of a name


def canvas(height: float, told: str, parts: Sequence[str]) -> str:
    """The SVG around a plot's parts."""
    return (
        f'<svg class="rows" viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{escape(told)}">'
        f"{''.join(parts)}</svg>"
    )


def name_of(name: str, place: int) -> str:
    """The name of a row, cut where it is too long; whole in its tooltip."""
    short = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
    return (
        f'<text x="{LEFT - 8}" y="{ROW * place + 17}" text-anchor="end">{escape(short)}'
        f"<title>{escape(name)}</title></text>"
    )


def axis(low: float, high: float, ticks: Sequence[float], rows: int, unit: str = "") -> list[str]:
    """Grid lines with their numbers below `rows` rows."""
    bottom = ROW * rows + 4
    parts = []
    for tick in ticks:
        x = at(tick, low, high)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="2" y2="{bottom}"/>')
        parts.append(
            f'<text class="faint" x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{tick:g}{escape(unit)}</text>'
        )
    return parts


def at(value: float, low: float, high: float) -> float:
    """Where a value stands on the axis; values outside stand at its end."""
    share = (value - low) / (high - low) if high > low else 0.5
    return LEFT + SPAN * min(1.0, max(0.0, share))
