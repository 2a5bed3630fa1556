"""What `poxlens novelty` does with a study: detectors, MIM, figures, gate, page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poxlens.errors import TrainingError
from poxlens.recipes.default import Step, Where, silent
from poxlens.recipes.novelty import report
from poxlens.recipes.novelty.classifiers import classifier_rows
from poxlens.recipes.novelty.gallery import write_gallery
from poxlens.recipes.novelty.gate import evaluate_gates, write_gates
from poxlens.recipes.novelty.gate_tables import write_gate_tables
from poxlens.recipes.novelty.mim import folds_of, measure_mim, read_closeups, train_mim, training_of
from poxlens.recipes.novelty.mim_export import export_mim
from poxlens.recipes.novelty.mim_report import write_mim
from poxlens.recipes.novelty.page import write_page
from poxlens.recipes.novelty.rows import rows_of, write_rows
from poxlens.recipes.novelty.run import run_study
from poxlens.recipes.novelty.study import Study

_COMPARED = 12  # images that runtimes are compared on


@dataclass(frozen=True)
class Asked:
    """What of MIM."""

    folds: tuple[str, ...] = ()
    minutes: float = math.inf
    gallery: bool = False
    export: bool = False  # MIM for the runtimes of a bundle


@dataclass
class Told:
    """Where everything is."""

    files: dict[str, Path] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)  # of MIM's folds
    failed: dict[str, str] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "files": {name: str(path) for name, path in self.files.items()},
            "epochs": dict(self.epochs),
            "failed": self.failed,
            "skipped": [list(one) for one in self.skipped],
        }


def run(study: Study, where: Where, asked: Asked, step: Step = silent) -> Told:
    """Do all of it, what is finished only once.

    Args:
        study: what to do.
        where: folders.
        asked: of MIM.
        step: progress.

    Raises:
        PoxlensError: the images, the table or the weights are faulty.
    """
    told = Told()
    if study.networks:
        _detectors(study, where, step, told)
    if study.mim is not None:
        _mim(study, where, asked, step, told)
    return told


def _detectors(study: Study, where: Where, step: Step, told: Told) -> None:
    done = run_study(study, where, step)
    told.failed |= done.failed
    told.skipped = done.cases.skipped
    path = where.out / "scores.csv"
    write_rows(path, rows_of(done, study))
    told.files["scores"] = path
    gates = evaluate_gates(done, study, step)
    told.files["gate"] = write_gates(where.out, gates)
    told.files["gate's tables"] = write_gate_tables(where.out, gates, study.target)
    cells = report.compute(where.out, study, done.cases, step)
    report.write(where.out, cells, study)
    told.files |= {"figures": where.out / "figures.json", "tables": where.out / "tables.md"}
    told.files["page"] = write_page(where.out, study, cells, gates)


def _mim(study: Study, where: Where, asked: Asked, step: Step, told: Told) -> None:
    names = {one.name for one in folds_of(study)}
    unknown = sorted(set(asked.folds) - names)
    if unknown:
        raise TrainingError(f'there is no fold "{unknown[0]}"; there are: {", ".join(sorted(names))}')
    told.epochs, failed = train_mim(study, where, only=asked.folds, minutes=asked.minutes, step=step)
    told.failed |= failed
    told.files["closeups"] = where.out / "closeups.csv"
    if study.mim is not None and any(count >= study.mim.epochs for count in told.epochs.values()):
        rows, cases = measure_mim(study, where, only=asked.folds, step=step)
        closeups = read_closeups(study, where)
        rows += classifier_rows(study, where, cases, closeups, study.mim.classifiers, step)
        told.skipped = cases.skipped
        told.files |= write_mim(where.out, rows, study, cases, step)
        if asked.gallery:
            told.files["gallery"] = write_gallery(study, where, cases, asked.folds)
        if asked.export:
            told.files |= _exported(study, where, asked)


def _exported(study: Study, where: Where, asked: Asked) -> dict[str, Path]:
    """MIM of the first fold that is trained."""
    closeups = read_closeups(study, where)
    for one in folds_of(study):
        training = training_of(study, one, closeups, where.out)
        if training.done and (not asked.folds or one.name in asked.folds):
            images = closeups.images[closeups.fold == one.fold][:_COMPARED]
            return export_mim(training.generator, images, training.settings.mask, where.out / "gate-mim")
    raise TrainingError("no fold of MIM is trained yet: there is nothing to export")
