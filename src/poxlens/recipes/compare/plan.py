"""What a study will take, before it starts: units, time and memory, from a few measured steps of each kind.

Nothing is written. Times are of this machine as busy as it is now, and rough: how long Hyperband trains a configuration
depends on the images.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from poxlens.data.splits.store import read_splits
from poxlens.data.splits.units import find_groups, read_groups
from poxlens.recipes.compare.cases import read_table
from poxlens.recipes.compare.features import Source, Wanted, extractor_of, members, require_networks
from poxlens.recipes.compare.heads import run_head
from poxlens.recipes.compare.run import Where, require_settings
from poxlens.recipes.compare.study import POOL, Study
from poxlens.recipes.compare.units import Setting, has, settings
from poxlens.train.backbones import load_backbone
from poxlens.train.dense import DenseSettings, DenseTraining, parameters
from poxlens.train.finetuning import FinetuneSettings, fine_tune
from poxlens.train.tuning import Part, Space

_SHARE = 0.32  # of the epochs a configuration may have that Hyperband and early stopping leave it: 8.6 of 27 on MSLD
_BASE_GIB = 0.6  # a worker with torch and scikit-learn loaded
_COPIES = 6  # weights, gradients, two moments, the best epoch, the best configuration so far
_GIB = 2**30


@dataclass(frozen=True)
class Step:
    """One line of a plan."""

    name: str
    count: int  # images or units
    seconds: float  # of one core, all together


@dataclass(frozen=True)
class Plan:
    """What a study will take."""

    images: dict[str, int]  # class -> images
    groups: int
    folds: int
    features: tuple[Step, ...]
    units: tuple[Step, ...]
    jobs: int
    memory_gib: float  # all workers and the images

    @property
    def seconds(self) -> float:
        """From start to end on the jobs asked for."""
        return sum(step.seconds for step in (*self.features, *self.units)) / self.jobs


def plan(study: Study, where: Where, *, learning_curve: bool = False) -> Plan:
    """Measure a little of each kind of work and count how much of it there is.

    What an earlier run has finished is not taken off, cached features are.

    Args:
        study: the study.
        where: folders and hands.
        learning_curve: whether learning.csv will be made.

    Raises:
        PoxlensError: the study cannot be run.
    """
    require_settings(study)
    table = read_table(study, where.base)
    require_networks(study.networks, study.images.side, where.source)
    asked = study.protocol
    listed = read_groups(where.base / asked.groups, table) if asked.groups else None
    tested = [row.dataset not in study.images.extra_datasets for row in table.rows]
    groups = len(np.unique(find_groups(table, listed).of[tested]))
    count = sum(tested)
    folds = (
        sum(1 for _ in read_splits(where.base / asked.splits))
        if asked.splits
        else asked.folds * asked.repeats
    )
    per_fold = folds / asked.repeats
    train = max(2, round(count * (1 - 1 / per_fold) * (1 - asked.validation)) + len(table.rows) - count)
    with threadpool_limits(1):
        measured = _Measured(study, where.source, len(table.rows), train)
        features = tuple(measured.features(name) for name in members(study.networks))
        units = _units(
            study, measured, folds, groups if asked.grouped else count, learning_curve=learning_curve
        )
    side = study.images.side
    return Plan(
        {name: sum(row.label == name for row in table.rows) for name in study.images.classes},
        groups,
        folds,
        features,
        tuple(units),
        where.hands.jobs,
        measured.worker_gib() * where.hands.jobs + len(table.rows) * side * side * 3 / _GIB,
    )


class _Measured:
    """Seconds of each kind of work, each measured once."""

    def __init__(self, study: Study, source: Source, images: int, train: int) -> None:
        self.study, self.source, self.images, self.train = study, source, images, train
        self.wanted = {name: Wanted.of(study, name) for name in members(study.networks)}
        self.sizes: dict[str, int] = {}  # of the features of single networks
        self._known: dict[tuple[str, int], float] = {}

    def features(self, name: str) -> Step:
        """All features of a single network that are not cached."""
        side, wanted = self.study.images.side, self.wanted[name]
        extractor = extractor_of(name, side, self.source, eight_bits=wanted.eight_bits)
        image = np.zeros((1, side, side, 3), np.uint8)
        self.sizes[name] = extractor.pooled(image).shape[1]
        seconds = _timed(lambda: extractor.pooled(image))
        files = (wanted.plain or wanted.averaged) + bool(wanted.views)
        cached = sum(1 for _ in (self.source.cache / extractor.identity).glob("*/*.npz"))
        left = 1 - min(1.0, cached / max(1, self.images * files))
        return Step(f"features of {name}", self.images, seconds * wanted.forwards * self.images * left)

    def unit(self, network: str, setting: Setting, *, fixed: bool) -> float:
        """One unit; `fixed`: with given hyper-parameters."""
        size = self.size(network)
        if setting.head == "finetune":
            key = (f"finetune {network}", 0)
            images = self.train * 1.4  # a forward pass of the validation part costs a third
            rates = 1 if fixed else len(self.study.finetune.learning_rates)
            return (
                self._once(key, lambda: self._finetune(network)) * images * self.study.finetune.epochs * rates
            )
        if setting.head == "dense":
            epochs = max(1.0, _SHARE * self.study.tuning.epochs)
            seconds = self._once(("dense", size), lambda: self._dense(size)) * epochs
            return seconds * (1 if fixed else self.study.tuning.configurations)
        return self._once((setting.head, size), lambda: self._cheap(setting, size))

    def size(self, network: str) -> int:
        """Of the features of a network, or of several side by side."""
        return sum(self.sizes[name] for name in network.split(POOL))

    def worker_gib(self) -> float:
        """One worker at its worst."""
        sizes = [
            (self.size(name), setting.augmentation)
            for name in self.study.networks
            for setting in settings(self.study)
            if setting.head == "dense" and has(self.study, name, setting)
        ]
        if not sizes:
            return _BASE_GIB
        size, most = max(size for size, _ in sizes), max(Space().units)
        layers = DenseSettings(1e-4, (most,) * max(Space().layers), (0.0,) * max(Space().layers))
        weights = parameters(layers, size, len(self.study.images.classes))
        widest = max((size for size, augmented in sizes if augmented), default=0)
        bank = self.train * self.study.tuning.views * widest * 2
        return _BASE_GIB + (weights * 4 * _COPIES + bank) / _GIB

    def _once(self, key: tuple[str, int], measure: Callable[[], float]) -> float:
        if key not in self._known:
            self._known[key] = measure()
        return self._known[key]

    def _dense(self, size: int) -> float:
        """Seconds of one epoch of an average configuration."""
        random = np.random.default_rng(0)
        features, truth = self._examples(size)
        layers = DenseSettings(1e-4, (1024, 1024), (0.2, 0.2))
        training = DenseTraining(layers, features, len(self.study.images.classes), 0)
        seconds = _timed(lambda: training.epoch(features, truth))
        space, drawn = Space(), []
        for _ in range(2000):
            units = tuple(random.choice(space.units, random.choice(space.layers)).tolist())
            drawn.append(parameters(DenseSettings(1e-4, units, (0.0,) * len(units)), size, 2))
        return seconds * float(np.mean(drawn)) / parameters(layers, size, 2)

    def _cheap(self, setting: Setting, size: int) -> float:
        features, truth = self._examples(size)
        part = Part(features, truth)
        classes = len(self.study.images.classes)
        return _timed(
            lambda: run_head(
                setting.head, part, part, features, classes, self.study.tuning, seed=0, name="plan"
            ),
            times=1,
        )

    def _finetune(self, network: str) -> float:
        """Seconds of one image in one epoch."""
        side, batch = self.study.images.side, 8
        images = np.zeros((batch, side, side, 3), np.uint8)
        truth = np.arange(batch) % 2
        backbone = load_backbone([network], self.source.weights, cache=self.source.downloads)
        settings_ = FinetuneSettings(1e-4, 1, batch)
        return _timed(
            lambda: fine_tune(backbone, images, truth, images[:1], truth[:1], 2, settings_, seed=0)
        ) / (batch + 1)

    def _examples(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(0)
        truth = np.arange(self.train) % len(self.study.images.classes)
        features = (
            random.normal(size=(self.train, size))
            + 0.1 * random.normal(size=(len(self.study.images.classes), size))[truth]
        )
        return features.astype(np.float32), truth


def _units(study: Study, measured: _Measured, folds: int, groups: int, *, learning_curve: bool) -> list[Step]:
    steps = []
    for name in study.networks:
        for setting in settings(study):
            if not has(study, name, setting):
                continue
            label = f"{name} {setting.name}"
            seconds = measured.unit(name, setting, fixed=False)
            steps.append(Step(label, folds, folds * seconds))
            learning = study.learning
            if learning_curve and _asked(learning.networks, name) and _asked(learning.settings, setting.name):
                shares = [share for share in set(learning.shares) if share < 1]
                steps.append(
                    Step(f"{label}, learning curve", folds * len(shares), folds * seconds * sum(shares))
                )
            left_out = study.leave_one_out
            if _asked(left_out.networks, name) and _asked(left_out.settings, setting.name):
                for way in left_out.ways:
                    fixed = measured.unit(name, setting, fixed=way == "best-fold")
                    steps.append(Step(f"{label}, leave-one-out {way}", groups, groups * fixed))
    return steps


def _asked(names: tuple[str, ...], name: str) -> bool:
    return not names or name in names


def _timed(do: Callable[[], object], times: int = 2) -> float:
    """The least of some runs, after one that is not counted."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = []
    try:
        if times > 1:
            do()
        for _ in range(times):
            start = time.perf_counter()
            do()
            found.append(time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)
    return min(found)
