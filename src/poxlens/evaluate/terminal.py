"""The study as tables in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from poxlens.evaluate.slices import OUTCOMES, Slice
from poxlens.evaluate.study import Study
from poxlens.evaluate.wording import (
    AID,
    FINDING,
    OUTCOME_NAMES,
    REFUSED_RULE,
    SCORES,
    percent,
    point_rows,
    score,
    slice_name,
)

_LISTED = 20  # unreadable files named in the terminal; the page and the JSON name all


def show(study: Study, console: Console) -> None:
    """Print every table of the study."""
    everything = study.photos[0]
    console.print(Text.assemble(("Evaluation of ", "dim"), (study.bundle, "bold")))
    people = f" of {study.persons[0].n} persons" if study.persons else ""
    console.print(
        f"{study.n} photos{people}, {everything.positives} readable ones show {study.target};"
        f" {len(study.unreadable)} could not be read. 95 % intervals in brackets.\n"
    )
    console.print(_outcomes("Outcomes, per photo", study.photos))
    if study.persons:
        console.print(_outcomes("Outcomes, per person", study.persons))
    console.print(_finding(study))
    console.print(Text(REFUSED_RULE + "\n", style="dim"))
    console.print(_points(study))
    console.print(_scores(study))
    if study.classes:
        console.print(_classes(study))
    console.print(_confusion(study))
    for reason, count in study.refusals.items():
        console.print(f"Refused, {reason}: {count}")
    for note in study.notes:
        console.print(Text(f"Note: {note}", style="yellow"))
    _unreadable(study, console)
    console.print(Text(AID, style="italic"))


def _table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        made.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
    return made


def _outcomes(title: str, slices: tuple[Slice, ...]) -> Table:
    made = _table(title, "", "n", *(OUTCOME_NAMES[name] for name in OUTCOMES))
    kind = "all"
    for one in slices:
        if one.kind != kind:
            made.add_section()
            kind = one.kind
        made.add_row(Text(slice_name(one)), str(one.n), *(percent(one.outcomes[name]) for name in OUTCOMES))
    return made


def _finding(study: Study) -> Table:
    columns = [study.photos[0]] + ([study.persons[0]] if study.persons else [])
    made = _table(f"Finding {study.target}", "", *("per photo", "per person")[: len(columns)])
    for name in FINDING:
        if any(name in one.figures for one in columns):
            made.add_row(name, *(percent(one.figures.get(name)) for one in columns))
    return made


def _points(study: Study) -> Table:
    made = _table("Operating points, of assessed photos", "", "", "promised", "measured", "verdict")
    for row in point_rows(study.points):
        made.add_row(*row)
    return made


def _scores(study: Study) -> Table:
    made = _table(f"Ranking and calibration of the {study.target} probability, assessed photos", "", *SCORES)
    for one in study.photos:
        if any(name in one.figures for name in SCORES):
            made.add_row(Text(slice_name(one)), *(score(one.figures.get(name)) for name in SCORES))
    if study.persons:
        made.add_row("all, per person", *(score(study.persons[0].figures.get(name)) for name in SCORES))
    return made


def _classes(study: Study) -> Table:
    made = _table("All classes of the bundle, photos that show one", "", "")
    for name, estimate in study.classes.items():
        made.add_row(name, score(estimate))
    return made


def _confusion(study: Study) -> Table:
    found = study.confusion
    made = _table("Most probable class (columns) by truth (rows), assessed photos", "", *found.classes)
    for name, counts in zip(found.truths, found.counts, strict=True):
        made.add_row(Text(name), *(str(count) if count else "·" for count in counts))
    return made


def _unreadable(study: Study, console: Console) -> None:
    for file, reason in study.unreadable[:_LISTED]:
        console.print(Text(f"Not read: {file} ({reason})", style="red"))
    if len(study.unreadable) > _LISTED:
        console.print(f"... and {len(study.unreadable) - _LISTED} more that could not be read")
