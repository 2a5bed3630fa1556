"""Stacked bars as inline SVG: what each row is made up of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from poxlens.pages.rows import LEFT, ROW, SPAN, WIDTH, canvas, name_of

_INK, _PALE_INK = "#1b2126", "#ffffff"


def stacked_bars(
    rows: Sequence[tuple[str, Sequence[tuple[str, float]], str]], colours: Mapping[str, str], told: str
) -> str:
    """One bar a row.

    Args:
        rows: name, (part, share 0-1) in the order drawn, and a note at its end.
        colours: part -> colour, as #rrggbb; the text on it is black or white, whichever is read better.
        told: what a screen reader says of the whole.
    """
    parts = []
    for place, (name, shares, note) in enumerate(rows):
        top = ROW * place + 4
        parts.append(name_of(name, place))
        left = LEFT
        for part, share in shares:
            width = SPAN * max(0.0, share)
            if width > 0:
                parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 8}" fill="{colours[part]}">'
                    f"<title>{escape(name)}: {escape(part)} {share:.0%}</title></rect>"
                )
            if share >= 0.15:
                parts.append(
                    f'<text x="{left + width / 2:.1f}" y="{top + 13}" text-anchor="middle"'
                    f' fill="{_ink_on(colours[part])}">{share:.0%}</text>'
                )
            left += width
        parts.append(
            f'<text class="faint" x="{WIDTH}" y="{top + 13}" text-anchor="end">{escape(note)}</text>'
        )
    return canvas(ROW * len(rows) + 4, told, parts)


def legend(colours: Mapping[str, str]) -> str:
    """The parts with their colours, a line of markup."""
    shown = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items()
    )
    return f'<p class="legend">{shown}</p>'


def _ink_on(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return _INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else _PALE_INK
