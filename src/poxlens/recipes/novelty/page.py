"""novelty.html: the figures of a run as one page that opens anywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from poxlens.files import write_atomically
from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.pages.dots import interval_dots
from poxlens.recipes.novelty.gate import Evidence, Share
from poxlens.recipes.novelty.report import Cell, best, families, mean_of
from poxlens.recipes.novelty.study import Study

_TICKS = (0.2, 0.4, 0.6, 0.8, 1.0)
_HOW = {False: "images as networks see them", True: "images made alike in size, blur and JPEG quality"}


def write_page(out: Path, study: Study, cells: Sequence[Cell], gates: Sequence[Evidence]) -> Path:
    """The page; where it is."""
    body = [
        heading("poxlens novelty", study.name, "Screening aid, not a diagnosis; PCR decides."),
        tiles(_first(gates, study)),
        notes(
            [
                "Near conditions were left out of training one by one. Kinds of outliers were left out of what "
                "detectors with outliers learn from.",
                "What traits alone can tell is shown beside: it is owed to the source, not to a detector.",
            ]
        ),
    ]
    body += [_gate_section(one, study) for one in gates]
    for against in ("known", study.target):
        for harmonised in study.protocol.harmonised:
            some = [
                c
                for c in cells
                if c.against == against and c.harmonised == harmonised and c.protocol != "alone"
            ]
            body.append(
                section(f"AUROC against {against} images, {_HOW[harmonised]}", _table(some) + _plots(some))
            )
    for harmonised in study.protocol.harmonised:
        some = [c for c in cells if c.protocol == "alone" and c.harmonised == harmonised]
        if some:
            body.append(section(f"Learnt from {study.target} alone, {_HOW[harmonised]}", _table(some)))
    path = out / "novelty.html"
    footer = "Intervals: 95 %, whole groups drawn with replacement. AUPR and FPR at 95 % TPR: figures.json."
    write_atomically(path, document(f"Novelty: {study.name}", "".join(body), footer=footer))
    return path


def _first(gates: Sequence[Evidence], study: Study) -> list[tuple[str, str]]:
    found = []
    for one in gates:
        if one.detector == "gate":
            accepted = _value(one, "accepted", study.target)
            found.append((f"{accepted:.0%}", f"of {study.target} accepted, {one.network}"))
    return found


def _value(one: Evidence, what: str, group: str) -> float:
    try:
        return one.value(what, group)
    except KeyError:
        return math.nan


def _gate_section(one: Evidence, study: Study) -> str:
    accepted = [share for share in one.shares if share.what == "accepted"]
    plot = interval_dots(
        [(share.group, share.value, share.low, share.high) for share in accepted],
        low=0.5,
        high=1.0,
        ticks=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
        told="Share of known images that the gate lets through",
        line=study.protocol.accepted,
    )
    groups = list(dict.fromkeys(share.group for share in one.shares if share.what != "accepted"))
    kinds = ("refused", "quality", "refer", "not_suspected", "uncertain", "cannot_assess")
    found = {(share.what, share.group): share for share in one.shares}
    rows = [[group, *(_cell(found.get((kind, group))) for kind in kinds)] for group in groups]
    return section(
        f"{one.detector}, {one.network}: limit {one.limit:.3f}",
        plot + table("What becomes of a photo", ("condition", *kinds), rows),
    )


def _cell(share: Share | None) -> str:
    return "" if share is None else f"{share.value:.1%} ({share.low:.0%}-{share.high:.0%}), n {share.n}"


def _table(cells: Sequence[Cell]) -> str:
    chosen = best(cells)
    detectors = list(dict.fromkeys(cell.detector for cell in cells))
    conditions = list(dict.fromkeys(cell.condition for cell in cells))
    rows: list[list[str]] = []
    breaks: set[int] = set()
    for family, members in families(conditions).items():
        breaks.add(len(rows))
        rows.append([f"{family}, mean", *(_number(mean_of(chosen, one, members)) for one in detectors)])
        for condition in members:
            values = [chosen.get((one, condition)) for one in detectors]
            rows.append([condition, *("" if v is None else _number(v.figures.auroc.value) for v in values)])
    return table("", ("condition", *detectors), rows, breaks)


def _plots(cells: Sequence[Cell]) -> str:
    """Mean AUROC of each detector, a plot a family of conditions."""
    chosen = best(cells)
    detectors = list(dict.fromkeys(cell.detector for cell in cells))
    conditions = list(dict.fromkeys(cell.condition for cell in cells))
    found = []
    for family, members in families(conditions).items():
        rows = []
        for detector in detectors:
            values = [chosen[detector, c].figures.auroc.value for c in members if (detector, c) in chosen]
            if values:
                rows.append((detector, sum(values) / len(values), min(values), max(values)))
        plot = interval_dots(rows, low=0.0, high=1.0, ticks=_TICKS, told=f"Mean AUROC, {family}", line=0.5)
        found.append(f"<h3>{family}: mean, lowest and highest condition</h3>{plot}")
    return "".join(found)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"
