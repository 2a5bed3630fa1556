"""What features computed once save, and what the bank of augmented views costs in accuracy.

    python -m benchmarks.compare --only speed
    python -m benchmarks.compare --only bank --data ../shared/data --weights ../shared/weights --cache runs/features

`speed`: Hyperband over the dense head of one network on one fold. The common way passes every image through the
frozen network in every step (torch, eval, channels_last, no gradient for it, same epochs, batch and early stopping);
its time is measured an image, in training and in validation, and multiplied with the epochs that our own run of the
same configurations took; the dense layers cost the same. Ours is measured an image and view (in ONNX Runtime), and all
configurations, or `--configurations` of them from which the rest is extrapolated. Weights are random, which costs the
same time. Both on one thread, in seconds of the processor. Then how the ratio grows with configurations, views, images,
and folds, which share their features.

`bank`: one fold of MSLD (patients kept whole), the same configurations and strengths trained on views drawn from the
bank and on images augmented anew in every step; accuracy and AUROC of the test part, paired over seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks.machine import machine
from poxlens.evaluate.ranking import auroc
from poxlens.photo.resize import InputRule
from poxlens.recipes.compare.cases import read_cases, read_table
from poxlens.recipes.compare.extra import no_extra
from poxlens.recipes.compare.features import Source, Wanted, compute, extractor_of
from poxlens.recipes.compare.folds import folds, split
from poxlens.recipes.compare.study import Images, Protocol, Study
from poxlens.recipes.compare.study import Tuning as StudyTuning
from poxlens.recipes.compare.units import Setting
from poxlens.train.allocation import keep_freed_memory
from poxlens.train.augmentation import Strengths, augment, draw
from poxlens.train.backbones import Backbone
from poxlens.train.dense import DenseSettings
from poxlens.train.features import Extractor
from poxlens.train.networks.registry import find_network
from poxlens.train.stored import store_backbone
from poxlens.train.tuning import Budget, Part, Space, train_one, tune

Floats = NDArray[np.float32]

SIDE = InputRule().size
TARGETS = {"efficientnet-lite0": 30.0, "resnet-50": 100.0}
"""Network -> how many times faster a fold must be, without and with augmentation together."""


@dataclass(frozen=True)
class Size:
    """One network and fold: what a study does on it."""

    train: int = 270  # MCSI: 400 images, 90 % of them, 75 % of these
    validation: int = 90
    test: int = 40
    configurations: int = 30
    views: int = 32
    folds: int = 1  # of one study; an image is learnt from in nearly all of them

    @property
    def images(self) -> int:
        """All of them."""
        return self.train + self.validation + self.test


@dataclass(frozen=True)
class Cost:
    """Seconds of one network on this machine, one thread."""

    name: str
    feature: float  # one image through ONNX Runtime, decoded
    view: float  # the same with an augmentation before it
    frozen: float  # one training image through torch, augmented, in batches, without gradient
    tested: float  # one validation image through torch
    dense: float  # all configurations of the dense head on features
    epochs: int  # that all configurations had together
    size: Size  # of the fold that the last two are of

    def ours(self, size: Size, *, augmented: bool) -> float:
        """Seconds of all folds; every image once, every training image of a single fold in every view."""
        learnt = size.train if size.folds == 1 else size.images
        bank = learnt * size.views * self.view if augmented else 0.0
        return size.images * self.feature + bank + size.folds * self._dense(size)

    def common(self, size: Size, *, augmented: bool) -> float:
        """The same configurations with the network in every step."""
        epochs = self.epochs * size.configurations / self.size.configurations
        learnt = self.frozen if augmented else self.tested
        passes = epochs * (size.train * learnt + size.validation * self.tested)
        return size.folds * (passes + self._dense(size) + size.test * self.tested)

    def _dense(self, size: Size) -> float:
        grown = size.configurations / self.size.configurations
        return self.dense * grown * size.train / self.size.train


def measure(name: str, size: Size, batches: int) -> Cost:
    """The costs of one network; `batches` of 32 images are timed."""
    spec = find_network(name)
    torch.manual_seed(0)
    backbone = Backbone([spec], [spec.build(None)])
    extractor = Extractor(store_backbone(backbone, side=SIDE, most_bytes=10**12))
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (32, SIDE, SIDE, 3)).astype(np.uint8)
    strengths = Strengths(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, "both")
    feature = _least(lambda: [extractor.pooled(image[None]) for image in images[:8]], batches) / 8
    drawn = [draw(strengths, random) for _ in range(8)]
    view = (
        _least(
            lambda: [extractor.pooled(augment(*one)[None]) for one in zip(images, drawn, strict=False)],
            batches,
        )
        / 8
    )
    network = backbone.to(memory_format=torch.channels_last)

    def forward(augmented: bool) -> None:
        batch = (
            np.stack([augment(image, draw(strengths, random)) for image in images]) if augmented else images
        )
        with torch.inference_mode():
            network(torch.from_numpy(batch)).mean((1, 2))

    extractor.pooled(images[:1])
    with torch.inference_mode():
        network(torch.from_numpy(images[:2]))  # warm; a batch of VGG16 takes ten seconds
    frozen = _least(lambda: forward(True), batches) / 32
    tested = _least(lambda: forward(False), batches) / 32
    dense, epochs = _dense(extractor.pooled(images[:1]).shape[1], size)
    return Cost(name, feature, view, frozen, tested, dense, epochs, size)


def _dense(width: int, size: Size) -> tuple[float, int]:
    """Seconds and epochs of Hyperband on clouds as hard to tell apart as the classes of MCSI."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(4, width)) * 0.13
    rows = size.train + size.validation
    truth = np.arange(rows) % 4
    features = (centres[truth] + random.normal(size=(rows, width))).astype(np.float32)
    train = Part(features[: size.train], truth[: size.train])
    validation = Part(features[size.train :], truth[size.train :])
    start = time.process_time()
    budget = Budget(size.configurations)
    found = tune(train, validation, 4, space=Space(), budget=budget, seed=0, name="speed")
    return time.process_time() - start, sum(trial.epochs for trial in found.trials)


def speed(networks: Sequence[str], size: Size, tried: int, batches: int) -> tuple[list[str], bool]:
    """Markdown of the ratios, and whether every target is met."""
    lines = [
        f"One fold, {size.train} + {size.validation} + {size.test} images, {size.configurations} configurations,"
        f" {size.views} views, one thread. The common way is extrapolated from {batches} batches of 32 images.\n",
        "| network | ms an image: ours, common | dense, s | epochs | without augmentation | with | both | target |",
        "|---|---|---|---|---|---|---|---|",
    ]
    met, costs = True, []
    for name in networks:
        print(f"{name} ...", file=sys.stderr, flush=True)
        cost = measure(name, replace(size, configurations=tried), batches)
        costs.append(cost)
        ours, common = (
            [way(size, augmented=one) for one in (False, True)] for way in (cost.ours, cost.common)
        )
        both = sum(common) / (
            sum(ours) - size.images * cost.feature
        )  # a study runs both settings, with the same features
        target = TARGETS.get(name)
        met = met and (target is None or both >= target)
        lines.append(
            f"| {name} | {cost.feature * 1e3:.1f}, {cost.frozen * 1e3:.1f} | {cost.dense:.0f} | {cost.epochs} |"
            f" {common[0]:.0f} s / {ours[0]:.0f} s = {common[0] / ours[0]:.1f} |"
            f" {common[1]:.0f} s / {ours[1]:.0f} s = {common[1] / ours[1]:.1f} |"
            f" {both:.1f} | {'' if target is None else f'≥ {target:g}'} |"
        )
        print(lines[-1], file=sys.stderr, flush=True)
    lines += [
        "",
        "How the ratio grows (with augmentation):\n",
        "| network | change | ratio |",
        "|---|---|---|",
    ]
    for cost in costs:
        for change in (
            {"configurations": 10}, {"configurations": 30}, {"configurations": 100}, {"configurations": 300},
            {"views": 8}, {"views": 128}, {"train": 1080, "validation": 360, "test": 160}, {"folds": 10},
        ):  # fmt: skip
            other = Size(**{**{"views": size.views}, **change})
            ratio = cost.common(other, augmented=True) / cost.ours(other, augmented=True)
            told = ", ".join(f"{key} {value}" for key, value in change.items())
            lines.append(f"| {cost.name} | {told} | {ratio:.1f} |")
    return lines, met


def bank(told: argparse.Namespace) -> list[str]:
    """Markdown of accuracy and AUROC with the bank and with augmentation in every step."""
    study = Study(
        name="bank",
        networks=("efficientnet-lite0",),
        images=Images(
            manifest=(told.data / "manifest.csv").resolve(),
            datasets=("msld",),
            classes={"mpox": ("mpox",), "others": ("others",)},
            target="mpox",
        ),
        protocol=Protocol(folds=5),
        tuning=StudyTuning(views=told.views),
    )
    source = Source(told.cache / "tables", told.cache, tuple(told.weights))
    cases = read_cases(study, read_table(study, Path()), Path())
    network = compute(
        study.networks[0], cases, source, Wanted.of(study, study.networks[0]), seed=0, advance=lambda _: None
    )
    extractor = extractor_of(study.networks[0], SIDE, source)
    fold = next(folds(cases, split(study, cases, Path()), no_extra(), grouped=True))
    setting = Setting("dense", augmentation=True)
    train = network.part(fold.train, cases.truth, setting)
    validation, test = (
        network.part(rows, cases.truth, Setting("dense")) for rows in (fold.validation, fold.test)
    )
    budget = Budget(epochs=told.epochs)
    differences: dict[str, list[float]] = {"accuracy": [], "AUROC": []}
    for seed in range(told.seeds):
        random = np.random.default_rng(seed)
        strengths = Strengths(*random.uniform(0, 0.25, 6).tolist(), flip="both")
        layers = DenseSettings(3e-4, (512,), (0.2,))
        scores = []
        for views in (train.bank, _EveryStep(extractor, cases.images[fold.train])):
            part = Part(train.features, train.truth, views)  # type: ignore[arg-type]
            found = train_one(part, validation, 2, layers, strengths, budget=budget, seed=seed)
            p = found.training.probabilities(test.features)
            scores.append((float((p.argmax(1) == test.truth).mean()), _auroc(p[:, 0], test.truth == 0)))
            print(f"  seed {seed}: accuracy {scores[-1][0]:.3f}, AUROC {scores[-1][1]:.3f}", file=sys.stderr)
        for at, name in enumerate(differences):
            differences[name].append(scores[0][at] - scores[1][at])
    lines = [
        f"{told.seeds} seeds, each with strengths of its own; {len(fold.train)} images to learn from,"
        f" {len(fold.test)} tested, {told.epochs} epochs at most, {told.views} views.\n",
        "| | bank minus every step, mean | 95 % interval over seeds |",
        "|---|---|---|",
    ]
    for name, values in differences.items():
        mean = statistics.fmean(values)
        half = float(stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5)
        lines.append(f"| {name} | {mean:+.3f} | {mean - half:+.3f} to {mean + half:+.3f} |")
    return lines


class _EveryStep:
    """As a bank, but every image is augmented and passed through the network each time."""

    def __init__(self, extractor: Extractor, images: NDArray[np.uint8]) -> None:
        self.extractor, self.images = extractor, images

    def draw(self, strengths: Strengths, random: np.random.Generator) -> Floats:
        """[N, D]."""
        rows = [self.extractor.pooled(augment(image, draw(strengths, random))[None]) for image in self.images]
        return np.concatenate(rows)


def _auroc(score: Floats, positive: NDArray[np.bool_]) -> float:
    return float(auroc(score, positive).value)


def _least(do: Callable[[], object], times: int) -> float:
    """Seconds of the processor, of one thread: what else the machine does hardly moves them."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        do()
        seconds.append(time.process_time() - start)
    return min(seconds)


def main(argv: list[str] | None = None) -> int:
    """Run what is asked for: 0, or 1 when a target of `speed` is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--only", choices=("speed", "bank"), action="append")
    parser.add_argument("--quick", action="store_true", help="small and soon done: judges nothing")
    parser.add_argument("--networks", nargs="+", default=[*TARGETS, "vgg16"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, nargs="*", default=[Path("../shared/weights")])
    parser.add_argument("--cache", type=Path, default=Path("runs/features"))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--views", type=int, default=32)
    parser.add_argument("--configurations", type=int, default=30, help="measured; figures are of 30")
    told = parser.parse_args(argv)
    if told.quick:
        told.seeds, told.epochs, told.views, told.networks = 2, 1, 4, told.networks[:1]
        told.configurations = 2
    print(json.dumps(machine()))
    torch.set_num_threads(1)
    keep_freed_memory()  # as workers of a study do; it speeds both ways
    met = True
    with threadpool_limits(1):
        if not told.only or "speed" in told.only:
            lines, met = speed(
                told.networks, Size(views=told.views), told.configurations, 1 if told.quick else 2
            )
            print("\n".join(["\n## Speed\n", *lines]))
        if not told.only or "bank" in told.only:
            print("\n".join(["\n## The bank of views\n", *bank(told)]))
    return 0 if met or told.quick else 1


if __name__ == "__main__":
    sys.exit(main())
