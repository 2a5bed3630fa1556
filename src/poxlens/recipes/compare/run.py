"""Run a study: every network with every setting on every fold, in parallel, resumable, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from poxlens import __version__
from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import write_splits
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.compare import leave_one_out as loo
from poxlens.recipes.compare.cases import Cases, read_cases, read_table
from poxlens.recipes.compare.extra import Extra, find_extra, needs_extra, no_extra
from poxlens.recipes.compare.features import (
    Network,
    Source,
    Wanted,
    compute,
    members,
    pooled,
    require_networks,
    save_images,
)
from poxlens.recipes.compare.folds import Fold, folds, leave_one_out, split
from poxlens.recipes.compare.learning import sizes
from poxlens.recipes.compare.predictions import write_predictions, write_series
from poxlens.recipes.compare.study import POOL, Chosen, Study, StudyError, hint
from poxlens.recipes.compare.times import Times
from poxlens.recipes.compare.units import Result, Setting, Unit, UnitStore, every_setting, has, settings
from poxlens.recipes.compare.work import Hands, Job, Task, work
from poxlens.recipes.default import Step, silent

TABLES = ("predictions.csv", "learning.csv", "leave_one_out.csv")


@dataclass(frozen=True)
class Where:
    """Folders and hands of a run."""

    out: Path
    base: Path  # that the study's paths are relative to
    weights: tuple[Path, ...] = ()
    downloads: Path | None = None  # None forbids downloading
    cache: Path | None = None  # of features; out/features when None
    hands: Hands = field(default_factory=Hands)

    @property
    def source(self) -> Source:
        """Of weights and features."""
        folder = self.out / "features"
        return Source(folder, self.cache or folder, self.weights, self.downloads, self.hands.jobs)


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    out: Path
    units: int  # finished, of the cross-validation, learning curves and leave-one-out
    tables: tuple[Path, ...]  # that were written
    failed: dict[str, str] = field(default_factory=dict)  # unit -> what went wrong
    skipped: tuple[tuple[str, str], ...] = ()  # files that could not be read, and why


def compare(study: Study, where: Where, *, step: Step = silent, learning_curve: bool = False) -> Done:
    """Run what is not finished yet and write predictions.csv, and the other tables that are asked for.

    Args:
        study: what to do.
        where: folders and hands.
        step: shows progress.
        learning_curve: make learning.csv too.

    Raises:
        PoxlensError: the study cannot be run; units that had finished are kept.
    """
    require_settings(study)
    table = read_table(study, where.base)
    require_networks(study.networks, study.images.side, where.source)
    times = Times(where.out, where.hands.jobs, where.hands.engine, step)
    step = times.step
    with step("reading images", len(table.rows)) as tick:
        cases = read_cases(study, table, where.base, workers=where.hands.jobs, advance=tick)
    splits = split(study, cases, where.base)
    extra = no_extra()
    if needs_extra(study):
        with step("images of other sets", len(cases.rows)) as tick:
            extra = find_extra(study, cases, where.source, tick)
    run = _Run(study, where, step, cases, extra, splits)
    run.begin()
    times.write()
    main = run.cross_validate()
    times.write()
    done = [where.out / "predictions.csv"]
    if learning_curve:
        run.learn(main)
        done.append(where.out / "learning.csv")
        times.write()
    if study.leave_one_out.ways:
        run.leave_out(main)
        done.append(where.out / "leave_one_out.csv")
        times.write()
    return Done(where.out, run.finished, tuple(done), run.failed, cases.skipped)


class _Run:
    """The steps of one run, over what they have in common."""

    def __init__(
        self, study: Study, where: Where, step: Step, cases: Cases, extra: Extra, splits: Splits
    ) -> None:
        self.study, self.where, self.step, self.cases, self.extra = study, where, step, cases, extra
        self.splits = splits
        self.failed: dict[str, str] = {}
        self.finished = 0

    def begin(self) -> None:
        """Write the split, compute the features and record the study; drop tables of another study."""
        out = self.where.out
        self.splits = write_splits(out / "splits.json", self.splits, replace=True)
        self.parts = tuple(folds(self.cases, self.splits, self.extra, grouped=self.study.protocol.grouped))
        self.basis = _basis(self.study, self.cases, self.splits.digest)
        self.networks = self._networks()
        tuned = any(setting.head == "finetune" for setting in settings(self.study))
        self.images = save_images(self.cases, out / "features") if tuned else None
        record = self._record()
        if _recorded(out / "study.json") != record["basis"]:
            for name in TABLES:  # they would be read with the new study's record
                (out / name).unlink(missing_ok=True)
        write_atomically(out / "study.json", json.dumps(record, indent=1) + "\n")

    def cross_validate(self) -> list[Result]:
        """predictions.csv."""
        found = self._do(
            "networks, settings and folds", "units", self._tasks(self.networks, None, self.parts)
        )
        if not found:
            raise StudyError(
                "no unit of the study finished: " + next(iter(self.failed.values()), "nothing to do")
            )
        write_predictions(self.where.out / "predictions.csv", self.cases, found, self.study.ensembles)
        return found

    def learn(self, main: Sequence[Result]) -> None:
        """learning.csv."""
        asked = self.study.learning
        networks, chosen = self._asked(asked), self._settings(asked)
        series: list[tuple[str | int, Sequence[Result]]] = []
        for size in sizes(self.cases, self.parts, asked.shares, seed=self.study.protocol.seed):
            if size.share == 1:
                found = [one for one in main if one.unit.network in networks and one.unit.setting in chosen]
            else:
                tasks = self._tasks(networks, chosen, size.folds, size.variant)
                found = self._do(f"learning from {size.images} images", "learning", tasks)
            series.append((size.images, found))
        write_series(self.where.out / "learning.csv", self.cases, "size", series, self.study.ensembles)

    def leave_out(self, main: Sequence[Result]) -> None:
        """leave_one_out.csv."""
        asked = self.study.leave_one_out
        splits = leave_one_out(self.study, self.cases, self.where.base)
        parts = tuple(folds(self.cases, splits, self.extra, grouped=self.study.protocol.grouped))
        series = []
        for way in asked.ways:
            tasks = loo.tasks(self.cases, parts, main, way, self._asked(asked), self._settings(asked))
            series.append((loo.WAYS[way], self._do(f"leaving one out, {way}", "leave-one-out", tasks)))
        write_series(self.where.out / "leave_one_out.csv", self.cases, "way", series, self.study.ensembles)

    def _do(self, name: str, folder: str, tasks: Sequence[Task]) -> list[Result]:
        """The results of all tasks that are finished, or that finish now."""
        job = Job(
            self.study,
            len(self.cases.classes),
            self.cases.truth,
            UnitStore(self.where.out / folder, self.basis),
            self.images,
            self.where.weights,
            self.where.downloads,
        )
        waiting = [task for task in tasks if task.result(job.store) is None]
        before = len(tasks) - len(waiting)
        with self.step(f"{name} ({before} done before)" if before else name, len(waiting)) as tick:
            self.failed |= work(job, waiting, self.where.hands, tick)
        results = [task.result(job.store) for task in tasks]
        found = [result for result in results if result is not None]
        self.finished += len(found)
        return found

    def _tasks(
        self,
        networks: Mapping[str, Network],
        asked: Sequence[Setting] | None,
        parts: Sequence[Fold],
        variant: str = "",
    ) -> list[Task]:
        return [
            Task(Unit(name, setting, part.repeat, part.number, variant), part, network)
            for name, network in networks.items()
            for setting in (settings(self.study) if asked is None else asked)
            if has(self.study, name, setting)
            for part in parts
        ]

    def _networks(self) -> dict[str, Network]:
        source = self.where.source
        single: dict[str, Network] = {}
        for name in members(self.study.networks):
            wanted = Wanted.of(self.study, name)
            with self.step(f"features of {name}", len(self.cases.rows) * wanted.tables) as tick:
                single[name] = compute(
                    name, self.cases, source, wanted, seed=self.study.protocol.seed, advance=tick
                )
        return {
            name: pooled(name, [single[part] for part in name.split(POOL)]) for name in self.study.networks
        }

    def _asked(self, part: Chosen) -> dict[str, Network]:
        return {
            name: one for name, one in self.networks.items() if not part.networks or name in part.networks
        }

    def _settings(self, part: Chosen) -> list[Setting]:
        return [one for one in settings(self.study) if not part.settings or one.name in part.settings]

    def _record(self) -> dict[str, object]:
        cases = self.cases
        told: dict[str, object] = {
            "study": self.study.model_dump(mode="json"),
            "poxlens": __version__,
            "manifest_sha256": cases.manifest.sha256,
            "images": {
                name: int(np.sum(cases.truth[cases.tested] == at)) for at, name in enumerate(cases.classes)
            },
            "groups": len(np.unique(cases.groups.of[cases.tested])),
            "only_learnt_from": int((~cases.tested).sum()),
            "files": [row.file for row in cases.rows],
            "splits_sha256": self.splits.digest,
            "networks": {name: network.identity for name, network in self.networks.items()},
            "skipped": [list(one) for one in cases.skipped],
        }
        if needs_extra(self.study):
            told["extra_learnt_from"] = {
                name: round(float(np.mean([len(part.extra[name]) for part in self.parts])), 1)
                for name in self.extra.filters
                if name != "without"
            }
        whole = json.dumps([self.basis, told["study"], told["networks"]], sort_keys=True)
        return {"basis": sha256_bytes(whole.encode()), **told}


def require_settings(study: Study) -> None:
    """Refuse settings of learning curves or leave-one-out that the study does not have.

    Raises:
        StudyError: names the entry.
    """
    every = [setting.name for setting in every_setting(study)]
    known = [setting.name for setting in settings(study)]
    for what, names, among in (
        ("settings", study.settings, every),
        ("leave_one_out.settings", study.leave_one_out.settings, known),
        ("learning.settings", study.learning.settings, known),
    ):
        for name in names:
            if name not in among:
                raise StudyError(
                    f'"{what}": "{name}" is none of the study\'s settings {", ".join(among)}'
                    f"{hint(name, among)}"
                )


def _recorded(path: Path) -> str:
    try:
        return str(json.loads(path.read_text("utf-8"))["basis"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _basis(study: Study, cases: Cases, splits: str) -> str:
    told = {
        "poxlens": __version__,
        "cases": cases.digest,
        "splits": splits,
        "tuning": study.tuning.model_dump(mode="json", exclude={"networks"}),
        "finetune": study.finetune.model_dump(mode="json", exclude={"networks"}),
        "seed": study.protocol.seed,
        "grouped": study.protocol.grouped,
        "target": study.images.target if needs_extra(study) else "",  # decides on the strict filter
    }
    return sha256_bytes(json.dumps(told, sort_keys=True).encode())
