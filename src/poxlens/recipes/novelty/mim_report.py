"""Figures of MIM as the paper gives them (table 2, section 3.4), and as they are when nothing is added to the test."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poxlens.evaluate.novelty import Tested, figures_of
from poxlens.evaluate.ranking import auroc, roc
from poxlens.files import write_atomically
from poxlens.recipes.default import Step
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.rows import Row, Scored, by_detector, write_rows
from poxlens.recipes.novelty.study import Study

PAPER: Mapping[str, float] = {"ssim+hbd": 0.8237, "ssim": 0.7582, "hbd": 0.7979, "mae": 0.7214, "mse": 0.6984}
"""AUROC of table 2, means over five folds."""


_HEADS = (
    *("form and similarity", "images", "mean over folds (SD)", "95 % interval", "folds", "paper"),
    *("limit of similarity", "found", "cleared"),
)


@dataclass(frozen=True)
class Line:
    """One similarity of one form."""

    detector: str
    harmonised: bool
    target: str  # condition of the target's photos: as they are, augmented, noisy
    conditions: str  # what it is measured against
    mean: float
    deviation: float  # over folds
    low: float
    high: float
    folds: tuple[float, ...]
    n: int  # images of the target
    others: int
    limit: float | None = (
        None  # similarity above which a photo is called the target's, mean of those of the folds
    )
    found: float | None = None  # share of the target's photos above it, each fold by the limit of the others
    cleared: float | None = None  # share of the others below it, likewise


def write_mim(out: Path, rows: Sequence[Row], study: Study, cases: Cases, step: Step) -> dict[str, Path]:
    """mim-scores.csv, mim.json and mim.md in the run folder; where they are."""
    write_rows(out / "mim-scores.csv", rows)
    scored = by_detector(rows)
    lines: list[Line] = []
    with step("figures of MIM", len(scored)) as done:
        for (detector, harmonised), values in scored.items():
            lines += _lines(detector, harmonised, values, study, cases)
            done()
    write_atomically(out / "mim.json", json.dumps([vars(one) for one in lines], indent=1) + "\n")
    write_atomically(out / "mim.md", _markdown(lines, study) + "\n")
    return {
        "MIM's scores": out / "mim-scores.csv",
        "MIM's figures": out / "mim.json",
        "MIM's tables": out / "mim.md",
    }


def _lines(detector: str, harmonised: bool, values: Scored, study: Study, cases: Cases) -> list[Line]:
    diseases = [
        c for c in cases.conditions if c not in (study.target, "patch") and not c.startswith("not skin")
    ]
    skin = [c for c in diseases if c != study.images.normal]
    things = [c for c in cases.conditions if c.startswith("not skin")]
    kinds = {"all skin diseases": skin, "plain skin": [study.images.normal], "not skin": things}
    kinds |= {name: [name] for name in skin}
    found = []
    for target in (study.target, f"{study.target} augmented", f"{study.target} noisy"):
        for told, conditions in kinds.items():
            if target != study.target and told != "all skin diseases":
                continue
            line = _line(detector, harmonised, values, target, told, conditions)
            if line is not None:
                found.append(line)
    return found


def _line(
    detector: str, harmonised: bool, values: Scored, target: str, told: str, conditions: Sequence[str]
) -> Line | None:
    novel = np.isin(values.condition, list(conditions))
    known = values.condition == target
    folds: list[Tested] = []
    for fold in np.unique(values.fold):
        rows = (values.fold == fold) & (novel | known)
        if (rows & novel).any() and (rows & known).any():
            folds.append(Tested(values.image[rows], values.group[rows], novel[rows], values.score[rows]))
    if not folds:
        return None
    each = tuple(auroc(one.score, one.novel).value for one in folds)
    figures = figures_of(folds)
    return Line(
        detector,
        harmonised,
        target,
        told,
        float(np.mean(each)),
        float(np.std(each)),
        figures.auroc.low,
        figures.auroc.high,
        tuple(round(value, 4) for value in each),
        figures.known,
        figures.novel,
        *_threshold(folds),
    )


def _threshold(folds: Sequence[Tested]) -> tuple[float | None, float | None, float | None]:
    """The limit of the greatest balanced accuracy, chosen on all folds but one and tested on that one."""
    if len(folds) < 2:
        return None, None, None
    limits, found, cleared = [], [], []
    for place, fold in enumerate(folds):
        rest = [other for number, other in enumerate(folds) if number != place]
        curve = roc(np.concatenate([one.score for one in rest]), np.concatenate([one.novel for one in rest]))
        limit = curve.threshold[int(np.argmax(curve.sensitivity - curve.false_positive_rate))]
        limits.append(-float(limit))  # of the similarity
        found.append(float((fold.score[~fold.novel] < limit).mean()))
        cleared.append(float((fold.score[fold.novel] >= limit).mean()))
    return float(np.mean(limits)), float(np.mean(found)), float(np.mean(cleared))


def _markdown(lines: Sequence[Line], study: Study) -> str:
    found = _beside_the_paper(lines, study)
    for target in dict.fromkeys(line.target for line in lines):
        some = [line for line in lines if line.target == target and line.conditions == "all skin diseases"]
        found.append(f"## AUROC of {target} against all skin diseases\n")
        found.append(f"| {' | '.join(_HEADS)} |")
        found.append("|---" * len(_HEADS) + "|")
        for line in some:
            similarity = line.detector.split(" ")[-1]
            cells = (
                line.detector,
                "made alike" if line.harmonised else "as they are",
                f"{line.mean:.4f} ({line.deviation:.4f})",
                _interval(line.low, line.high),
                ", ".join(f"{value:.4f}" for value in line.folds),
                f"{PAPER[similarity]:.4f}" if similarity in PAPER else "",
                *(
                    "" if value is None else f"{value:.3f}"
                    for value in (line.limit, line.found, line.cleared)
                ),
            )
            found.append(f"| {' | '.join(cells)} |")
        found.append("")
    found.append(f"## AUROC of {study.target}, as it is, against each condition\n")
    some = [line for line in lines if line.target == study.target]
    detectors = list(dict.fromkeys((line.detector, line.harmonised) for line in some))
    names = [f"{name}{', made alike' if harmonised else ''}" for name, harmonised in detectors]
    found.append("| condition | " + " | ".join(names) + " |")
    found.append("|---" * (len(names) + 1) + "|")
    table = {(line.detector, line.harmonised, line.conditions): line.mean for line in some}
    for condition in dict.fromkeys(line.conditions for line in some):
        values = [table.get((*key, condition)) for key in detectors]
        found.append(f"| {condition} | " + " | ".join("" if v is None else f"{v:.3f}" for v in values) + " |")
    return "\n".join(found)


def _beside_the_paper(lines: Sequence[Line], study: Study) -> list[str]:
    """Table 2, and the classifiers of table 4, with what changes when only the photos do."""
    every = {
        (line.detector, line.harmonised, line.target): line
        for line in lines
        if line.conditions == "all skin diseases"
    }
    forms = ((False, ""), (False, " augmented"), (True, ""), (False, " noisy"))
    heads = ("photos as they are", "augmented as in the paper", "made alike", "with noise", "paper")
    found = [
        f"## AUROC of {study.target} against all skin diseases, mean over folds\n",
        f"| form and similarity | folds | {' | '.join(heads)} |",
        "|---" * (len(heads) + 2) + "|",
    ]
    for detector in dict.fromkeys(line.detector for line in lines):
        some = [every.get((detector, harmonised, study.target + form)) for harmonised, form in forms]
        cells = [f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]" if one else "" for one in some]
        count = max(len(one.folds) for one in some if one)
        similarity = detector.split(" ")[-1]
        told = f"{PAPER[similarity]:.3f}" if similarity in PAPER else ""
        found.append(f"| {detector} | {count} | {' | '.join(cells)} | {told} |")
    return [*found, ""]


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3f}-{high:.3f}"
