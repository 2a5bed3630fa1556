"""Run a study: every network with every setting on every fold, in parallel, resumable, the same bytes each time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.data.splits.store import write_splits
from poxlens.errors import PoxlensError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.compare.cases import Cases, read_cases, read_table
from poxlens.recipes.compare.features import Network, compute
from poxlens.recipes.compare.folds import Fold, folds, split
from poxlens.recipes.compare.heads import test_head
from poxlens.recipes.compare.predictions import write_predictions
from poxlens.recipes.compare.study import Study, StudyError
from poxlens.recipes.compare.units import Result, Setting, Unit, UnitStore
from poxlens.recipes.default import Step, silent

Engine = Literal["local", "ray"]


@dataclass(frozen=True)
class Where:
    """Folders and hands of a run."""

    out: Path
    base: Path  # that the study's paths are relative to
    weights: tuple[Path, ...] = ()
    downloads: Path | None = None  # None forbids downloading
    cache: Path | None = None  # of features; out/features when None
    jobs: int = 2
    engine: Engine = "local"
    address: str | None = None  # of a running Ray cluster; None starts one on this machine


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    out: Path
    units: int
    failed: dict[str, str] = field(default_factory=dict)  # unit -> what went wrong
    skipped: tuple[tuple[str, str], ...] = ()  # files that could not be read, and why


def settings(study: Study) -> list[Setting]:
    """The settings of a study: the dense head without and with augmentation, the others without."""
    found = []
    for head in study.heads:
        choices = study.augmentation if head == "dense" else (False,)
        found += [Setting(head, augmentation) for augmentation in choices]
    return found


def compare(study: Study, where: Where, *, step: Step = silent) -> Done:
    """Run what is not finished yet and write predictions.csv.

    Args:
        study: what to do.
        where: folders and hands.
        step: shows progress.

    Raises:
        PoxlensError: the study cannot be run; units that had finished are kept.
    """
    table = read_table(study, where.base)
    with step("reading images", len(table.rows)) as tick:
        cases = read_cases(study, table, where.base, workers=where.jobs, advance=tick)
    splits = split(study, cases, where.base)
    where.out.mkdir(parents=True, exist_ok=True)
    splits = write_splits(where.out / "splits.json", splits, replace=True)
    parts = list(folds(cases, splits, grouped=study.protocol.grouped))
    networks = _networks(study, cases, where, step)
    store = UnitStore(where.out / "units", _basis(study, cases, splits.digest))
    units = [
        Unit(name, setting, part.repeat, part.number)
        for name in networks
        for setting in settings(study)
        for part in parts
    ]
    _write_record(study, where, cases, splits.digest, networks)
    failed = _work(study, cases, parts, networks, units, store, where, step)
    results = [store.read(unit, networks[unit.network].identity) for unit in units]
    finished = [result for result in results if result is not None]
    if not finished:
        raise StudyError("no unit of the study finished: " + next(iter(failed.values()), "nothing to do"))
    write_predictions(where.out / "predictions.csv", cases, finished, study.ensembles)
    return Done(where.out, len(finished), failed, cases.skipped)


def _networks(study: Study, cases: Cases, where: Where, step: Step) -> dict[str, Network]:
    augmented = any(setting.augmentation for setting in settings(study))
    views = study.tuning.views if augmented else 0
    found = {}
    for name in study.networks:
        with step(f"features of {name}", len(cases.rows) * (2 if views else 1)) as tick:
            found[name] = compute(
                name,
                cases,
                where.out / "features",
                views=views,
                seed=study.protocol.seed,
                weights=where.weights,
                downloads=where.downloads,
                cache=where.cache or where.out / "features",
                workers=where.jobs,
                advance=tick,
            )
    return found


def _work(
    study: Study,
    cases: Cases,
    parts: Sequence[Fold],
    networks: dict[str, Network],
    units: Sequence[Unit],
    store: UnitStore,
    where: Where,
    step: Step,
) -> dict[str, str]:
    """Do the units that are not finished; what failed, and why."""
    fold_of = {(part.repeat, part.number): part for part in parts}
    waiting = [unit for unit in units if store.read(unit, networks[unit.network].identity) is None]
    failed: dict[str, str] = {}
    with step("networks, settings and folds", len(units)) as tick:
        tick(len(units) - len(waiting))
        tasks = (
            delayed(_one)(
                study,
                len(cases.classes),
                cases.truth,
                fold_of[unit.repeat, unit.fold],
                networks[unit.network],
                unit,
                store,
            )
            for unit in waiting
        )
        try:
            for unit, outcome in _results(tasks, where):
                if isinstance(outcome, str):
                    failed[unit.name] = outcome
                elif store.read(unit, networks[unit.network].identity) is None:
                    store.write(outcome, networks[unit.network].identity)  # a worker on another disk
                tick(1)
        except TerminatedWorkerError:
            failed["a worker"] = (
                "a worker process was killed, most likely for want of memory; finished units are kept."
                " Run it again with --resume and fewer --jobs"
            )
    return failed


def _results(tasks: Iterator[Any], where: Where) -> Iterator[tuple[Unit, Result | str]]:
    if where.engine == "ray":
        register_ray(where.address)
        with parallel_config(backend="ray", n_jobs=where.jobs):
            yield from Parallel(return_as="list")(tasks)
        return
    with parallel_config(backend="loky", n_jobs=where.jobs, inner_max_num_threads=1):
        yield from Parallel(return_as="generator_unordered")(tasks)


def register_ray(address: str | None) -> None:
    """Join a Ray cluster, or start one on this machine, as a backend of joblib.

    Raises:
        PoxlensError: Ray is not installed, or nothing answers at the address.
    """
    try:
        import ray
        from ray.util.joblib import register_ray as register
    except ModuleNotFoundError as fault:
        raise PoxlensError('--engine ray needs Ray. Install it with: pip install "poxlens[ray]"') from fault
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except Exception as fault:  # Ray raises many kinds when a cluster does not answer
        raise PoxlensError(f"no Ray cluster at {address or 'this machine'}: {fault}") from fault
    register()


def _one(
    study: Study,
    classes: int,
    truth: NDArray[np.int64],
    part: Fold,
    network: Network,
    unit: Unit,
    store: UnitStore,
) -> tuple[Unit, Result | str]:
    import torch

    torch.set_num_threads(1)  # the same bits whatever the machine; workers share the cores
    torch.use_deterministic_algorithms(True)
    started = time.perf_counter()
    seed = study.protocol.seed
    try:
        with threadpool_limits(1):
            augmented = unit.setting.augmentation
            tested = test_head(
                unit.setting.head,
                network.part(part.train, truth, augmented=augmented, seed=seed),
                network.part(part.validation, truth, augmented=False, seed=seed),
                network.part(part.test, truth, augmented=False, seed=seed).features,
                classes,
                study.tuning,
                seed=seed + 1_000 * part.repeat + part.number,
                name=unit.name,
            )
        seconds = time.perf_counter() - started
        result = Result(unit, part.test, tested.probabilities, tested.chosen, tested.trials, seconds)
        store.write(result, network.identity)  # at once: a run that is killed has lost nothing that was done
    except MemoryError:
        return unit, "out of memory"
    except Exception as fault:  # one bad unit must not end the study; it is told by name
        return unit, f"{type(fault).__name__}: {fault}"
    return unit, result


def _basis(study: Study, cases: Cases, splits: str) -> str:
    told = {
        "cases": cases.digest,
        "splits": splits,
        "tuning": study.tuning.model_dump(mode="json"),
        "seed": study.protocol.seed,
        "grouped": study.protocol.grouped,
    }
    return sha256_bytes(json.dumps(told, sort_keys=True).encode())


def _write_record(
    study: Study, where: Where, cases: Cases, splits: str, networks: dict[str, Network]
) -> None:
    told = {
        "study": study.model_dump(mode="json"),
        "manifest_sha256": cases.manifest.sha256,
        "images": {
            name: int(np.sum(cases.truth[cases.tested] == at)) for at, name in enumerate(cases.classes)
        },
        "groups": len(np.unique(cases.groups.of[cases.tested])),
        "only_learnt_from": int((~cases.tested).sum()),
        "splits_sha256": splits,
        "networks": {name: network.identity for name, network in networks.items()},
        "skipped": [list(one) for one in cases.skipped],
    }
    write_atomically(where.out / "study.json", json.dumps(told, indent=1) + "\n")
