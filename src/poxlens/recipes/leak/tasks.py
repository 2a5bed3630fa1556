"""The work of leak-demo in tasks that are kept on disk: an interrupted run goes on where it was."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import Advance, Where
from poxlens.recipes.leak.heads import HEADS, Reduction
from poxlens.recipes.leak.network import Tuning, fine_tune
from poxlens.recipes.leak.protocols import Collection, Units, folds_of
from poxlens.train.copies import Ranges

Floats = NDArray[np.float32]
Inputs = NDArray[Any]  # features, or images of the network that is fine-tuned
Result = tuple[NDArray[np.int64], Floats]


@dataclass(frozen=True)
class Plan:
    """All choices of a run; written to metrics.json."""

    dataset: str | None = None  # tested; None: the whole table
    others: tuple[str, ...] = ()  # data sets that "merged" and "strict" learn from as well
    target: str = "mpox"
    binary: bool = False
    copies: int = 13
    fewer: tuple[int, ...] = (0, 1, 2, 4, 8)  # other numbers of copies, for "common" and "grouped"
    network: str = "efficientnet-lite0"
    heads: tuple[str, ...] = tuple(HEADS)
    repeats: int = 5
    fewer_repeats: int = 2  # of the runs with fewer copies
    folds: int = 5
    seed: int = 0
    rule: InputRule = field(default_factory=InputRule)
    ranges: Ranges = field(default_factory=Ranges)
    tuning: Tuning | None = None  # also fine-tune a whole network, one repeat

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that are run."""
        return ("common", "image", "grouped", *(("merged", "strict") if self.others else ()))


@dataclass(frozen=True)
class Task:
    """One protocol, once: all its folds under all heads (or under the fine-tuned network)."""

    protocol: str
    copies: int
    repeat: int
    network: bool = False


def compute(
    tasks: Sequence[Task], collection: Collection, inputs: Inputs, plan: Plan, where: Where, done: Advance
) -> list[Result]:
    """The result of every task, in their order: fold [U] (-1: not tested) and scores [H, U, C].

    Args:
        tasks: what to do.
        collection: N images.
        inputs: [N * (copies + 1), ...], features, or small images for a network.
        plan: the choices.
        where: the folder `out`/parts keeps finished tasks; `workers` of them run at once.
        done: called after each task.

    Raises:
        TrainingError: a class has too few images or groups.
    """
    key, folder = _digest(collection, inputs, plan), where.out / "parts"
    jobs = (
        delayed(_kept)(folder, key(task), task, collection, inputs, plan, where.weights) for task in tasks
    )
    found = []
    for result in Parallel(n_jobs=where.workers, return_as="generator")(jobs):
        found.append(result)
        done()
    return found


def _kept(
    folder: Path,
    key: str,
    task: Task,
    collection: Collection,
    inputs: Inputs,
    plan: Plan,
    weights: tuple[Path, ...],
) -> Result:
    """Fold [U] (-1: not tested) and scores [H, U, C] of one task, from disk where they are there."""
    name = f"{task.protocol}-{task.copies}-{task.repeat}{'-network' if task.network else ''}-{key[:16]}.npz"
    try:
        with np.load(folder / name, allow_pickle=False) as stored:
            return stored["fold"], stored["shares"]
    except Exception:  # missing, or of any kind of damage: computed again
        pass
    with threadpool_limits(1 if not task.network else None):
        fold, shares = _computed(task, collection, inputs, plan, weights)
    buffer = io.BytesIO()
    np.savez(buffer, fold=fold, shares=shares)
    write_atomically(folder / name, buffer.getvalue())
    return fold, shares


def _computed(
    task: Task, collection: Collection, inputs: Inputs, plan: Plan, weights: tuple[Path, ...]
) -> Result:
    units = Units.of(collection, task.copies)
    chosen = inputs.reshape(len(collection.files), plan.copies + 1, *inputs.shape[1:])[:, : task.copies + 1]
    part = chosen.reshape(-1, *inputs.shape[1:])
    label = collection.label[units.image]
    heads, classes = (1 if task.network else len(plan.heads)), len(collection.classes)
    fold = np.full(len(label), -1, np.int64)
    shares = np.zeros((heads, len(label), classes), np.float32)
    seed = plan.seed + 1000 * task.repeat
    for number, one in enumerate(folds_of(collection, task.protocol, task.copies, plan.folds, seed)):
        fold[one.test] = number
        train, test, truth = part[one.train], part[one.test], label[one.train]
        if plan.tuning and task.network:
            found = [fine_tune(train, truth, test, classes, plan.tuning, weights, seed + number)]
        else:
            found = _heads(train, truth, test, classes, task.copies, plan.heads)
        shares[:, one.test] = np.stack(found)
    return fold, shares


def _heads(
    train: Inputs, label: NDArray[np.int64], test: Inputs, classes: int, copies: int, heads: Sequence[str]
) -> list[Floats]:
    reduce = Reduction(train)
    learnt, asked = reduce(train), reduce(test)
    weight = np.full(len(learnt), 1 / (copies + 1), np.float32)
    return [HEADS[name][0](learnt, label, weight, asked, classes) for name in heads]


def _digest(collection: Collection, inputs: Inputs, plan: Plan) -> Callable[[Task], str]:
    """Task -> digest of everything else that its result depends on."""
    told = {
        "files": collection.files,
        "label": collection.label.tolist(),
        "tested": collection.tested.tolist(),
        "heads": plan.heads,
        "folds": plan.folds,
        "seed": plan.seed,
        "tuning": None if plan.tuning is None else asdict(plan.tuning),
        "inputs": sha256_bytes(np.ascontiguousarray(inputs).tobytes()),
    }

    def digest(task: Task) -> str:
        # Splits that know no groups stay as they are when a better table of groups comes.
        group = [] if task.protocol in ("common", "image") else collection.group.tolist()
        # The heads of a task do not see how a network is tuned, nor the other way about.
        blind = "heads" if task.network else "tuning"
        return sha256_bytes(json.dumps({**told, blind: None, "group": group}).encode())

    return digest
