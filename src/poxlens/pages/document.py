"""The shell of every page that poxlens writes to a file, and the parts it is put together from."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files

# Even if a file name in a table were markup that slipped through, nothing could be run or fetched.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, body: str, *, footer: str = "", script: str = "") -> str:
    """A whole page as HTML text, for phone, desk and printer.

    Args:
        title: plain text, of the window.
        body: markup.
        footer: plain text at its end.
        script: of our own, run at the end of the page; the policy allows it by its hash and no other.
    """
    policy, run = _POLICY, ""
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
        policy = f"{_POLICY}; script-src 'sha256-{digest}'"
        run = f"<script>{script}</script>\n"
    style = files("poxlens.pages").joinpath("page.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}{f'<footer>{escape(footer)}</footer>' if footer else ''}\n"
        f"</main>\n{run}</body>\n</html>\n"
    )


def heading(over: str, title: str, faint: str = "") -> str:
    """The head of a page: what kind it is, what it is about, and where it comes from; plain texts."""
    below = f'<p class="faint">{escape(faint)}</p>' if faint else ""
    return f'<header><p class="over">{escape(over)}</p><h1>{escape(title)}</h1>{below}</header>'


def tiles(numbers: Sequence[tuple[str, str]]) -> str:
    """The page's first figures, large: (number, what it counts), plain texts."""
    shown = "".join(
        f"<div><b>{escape(number)}</b><span>{escape(what)}</span></div>" for number, what in numbers
    )
    return f'<div class="tiles">{shown}</div>'


def notes(texts: Sequence[str]) -> str:
    """Warnings that a reader must not miss; nothing when there are none."""
    return f'<ul class="notes">{"".join(f"<li>{escape(text)}</li>" for text in texts)}</ul>' if texts else ""


def section(title: str, inside: str) -> str:
    """A titled part; `inside` is markup."""
    return f"<section><h2>{escape(title)}</h2>{inside}</section>\n"


def table(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    breaks: set[int] | None = None,
    *,
    told: bool = False,
) -> str:
    """A table of plain texts; the first cell of a row is its heading.

    Args:
        title: the caption, "" for none.
        heads: of the columns.
        rows: as many cells each.
        breaks: rows with a line above.
        told: the last column is words, to be wrapped.
    """
    body = "".join(
        f'<tr{" class=break" if breaks and place in breaks else ""}><th scope="row">{escape(row[0])}</th>'
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>"
        for place, row in enumerate(rows)
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    kind = ' class="told"' if told else ""
    # The wrapper scrolls sideways on a phone, so that the page itself never does.
    return (
        f'<div class="wide"><table{kind}>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
