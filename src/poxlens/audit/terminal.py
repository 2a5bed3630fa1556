"""The audit in a terminal: every finding with what to do, the first of its items, the classes."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from poxlens.audit.audit import Audit
from poxlens.audit.finding import Finding, count
from poxlens.audit.wording import AID, VERDICT, verdict

_STYLE = {"leak": "bold white on red", "fault": "bold red", "warning": "yellow", "note": "dim"}
_ITEMS = 3  # of a finding; the page has a hundred and the JSON all


def show(audit: Audit, console: Console) -> None:
    """Print it."""
    console.print(Text.assemble(("Audit of ", "dim"), (audit.name, "bold")))
    split = f" and the split {audit.split}" if audit.split else ""
    console.print(
        Text(
            f"{count(audit.images, 'image')}{split}, {count(audit.units, 'independent unit')},"
            f" {count(len(audit.classes), 'class', 'classes')}, {count(len(audit.sources), 'source')};"
            f" {audit.images - audit.readable:,} could not be read.\n"
        )
    )
    for one in audit.findings:
        _finding(one, console)
    console.print(_classes(audit))
    counts = ", ".join(
        f"{number} {severity}{'' if number == 1 else 's'}" for severity, number in audit.counts().items()
    )
    said = verdict(audit)
    console.print(Text.assemble((VERDICT[said], _STYLE[said]), f" {counts}."))
    console.print(Text(AID, style="italic"))


def _finding(one: Finding, console: Console) -> None:
    console.print(
        Text.assemble((f" {one.severity.upper()} ", _STYLE[one.severity]), " ", (one.title, "bold"))
    )
    console.print(Padding(Text(one.advice), (0, 0, 0, 2), expand=False))
    for item in one.items[:_ITEMS]:
        other = f" ↔ {item.other}" if item.other else ""
        detail = f": {item.detail}" if item.detail else ""
        console.print(
            Padding(Text(f"{_plain(item.name + other)}{detail}", style="dim"), (0, 0, 0, 4), expand=False)
        )
    if len(one.items) > _ITEMS:
        console.print(
            Padding(Text(f"… and {len(one.items) - _ITEMS:,} more", style="dim"), (0, 0, 0, 4), expand=False)
        )
    console.print()


def _classes(audit: Audit) -> Table:
    made = Table(
        title="Classes", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for place, name in enumerate(("", "images", "units", "light", "dark", "untold")):
        made.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
    for one in audit.classes:
        made.add_row(
            Text(one.label), *(f"{n:,}" for n in (one.images, one.units, one.light, one.dark, one.untold))
        )
    return made


def _plain(text: str) -> str:
    """A file name fit for a terminal: control characters could move the cursor."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
