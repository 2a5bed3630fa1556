"""Figures of a run, from its scores: figures.json and tables.md, which page and docs are made of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poxlens.evaluate.intervals import Estimate
from poxlens.evaluate.novelty import Figures, figures_of
from poxlens.files import write_atomically
from poxlens.recipes.default import Step, silent
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.probe import probed, traits
from poxlens.recipes.novelty.rows import ONLY, WITHOUT, Scored, by_detector, known_conditions, read_rows
from poxlens.recipes.novelty.study import Study

PROBE = "traits alone"


@dataclass(frozen=True)
class Cell:
    """A detector on a condition."""

    detector: str  # without what was left out
    protocol: str  # "left out", "known", "alone": what the detector had learnt from
    condition: str
    against: str  # "known" or the target
    harmonised: bool
    figures: Figures


def compute(out: Path, study: Study, cases: Cases, step: Step = silent) -> list[Cell]:
    """All cells of a run.

    Args:
        out: run folder, with scores.csv.
        study: names.
        cases: images, for the probe of traits.
        step: progress.
    """
    scored = by_detector(read_rows(out / "scores.csv"))
    known = known_conditions(cases)
    wanted = [one for key, values in scored.items() for one in _wanted(key, values, study, known)]
    cells = []
    with step("figures", len(wanted)) as done:
        for detector, protocol, condition, against, harmonised, values in wanted:
            folds = values.against(condition, target_only=against == study.target, known=known)
            if folds:
                cells.append(Cell(detector, protocol, condition, against, harmonised, figures_of(folds)))
            done()
    return cells + _probes(study, cases, known, step)


def _wanted(
    key: tuple[str, bool], values: Scored, study: Study, known: frozenset[str]
) -> list[tuple[str, str, str, str, bool, Scored]]:
    """What the rows of one detector can be asked: (name, protocol, condition, against, harmonised, rows)."""
    name, harmonised = key
    if name.endswith(ONLY):
        base = name.rsplit(", ", 1)[0]
        novel = [c for c in dict.fromkeys(values.condition.tolist()) if c != study.target]
        return [(base, "alone", c, study.target, harmonised, values) for c in novel]
    if WITHOUT in name:
        base, left = name.split(WITHOUT)
        conditions = [left, "patch"] if left == study.images.normal else [left]
        return [
            (base, "left out", c, against, harmonised, values)
            for c in conditions
            for against in ("known", study.target)
        ]
    novel = [c for c in dict.fromkeys(values.condition.tolist()) if c not in known]
    return [
        (name, "known", c, against, harmonised, values) for c in novel for against in ("known", study.target)
    ]


def _probes(study: Study, cases: Cases, known: frozenset[str], step: Step) -> list[Cell]:
    cells = []
    conditions = [name for name in cases.conditions if name != study.target]
    with step("the probe of traits", len(conditions) * len(study.protocol.harmonised)) as done:
        for harmonised in study.protocol.harmonised:
            values = traits(cases, harmonised=harmonised)
            for condition in conditions:
                for against in ("known", study.target):
                    names = known - {condition} if against == "known" else {study.target}
                    folds = probed(values, cases, condition, np.isin(cases.condition, list(names)))
                    if folds:
                        figures = figures_of(folds)
                        cells.append(Cell(PROBE, "supervised", condition, against, harmonised, figures))
                done()
    return cells


def write(out: Path, cells: Sequence[Cell], study: Study) -> None:
    """figures.json and tables.md."""
    told = [_plain(cell) for cell in cells]
    write_atomically(out / "figures.json", json.dumps(told, indent=1) + "\n")
    write_atomically(out / "tables.md", "\n\n".join(tables(cells, study)) + "\n")


def read(out: Path) -> list[Cell]:
    """The cells of a figures.json."""
    found = []
    for one in json.loads((out / "figures.json").read_text("utf-8")):
        told = one["figures"]
        auroc, aupr, fpr95 = (_estimate(told[name]) for name in ("auroc", "aupr", "fpr95"))
        figures = Figures(auroc, aupr, fpr95, told["known"], told["novel"])
        found.append(Cell(**{**one, "figures": figures}))
    return found


def _estimate(told: Mapping[str, Any]) -> Estimate:
    value, low, high = (math.nan if told[name] is None else told[name] for name in ("value", "low", "high"))
    return Estimate(value, low, high, told["n"], told["cases"])


def tables(cells: Sequence[Cell], study: Study) -> list[str]:
    """Markdown: for each reference and form of the images one table of AUROC, conditions down, detectors across."""
    found = []
    for against in ("known", study.target):
        for harmonised in study.protocol.harmonised:
            some = [
                cell
                for cell in cells
                if cell.against == against and cell.harmonised == harmonised and cell.protocol != "alone"
            ]
            how = "images made alike" if harmonised else "images as networks see them"
            if some:
                found.append(f"## AUROC against {against} images, {how}\n\n{_table(some)}")
    for harmonised in study.protocol.harmonised:
        some = [cell for cell in cells if cell.protocol == "alone" and cell.harmonised == harmonised]
        if some:
            how = "images made alike" if harmonised else "images as networks see them"
            found.append(f"## AUROC, learnt from {study.target} alone, {how}\n\n{_table(some)}")
    return found


def best(cells: Sequence[Cell]) -> dict[tuple[str, str], Cell]:
    """(detector, condition) -> its cell: with the condition left out of learning where it ever was learnt from."""
    found: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        key = (cell.detector, cell.condition)
        if key not in found or cell.protocol == "left out":
            found[key] = cell
    return found


def mean_of(cells: Mapping[tuple[str, str], Cell], detector: str, conditions: Sequence[str]) -> float:
    """Mean AUROC of a detector over conditions, NaN when it was tested on none."""
    values = [cells[detector, c].figures.auroc.value for c in conditions if (detector, c) in cells]
    return float(np.mean(values)) if values else math.nan


def families(conditions: Sequence[str]) -> dict[str, list[str]]:
    """near, plain skin, and each family of outliers -> its conditions."""
    found: dict[str, list[str]] = {}
    for name in conditions:
        if ": " in name:
            found.setdefault(name.split(": ")[0], []).append(name)
        else:
            found.setdefault("plain skin" if name in ("normal", "patch") else "near", []).append(name)
    return found


def _table(cells: Sequence[Cell]) -> str:
    chosen = best(cells)
    detectors = list(dict.fromkeys(cell.detector for cell in cells))
    conditions = list(dict.fromkeys(cell.condition for cell in cells))
    lines = ["| condition | n | " + " | ".join(detectors) + " |", "|---" * (len(detectors) + 2) + "|"]
    for family, members in families(conditions).items():
        for condition in members:
            row = [chosen.get((detector, condition)) for detector in detectors]
            n = max((cell.figures.novel for cell in row if cell), default=0)
            lines.append(f"| {condition} | {n} | " + " | ".join(_cell(cell) for cell in row) + " |")
        means = [mean_of(chosen, detector, members) for detector in detectors]
        shown = ["" if math.isnan(value) else f"**{value:.3f}**" for value in means]
        lines.append(f"| **{family}, mean** | {len(members)} conditions | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    value = cell.figures.auroc
    if math.isnan(value.low):
        return f"{value.value:.3f}"
    return f"{value.value:.3f} ({value.low:.2f}-{value.high:.2f})"


def _plain(cell: Cell) -> dict[str, Any]:
    told = asdict(cell)
    for name in ("auroc", "aupr", "fpr95"):
        told["figures"][name] = {
            key: (None if isinstance(value, float) and math.isnan(value) else _short(value))
            for key, value in told["figures"][name].items()
        }
    return told


def _short(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value
