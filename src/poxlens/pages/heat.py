"""A table whose cells are shaded by a number: readable as a table, seen as a map."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

Cell = tuple[str, float]
"""What stands in a cell, and how strongly it is shaded, 0 (not) to 1."""


def heat_table(
    title: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]], *, last: str = ""
) -> str:
    """The table.

    Args:
        title: the caption, "" for none.
        heads: of the columns after the first.
        rows: name and as many cells each as there are heads.
        last: a line under the table, plain text.
    """
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    head = "<th></th>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cell(*cell) for cell in cells)}</tr>'
        for name, cells in rows
    )
    below = f'<p class="faint">{escape(last)}</p>' if last else ""
    return (
        f'<div class="wide"><table class="heat">{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{below}"
    )


def _cell(text: str, heat: float) -> str:
    if heat <= 0:
        return f"<td>{escape(text)}</td>"
    return f'<td style="--heat:{min(1.0, heat):.2f}">{escape(text)}</td>'
