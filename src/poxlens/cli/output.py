"""Words on a terminal: colours, bars, wrapped text. Plain ANSI, because rich takes 35 ms to import."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any, TextIO

BOLD, DIM = "1", "2"
# Never green: no outcome is an all-clear.
HEADLINES = {
    "refer": ("REFER", "Have this rash examined and tested.", "1;37;41"),
    "uncertain": ("UNCERTAIN", "A health worker must look.", "1;30;43"),
    "not_suspected": ("NOT SUSPECTED", "Little sign of mpox in this photo.", "1;37;44"),
    "cannot_assess": ("CANNOT ASSESS", "No answer from this photo.", "1;37;45"),
}
_BAR = 24
_MOST = 88  # longer lines read badly


def write(text: str, stream: TextIO | None = None) -> None:
    """Write and flush; what the stream's encoding lacks is shown with escapes instead of failing."""
    out = sys.stdout if stream is None else stream
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = out.encoding or "ascii"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
    out.flush()


def json_line(value: dict[str, Any]) -> str:
    """One line of JSON in ASCII, so that any terminal, pipe or locale carries it."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def paint(text: str, code: str) -> str:
    """The text in an ANSI style, when stdout is a terminal and NO_COLOR (no-color.org) is not set."""
    return f"\x1b[{code}m{text}\x1b[0m" if _coloured() else text


def headline(outcome: str, *, short: bool = False) -> str:
    """The outcome as a badge, with its sentence unless `short`."""
    name, sentence, style = HEADLINES[outcome]
    if short:
        return paint(f" {name:<13} ", style)
    return f"{paint(f' {name} ', style)}  {sentence}"


def bar(share: float) -> str:
    """A bar for 0..1, with eighths of a character where the encoding has them."""
    if not _draws("█▏░"):
        return ("#" * round(share * _BAR)).ljust(_BAR, ".")
    eighths = round(max(0.0, min(1.0, share)) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(_BAR, "░")


def block(text: str, indent: str) -> str:
    """Text wrapped to the terminal's width, each line indented."""
    room = max(30, min(_MOST, shutil.get_terminal_size().columns)) - len(indent)
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join(indent + part for part in [*lines, line])


def clip(label: str) -> str:
    """A file name fit for a terminal: control characters could move the cursor and become escapes."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in label
    )


def _coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _draws(characters: str) -> bool:
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
