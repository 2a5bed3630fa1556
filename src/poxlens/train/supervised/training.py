"""Train a whole network in epochs that can be killed anywhere and gone on with, to the same losses.

What is random in a step follows from the seed, the epoch and the step alone, so a checkpoint holds weights, the
optimiser's state and counters, and no state of a random generator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.train.allocation import keep_freed_memory
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.supervised.checkpoint import Checkpoint, Progress, identity_of
from poxlens.train.supervised.curves import Epoch
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.settings import Settings
from poxlens.train.supervised.stepping import DivergedError, Stepper

Pixels = NDArray[np.uint8]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

_AT_ONCE = 32  # images passed through without training
_RECOVERIES = 3  # times that a loss may be no number before training is given up


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with their classes."""

    images: Pixels  # [N, S, S, 3]
    truth: Ints  # [N], class numbers


@dataclass
class Hooks:
    """Who is told of what; each may be left as it is."""

    epoch: Callable[[int, Epoch], None] = lambda _number, _epoch: None
    note: Callable[[str], None] = lambda _text: None


class Training:
    """One network on one set of images.

    Args:
        network: of `poxlens.train.supervised.classifier`; it is changed.
        train: what is learnt from, at least two images.
        validation: what the best epoch is chosen on; no image of it may be learnt from.
        settings: the recipe.
        checkpoint: file of the state; read when it is there.
        seed: of order, augmentation and dropout.
        ranks: the processes that train together.
        every: seconds between checkpoints within an epoch.

    Raises:
        TrainingError: too few images, or a checkpoint of another training.
    """

    def __init__(
        self,
        network: FinetunedNetwork,
        train: Labelled,
        validation: Labelled,
        settings: Settings,
        checkpoint: Path,
        *,
        seed: int,
        ranks: Ranks | None = None,
        every: float = 60.0,
        hooks: Hooks | None = None,
    ) -> None:
        if len(train.images) < 2 or not len(validation.images):
            raise TrainingError(
                f"{len(train.images)} images to learn from and {len(validation.images)} to choose the epoch on: "
                "at least two and one are needed"
            )
        self.ranks = ranks or Ranks()
        self.settings, self.seed, self.every, self.hooks = settings, seed, every, hooks or Hooks()
        self.train, self.validation = train, validation
        self.network = network.to(self.ranks.device)
        self.per_epoch = len(self._batches(np.arange(len(train.images))))
        self.progress = Progress()
        self.stepper = Stepper(self.network, train, settings, self.ranks, self._say)
        self.file = Checkpoint(checkpoint, identity_of(settings, seed, train, validation, self.network))
        self.resumed = self.file.read(self.stepper, self.progress)
        self._kept_at = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether nothing is left to train."""
        if len(self.progress.history) >= self.settings.epochs:
            return True
        return bool(self.settings.patience) and self.progress.waited >= self.settings.patience

    @property
    def history(self) -> list[Epoch]:
        """All epochs so far."""
        return self.progress.history

    def run(self, *, until: float = math.inf) -> bool:
        """Train to the end, or to a time; whether the end was reached. The state is kept either way.

        Args:
            until: `time.monotonic()` after which no step is begun.

        Raises:
            TrainingError: the loss is no number again and again, or no batch is small enough for the memory.
        """
        keep_freed_memory()
        while not self.done:
            before = self.stepper.snapshot()
            try:
                if not self._epoch(until):
                    self._keep()
                    return False
            except DivergedError as fault:
                self._recover(before, str(fault))
                continue
            self._keep(only_if_due=not self.done)
        self._load_best()
        return True

    def probabilities(self, images: Pixels) -> Floats:
        """[N, C] of [N, S, S, 3] uint8, by the best epoch's weights once training is done."""
        return predict(self.network, images, self.ranks.device)

    def _epoch(self, until: float) -> bool:
        """Whether the epoch was finished."""
        progress, number = self.progress, len(self.progress.history)
        order = np.random.default_rng([self.seed, number]).permutation(len(self.train.images))
        batches = self._batches(order)
        steps = self.per_epoch * self.settings.epochs
        begun = time.monotonic()
        for step in range(progress.step, len(batches)):
            if self.ranks.agreed(time.monotonic() >= until):
                progress.seconds += time.monotonic() - begun
                return False
            rate = self.settings.rate_at(number * self.per_epoch + step, steps) * progress.scale
            rows = batches[step][self.ranks.rank :: self.ranks.count]
            seed = int(np.random.SeedSequence([self.seed, number, step]).generate_state(1)[0])
            progress.sums += np.array(self.stepper.step(rows, rate, seed))
            progress.step = step + 1
            if time.monotonic() - self._kept_at >= self.every:
                progress.seconds += time.monotonic() - begun
                begun = time.monotonic()
                self._keep()
        loss, right, count = progress.sums.tolist()
        validation = self._validated()
        took = progress.seconds + time.monotonic() - begun
        epoch = Epoch(loss / count, right / count, *validation, rate, took)
        progress.finish(epoch, self.stepper.tested_state)
        self.hooks.epoch(len(progress.history), epoch)
        return True

    def _batches(self, order: Ints) -> list[Ints]:
        """Parts of a batch each; a rest too small for batch normalisation in every process joins the part before."""
        size = self.settings.batch
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        if len(parts) > 1 and len(parts[-1]) < 2 * self.ranks.count:
            parts[-2:] = [np.concatenate(parts[-2:])]
        return parts

    def _validated(self) -> tuple[float, float]:
        """Loss and accuracy on the validation part, by the weights that are kept."""
        told = predict(self.stepper.tested, self.validation.images, self.ranks.device)
        own = told[np.arange(len(told)), self.validation.truth]
        right = float((told.argmax(1) == self.validation.truth).mean())
        loss = float(-np.log(np.maximum(own, 1e-12)).mean())
        found: tuple[float, float] = self.ranks.agreed((loss, right))
        return found

    def _recover(self, before: dict[str, Any], fault: str) -> None:
        """Go back to the beginning of the epoch, with half the learning rate."""
        progress = self.progress
        if progress.recoveries >= _RECOVERIES or not math.isfinite(progress.scale):
            raise TrainingError(
                f"{fault}, for the {_RECOVERIES + 1}th time: lower the learning rate of {self.settings.rate:g}, or "
                "look for damaged images"
            )
        self.stepper.restore(before)
        progress.begin_epoch()
        progress.recoveries += 1
        progress.scale /= 2
        self._say(f"{fault}: back to the beginning of epoch {len(progress.history) + 1} with half the rate")

    def _keep(self, *, only_if_due: bool = False) -> None:
        due = time.monotonic() - self._kept_at >= self.every
        if self.ranks.first and (due or not only_if_due):
            self.file.write(self.stepper, self.progress)
        if due or not only_if_due:
            self._kept_at = time.monotonic()

    def _load_best(self) -> None:
        if self.progress.best is None:
            raise TrainingError("no epoch had a validation loss that is a number: lower the learning rate")
        self.network.load_state_dict(self.progress.best)

    def _say(self, text: str) -> None:
        self.progress.notes.append(text)
        self.hooks.note(text)


def predict(network: nn.Module, images: Pixels, device: str) -> Floats:
    """Probabilities [N, C] of [N, S, S, 3] uint8, in full precision."""
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), _AT_ONCE):
            some = torch.from_numpy(np.ascontiguousarray(images[start : start + _AT_ONCE])).to(device)
            parts.append(network(some).float().softmax(1).cpu().numpy())
    found: Floats = np.concatenate(parts)
    return found
