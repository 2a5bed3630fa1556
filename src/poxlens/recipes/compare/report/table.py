"""A table once, written as CSV with bare numbers, and as Markdown, LaTeX or HTML with rounded ones."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from poxlens.evaluate.fold_figures import Spread
from poxlens.evaluate.intervals import Estimate
from poxlens.evaluate.significance import Comparison
from poxlens.pages.document import table as html_table

TOO_FEW = "too few cases"


@dataclass(frozen=True)
class Signed:
    """A difference: written with its sign."""

    estimate: Estimate


@dataclass(frozen=True)
class PValue:
    """A p value."""

    p: float  # NaN: not defined


Cell = str | int | float | Estimate | Signed | Spread | PValue | Comparison


@dataclass(frozen=True)
class Table:
    """A table of the report."""

    name: str  # of its files
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""  # what a reader must know to read it
    told: bool = False  # the last column is words

    def texts(self) -> list[tuple[str, ...]]:
        """The rows as texts."""
        return [tuple(text(cell) for cell in row) for row in self.rows]

    def html(self) -> str:
        """As markup."""
        return html_table(self.title, self.heads, self.texts(), told=self.told)

    def csv(self) -> str:
        """As CSV: every number in full, an interval and its n in columns of their own."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        widths = [self._columns(place) for place in range(len(self.heads))]
        names = (
            f"{head} {part}".strip() for head, parts in zip(self.heads, widths, strict=True) for part in parts
        )
        writer.writerow(names)
        for row in self.rows:
            writer.writerow(
                value for cell, parts in zip(row, widths, strict=True) for value in _bare(cell, len(parts))
            )
        return stream.getvalue()

    def markdown(self) -> str:
        """As a table of GitHub's Markdown."""
        lines = [self.heads, tuple("---" for _ in self.heads), *self.texts()]
        body = "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
        )
        return f"**{self.title}**\n\n{body}\n" + (f"\n{self.note}\n" if self.note else "")

    def latex(self) -> str:
        """As a LaTeX table of the package booktabs."""
        lines = [" & ".join(_escaped(cell) for cell in row) + r" \\" for row in (self.heads, *self.texts())]
        columns = "l" + "r" * (len(self.heads) - 1)
        note = f"\n\\par\\smallskip\\footnotesize {_escaped(self.note)}" if self.note else ""
        return (
            f"% \\usepackage{{booktabs}}\n\\begin{{table}}\n\\caption{{{_escaped(self.title)}}}\n"
            f"\\label{{tab:{self.name}}}\n\\centering\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{lines[0]}\n"
            "\\midrule\n" + "\n".join(lines[1:]) + f"\n\\bottomrule\n\\end{{tabular}}{note}\n\\end{{table}}\n"
        )

    def _columns(self, place: int) -> tuple[str, ...]:
        kinds = {type(row[place]) for row in self.rows}
        if kinds & {Estimate, Signed}:
            return ("", "low", "high", "n", "groups")
        if Comparison in kinds:
            return ("", "low", "high")
        return ("mean", "SD", "folds") if Spread in kinds else ("",)


def text(cell: Cell) -> str:
    """A cell as a reader sees it."""
    if isinstance(cell, Estimate):
        return _interval(cell, signed=False)
    if isinstance(cell, Signed):
        return _interval(cell.estimate, signed=True)
    if isinstance(cell, Comparison):
        return _ends(cell.difference, cell.low, cell.high, "+.3f")
    if isinstance(cell, Spread):
        return _spread(cell)
    if isinstance(cell, PValue):
        return _p(cell.p)
    if isinstance(cell, float):
        return "–" if math.isnan(cell) else f"{cell:.3f}"
    return str(cell)


def _interval(one: Estimate, *, signed: bool) -> str:
    if math.isnan(one.value):
        return "–"
    if one.too_few:
        return TOO_FEW
    return _ends(one.value, one.low, one.high, "+.3f" if signed else ".3f")


def _ends(value: float, low: float, high: float, form: str) -> str:
    shown = f"{value:{form}}" if form.startswith("+") else _short_of_one(value)
    if math.isnan(low) or math.isnan(high):
        return f"{shown} [no interval]".replace("-", "−")
    ends = (low, high)
    first, last = (f"{end:{form}}" if form.startswith("+") else _short_of_one(end) for end in ends)
    return f"{shown} [{first}, {last}]".replace("-", "−")


def _short_of_one(value: float) -> str:
    """Three digits, more where 1 is not reached: 0.9996 must not read 1.000."""
    for digits in range(3, 6):
        shown = f"{value:.{digits}f}"
        if value >= 1 or not shown.startswith("1"):
            return shown
    return shown


def _spread(one: Spread) -> str:
    if not one.folds:
        return "–"
    partial = f", {one.folds} of {one.of} folds" if one.partial else ""
    sd = "" if math.isnan(one.sd) else f" (± {one.sd:.3f})"
    return f"{one.mean:.3f}{sd}{partial}"


def _p(p: float) -> str:
    if math.isnan(p):
        return "–"
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def _bare(cell: Cell, width: int) -> list[str]:
    if isinstance(cell, Signed):
        cell = cell.estimate
    if isinstance(cell, Estimate):
        found = [
            *(number(value) for value in (cell.value, cell.low, cell.high)),
            str(cell.n),
            str(cell.cases),
        ]
    elif isinstance(cell, Comparison):
        found = [number(value) for value in (cell.difference, cell.low, cell.high)]
    elif isinstance(cell, Spread):
        found = [number(cell.mean), number(cell.sd), str(cell.folds)]
    elif isinstance(cell, PValue):
        found = [number(cell.p)]
    else:
        found = [number(cell) if isinstance(cell, float) else str(cell)]
    return [*found, *[""] * (width - len(found))]


def number(value: float) -> str:
    """A number with nine significant digits, "" for NaN: the tenth may differ from machine to machine."""
    return "" if math.isnan(value) else f"{value:.9g}"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "<": "$<$",
    ">": "$>$",
    "≥": r"$\ge$",
    "–": "--",
    "→": r"$\to$",
    "ε": r"$\varepsilon$",
}


def _escaped(words: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in words)


def joined(tables: Sequence[Table]) -> str:
    """All tables as one Markdown text."""
    return "\n".join(table.markdown() for table in tables)
