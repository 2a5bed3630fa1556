"""Units of work on the hands that there are: processes of this machine, or a Ray cluster.

A unit that fails is named and the others go on. A worker that is killed (most often for want of memory) takes the
units in flight with it; these are then tried again one at a time, so that the one to blame is known.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.errors import PoxlensError
from poxlens.recipes.compare.features import Network
from poxlens.recipes.compare.finetuned import finetuned
from poxlens.recipes.compare.folds import Fold
from poxlens.recipes.compare.heads import Tested, run_head
from poxlens.recipes.compare.study import Study
from poxlens.recipes.compare.units import Result, Unit, UnitStore
from poxlens.train.allocation import keep_freed_memory

Engine = Literal["local", "ray"]
KILLED = (
    "its worker was killed, most likely for want of memory: give it more, or run fewer at once with --jobs"
)
_PATIENCE = 10.0  # seconds for a cluster to answer
_A_HAND = 4  # units sent to each of Ray's workers at once: it returns nothing before all of them are done


@dataclass(frozen=True, eq=False)
class Job:
    """What all units of a step have in common."""

    study: Study
    classes: int
    truth: NDArray[np.int64]  # [N]
    store: UnitStore
    images: Path | None = None  # .npy, [N, S, S, 3] uint8, where a unit learns from images
    weights: tuple[Path, ...] = ()  # folders, for the same
    downloads: Path | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """One unit with its fold and network."""

    unit: Unit
    part: Fold
    network: Network
    fixed: Mapping[str, Any] | None = None  # hyper-parameters that are not chosen but given

    def result(self, store: UnitStore) -> Result | None:
        """What the store holds of it."""
        return store.read(self.unit, self.network.identity)


@dataclass(frozen=True)
class Hands:
    """Who does the work."""

    jobs: int = 2  # units at once
    engine: Engine = "local"
    address: str | None = None  # of a running Ray cluster; None starts one on this machine


Outcome = tuple[Task, Result | str]


def work(job: Job, tasks: Sequence[Task], hands: Hands, tick: Callable[[int], None]) -> dict[str, str]:
    """Do the tasks; each writes its result as soon as it has one.

    Args:
        job: what they have in common.
        tasks: those that are not finished.
        hands: who does them.
        tick: called with 1 after each.

    Returns:
        What failed: name of the unit -> what went wrong.
    """
    failed: dict[str, str] = {}
    told: set[str] = set()
    if not tasks:
        return failed

    def take(outcomes: Iterator[Outcome]) -> None:
        for task, outcome in outcomes:
            if isinstance(outcome, str):
                failed[task.unit.name] = outcome
            elif task.result(job.store) is None:
                job.store.write(outcome, task.network.identity)  # a worker on another disk
            told.add(task.unit.name)
            tick(1)

    with _pool(hands) as (run, broken):
        try:
            take(run(job, tasks))
        except broken:
            for task in tasks:
                if task.unit.name in told:
                    continue
                if task.result(job.store) is not None:
                    tick(1)
                    continue
                try:
                    take(run(job, [task]))
                except broken:
                    failed[task.unit.name] = KILLED
                    tick(1)
    return failed


Run = Callable[[Job, Sequence[Task]], Iterator[Outcome]]


@contextmanager
def _pool(hands: Hands) -> Iterator[tuple[Run, tuple[type[BaseException], ...]]]:
    if hands.engine == "ray":
        started, broken = _join_ray(hands)
        try:
            with parallel_config(backend="ray", n_jobs=hands.jobs):
                yield _by_hands(hands.jobs), broken
        finally:
            if started:
                import ray

                ray.shutdown()
        return
    with parallel_config(backend="loky", n_jobs=hands.jobs, inner_max_num_threads=1):
        yield _by_processes, (TerminatedWorkerError,)


def _by_processes(job: Job, tasks: Sequence[Task]) -> Iterator[Outcome]:
    yield from Parallel(return_as="generator_unordered")(delayed(do)(job, task) for task in tasks)


def _by_hands(jobs: int) -> Run:
    def run(job: Job, tasks: Sequence[Task]) -> Iterator[Outcome]:
        with Parallel() as pool:
            for start in range(0, len(tasks), jobs * _A_HAND):
                some = tasks[start : start + jobs * _A_HAND]
                yield from pool(delayed(do)(job, task) for task in some)

    return run


def _join_ray(hands: Hands) -> tuple[bool, tuple[type[BaseException], ...]]:
    """Join a Ray cluster, or start one on this machine; whether it was started, and its faults of lost workers.

    Raises:
        PoxlensError: Ray is not installed, or nothing answers at the address.
    """
    try:
        import ray
        from ray.util.joblib import register_ray
    except ModuleNotFoundError as fault:
        raise PoxlensError('--engine ray needs Ray. Install it with: pip install "poxlens[ray]"') from fault
    started = not ray.is_initialized()
    if started:
        if hands.address:
            _require_answer(hands.address)
        own: dict[str, Any] = (
            {} if hands.address else {"num_cpus": hands.jobs, "include_dashboard": False}
        )  # a running cluster has its own
        try:
            ray.init(address=hands.address, log_to_driver=False, **own)
        except Exception as fault:  # Ray raises many kinds when a cluster does not answer
            raise PoxlensError(f"Ray does not start at {hands.address or 'this machine'}: {fault}") from fault
    register_ray()
    return started, (ray.exceptions.RayError,)


def _require_answer(address: str) -> None:
    """Ray itself tries for minutes before it gives up."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # "auto" and the like, which Ray looks up on this machine
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as fault:
        raise PoxlensError(f"no Ray cluster answers at {address}: {fault}") from fault


def do(job: Job, task: Task) -> Outcome:
    """Do one unit in this process and keep its result; a fault is returned as words."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    started = time.perf_counter()
    keep_freed_memory()
    try:
        torch.set_num_threads(1)  # the same bits whatever the machine; workers share the cores
        torch.use_deterministic_algorithms(True)
        with threadpool_limits(1):
            tested = _tested(job, task)
        seconds = time.perf_counter() - started
        result = Result(
            task.unit, task.part.test, tested.probabilities, tested.chosen, tested.trials, seconds
        )
        job.store.write(result, task.network.identity)  # at once: a run that is killed loses nothing done
    except MemoryError:
        return task, "out of memory"
    except Exception as fault:  # one bad unit must not end the study; it is told by name
        return task, f"{type(fault).__name__}: {fault}"
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)
    return task, result


def _tested(job: Job, task: Task) -> Tested:
    setting, part = task.unit.setting, task.part
    seed = job.study.protocol.seed + 1_000 * task.unit.repeat + task.unit.fold
    learnt = part.learnt(setting.extra, auxiliary=setting.auxiliary)
    if setting.head == "finetune":
        if job.images is None:
            raise ValueError("fine-tuning needs the images")
        return finetuned(
            task.network.name,
            np.load(job.images, mmap_mode="r"),
            job.truth,
            learnt,
            part.validation,
            part.test,
            job.classes,
            job.study,
            weights=job.weights,
            downloads=job.downloads,
            seed=seed,
            fixed=task.fixed,
        )
    return run_head(
        setting.head,
        task.network.part(learnt, job.truth, setting),
        task.network.part(part.validation, job.truth, setting),
        task.network.part(part.test, job.truth, setting).features,
        job.classes,
        job.study.tuning,
        seed=seed,
        name=task.unit.place,
        fixed=task.fixed,
        auxiliary=int(job.truth.max()) + 1 - job.classes if setting.auxiliary else 0,
    )
