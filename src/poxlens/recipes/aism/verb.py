"""What `poxlens aism` does with a study: train, set frozen networks and the leaking protocol beside, report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poxlens.errors import PoxlensError, TrainingError
from poxlens.recipes.aism.arms import FILE, write_predictions
from poxlens.recipes.aism.evidence import compute
from poxlens.recipes.aism.gallery import write_gallery
from poxlens.recipes.aism.grades import Seen, from_rows, read_annotation
from poxlens.recipes.aism.leak import run_leak
from poxlens.recipes.aism.material import Material
from poxlens.recipes.aism.report import write_report
from poxlens.recipes.aism.run import Asked, Say, train_arms
from poxlens.recipes.aism.study import Study, StudyError
from poxlens.recipes.compare.run import Where as CompareWhere
from poxlens.recipes.compare.run import compare
from poxlens.recipes.compare.study import read_study as read_compare
from poxlens.recipes.compare.work import Hands
from poxlens.recipes.default import Step, Where, silent
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.training import Hooks


@dataclass
class Told:
    """Where everything is."""

    files: dict[str, Path] = field(default_factory=dict)
    finished: int = 0  # trainings
    waiting: list[str] = field(default_factory=list)  # that time did not reach
    failed: dict[str, str] = field(default_factory=dict)
    skipped: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "files": {name: str(path) for name, path in self.files.items()},
            "finished": self.finished,
            "waiting": self.waiting,
            "failed": self.failed,
            "skipped": [list(one) for one in self.skipped],
        }


def run(
    study: Study,
    where: Where,
    base: Path,
    asked: Asked,
    ranks: Ranks | None = None,
    *,
    gallery: str | None = None,
    step: Step = silent,
    say: Say = lambda _: None,
) -> Told:
    """Do all of it, as far as time allows; what is finished is only read.

    Args:
        study: what to do.
        where: folders.
        base: the folder that the study's paths are relative to.
        asked: what of it.
        ranks: the processes that train together.
        gallery: also a local page with Grad-CAM of this arm; "" for the first that is finished.
        step: progress.
        say: told of every epoch, and of what did not go as asked.

    Raises:
        PoxlensError: images, groups, folds or tables are faulty.
    """
    ranks = ranks or Ranks(device="cpu")
    started = time.monotonic()
    trained = train_arms(study, where, base, asked, ranks, step=step, say=say)
    told = Told({}, len(trained.results), trained.waiting, trained.failed, trained.material.cases.skipped)
    until = started + 60 * asked.minutes
    if study.leak is not None and asked.leak:
        _leak(study, trained.material, where, base, ranks, until, told, say)
    if not ranks.first:
        return told
    frozen = _frozen(study, where, base, step) if study.frozen is not None and asked.frozen else None
    if not trained.results and frozen is None:
        return told
    write_predictions(where.out / FILE, trained.material.cases, trained.results, frozen, study.names)
    told.files["predictions"] = where.out / FILE
    if asked.report:
        found = compute(study, where.out, seen_of(study, trained.material, base), step)
        told.files |= write_report(where.out, found)
    if gallery is not None:
        told.files["gallery"] = write_gallery(study, trained.material, trained.results, where.out, gallery)
    return told


def seen_of(study: Study, material: Material, base: Path) -> Mapping[str, Seen]:
    """Site and stage of photos: the table's own columns, and the study's annotations over them."""
    tables = [base / path for path in study.annotation.tables]
    return {**from_rows(material.cases.rows), **(read_annotation(tables) if tables else {})}


def _leak(
    study: Study,
    material: Material,
    where: Where,
    base: Path,
    ranks: Ranks,
    until: float,
    told: Told,
    say: Say,
) -> None:
    name = "Data_C (leaks)"
    hooks = Hooks(
        lambda number, epoch: say(
            f"{name}: epoch {number}, loss {epoch.loss:.3f}, validation {epoch.validation_accuracy:.1%}"
        ),
        say,
    )
    try:
        if not run_leak(study, material, where, base, ranks, until=until, hooks=hooks):
            told.waiting.append(name)
    except PoxlensError as fault:
        told.failed[name] = str(fault)


def _frozen(study: Study, where: Where, base: Path, step: Step) -> Path:
    """predictions.csv of the study's comparison of frozen networks, on the same folds."""
    if study.frozen is None:
        raise TrainingError("the study names no comparison of frozen networks")
    file = base / study.frozen
    asked = read_compare(file)
    same = asked.images.model_copy(update={"side": study.images.side})
    if same != study.images or asked.protocol != study.protocol:
        raise StudyError(
            f"{file}: its images and protocol must be those of {study.name}, or its folds would be others"
        )
    out = where.out / "frozen"
    compare(
        asked,
        CompareWhere(out, file.parent, where.weights, where.downloads, where.cache, Hands(where.workers)),
        step=step,
    )
    return out / "predictions.csv"


__all__ = ["Asked", "Told", "run", "seen_of"]
