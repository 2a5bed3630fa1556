"""Write a run's tables, figures and page; nothing in them comes from elsewhere than its predictions and curves."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from poxlens.evaluate.intervals import Estimate
from poxlens.files import write_atomically
from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.recipes.aism.evidence import Evidence
from poxlens.recipes.aism.plots import figures
from poxlens.recipes.aism.tables import LEAKS, PAPER, tables
from poxlens.recipes.compare.report.drawing import Figure
from poxlens.recipes.compare.report.table import Table, joined
from poxlens.screen.reasons import DISCLAIMER

_HONEST = (
    "Every photo is tested by networks that have learnt neither from it nor from any photo of its group."
)


def write_report(out: Path, found: Evidence) -> dict[str, Path]:
    """figures.json, tables.md, a CSV a table, figures as SVG, and aism.html; where each is.

    Args:
        out: the run folder.
        found: of `poxlens.recipes.aism.evidence.compute`.
    """
    made, drawn = tables(found), figures(found)
    folder = out / "report"
    for one in made:
        write_atomically(folder / f"{one.name}.csv", one.csv())
    for figure in drawn:
        write_atomically(folder / f"{figure.name}.svg", figure.svg())
    text = f"# {found.study.name}\n\n{_HONEST} {DISCLAIMER}\n\n{joined(made)}"
    paths = {"figures": out / "figures.json", "tables": out / "tables.md", "page": out / "aism.html"}
    write_atomically(paths["tables"], text)
    write_atomically(paths["figures"], json.dumps(told(found), indent=1, allow_nan=False) + "\n")
    write_atomically(paths["page"], page(found, made, drawn))
    return {**paths, "report": folder}


def told(found: Evidence) -> dict[str, Any]:
    """All figures as JSON has them."""
    return {
        "study": found.study.name,
        "classes": list(found.classes),
        "best": found.best.said.arm,
        "targets": [
            {"name": one.name, "aim": one.wanted, "reached": one.met, **_plain(one.figure)}
            for one in found.targets
        ],
        "arms": [
            {
                "arm": one.said.arm,
                "share": one.said.share,
                "folds": len(set(one.said.folds.tolist())),
                "images": len(one.said.truth),
                "overall": _each(one.overall),
                "classes": {name: _each(values) for name, values in one.classes.items()},
                "confusion": one.confusion.tolist(),
            }
            for one in found.judged
        ],
        "differences": [
            {
                "second": one.second,
                "first": one.first,
                "share": one.share,
                "n": one.n,
                "figures": _each(one.figures),
            }
            for one in found.differences
        ],
        "referral": [
            {
                "arm": one.arm,
                "probabilities": one.way,
                "threshold": one.at.threshold,
                "at": _each(one.at.figures),
                "coverage": list(one.coverage),
                "accuracy": [_number(value) for value in one.accuracy],
                "ece": _plain(one.ece),
            }
            for one in found.referrals
        ],
        "grades": [{"arm": one.arm, "part": one.part, **_plain(one.figure)} for one in found.recalls],
        "data_c_leaks": {
            "warning": LEAKS,
            "photo_seen": _number(found.seen[0]),
            "group_seen": _number(found.seen[1]),
            "arms": [
                {
                    "arm": name,
                    "rows": len(one.said.truth),
                    "overall": _each(one.overall),
                    "classes": {name: _each(values) for name, values in one.classes.items()},
                    "confusion": one.confusion.tolist(),
                }
                for name, one in found.leaks.items()
            ],
        },
    }


def page(found: Evidence, made: Sequence[Table], drawn: Sequence[Figure]) -> str:
    """aism.html: one file, no request, no photo."""
    known, pictures = {one.name: one for one in made}, {one.name: one for one in drawn}
    best = found.best
    numbers = [(f"{one.figure.value:.3f}", f"{one.name}, aim {one.wanted:g}") for one in found.targets]
    body = heading("poxlens aism", found.study.name, f"most accurate: {best.said.arm}") + tiles(numbers)
    body += notes([_HONEST, *([LEAKS.replace("This protocol", "Data_C")] if found.leaks else [])])
    order = (
        ("Arms", ("arms", "targets"), ("labels",)),
        ("What SimCLR and ImageNet are worth", ("differences",), ("curves",)),
        ("Classes", ("classes",), ("classes", "confusion")),
        ("When a person is asked", ("referral",), ("referral",)),
        ("Body site and stage", ("grades",), ()),
        ("The paper's protocol, which leaks", ("leak",), ()),
    )
    for title, names, plots in order:
        inside = "".join(_shown(known[name]) for name in names if name in known)
        inside += "".join(_panels(pictures[name]) for name in plots if name in pictures)
        if inside:
            body += section(title, inside)
    heads = ("Yue 2024, section 2.2", "accuracy", "mpox F1", "precision", "recall", "specificity")
    body += section("The paper's figures, as printed", table("", heads, PAPER))
    return document(f"Mpox-AISM: {found.study.name}", body, footer=DISCLAIMER)


def _shown(one: Table) -> str:
    from html import escape

    return one.html() + (f'<p class="faint">{escape(one.note)}</p>' if one.note else "")


def _panels(figure: Figure) -> str:
    return f'<h3>{figure.title}</h3><div class="panels">{"".join(figure.images())}</div>'


def _each(values: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(one: Estimate) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(one).items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
