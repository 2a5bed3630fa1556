"""Training with SimCLR in steps that can be broken off anywhere and gone on with, to the same losses.

What is random in a step follows from the seed and the step's number alone, so a checkpoint holds weights, the
optimiser's state and where it stands, and no state of a random generator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.files import sha256_bytes
from poxlens.train.allocation import keep_freed_memory, lacks_memory
from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.batches import Batches
from poxlens.train.contrastive.optimising import optimiser_of
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.projecting import nt_xent, projection_head
from poxlens.train.contrastive.settings import Settings
from poxlens.train.contrastive.state import read_state, write_state
from poxlens.train.contrastive.stepping import Learner, Told

Pixels = NDArray[np.uint8]
Advance = Callable[[int], None]
Watch = Callable[[Backbone], dict[str, float]]
"""Encoder in evaluation mode -> figures of the monitor."""

LEAST_CHUNK = 4  # images; with fewer, batch normalisation has nothing to go by
BATCH_MOMENTUM = (
    0.1  # of running means; torchvision's mobile networks have 0.01, too slow for some hundred steps
)


@dataclass(frozen=True)
class Epoch:
    """One row of curve.csv; epoch 0 is the start, where only the monitor has looked."""

    epoch: int
    loss: float = math.nan  # mean over its steps, eq. 3
    matched: float = math.nan  # share of views whose nearest other view is of the same image
    spread: float = math.nan  # of projections: 1 even, 0 collapsed
    rate: float = math.nan  # learning rate of its last step
    watched: dict[str, float] = field(default_factory=dict)  # of the monitor, where it looked


@dataclass(frozen=True)
class Schedule:
    """What is done beside learning; changes no weight."""

    keep_every: float = 60.0  # seconds between checkpoints
    watch_every: int = 5  # epochs between looks of the monitor


class Training:
    """One run over one pool of images.

    Args:
        images: [N, C, C, 3] uint8; may be a memory map.
        settings: how.
        encoder: the network at its start; it is changed.
        checkpoint: file of the run's state; read when it is there.
        identity: what else the run depends on (the pool, the start).
        processes: those that share the work.
        schedule: how often it is kept and watched.

    Raises:
        TrainingError: too few images, or a checkpoint of another run.
    """

    def __init__(
        self,
        images: Pixels,
        settings: Settings,
        encoder: Backbone,
        checkpoint: Path,
        *,
        identity: str = "",
        processes: Processes | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.processes = processes or Processes()
        self.schedule = schedule or Schedule()
        self.settings, self.images, self.checkpoint = settings, images, checkpoint
        self.batches = Batches(images, settings, self.processes)
        self.batch, self.steps = self.batches.size, self.batches.steps
        self.chunk = min(settings.chunk, self.batches.share)
        told = repr(sorted(asdict(settings).items())) + identity + f"{len(images)} {self.processes.count}"
        self.identity = sha256_bytes(told.encode())
        self.learner = _learner(settings, encoder, self.processes)
        self.history: list[Epoch] = []
        self.losses: list[float] = []  # of every step
        self.notes: list[str] = []  # what happened on the way
        self.seconds = self.processor = 0.0  # spent in steps, by the clock and by all cores
        self._step, self._sums = 0, np.zeros(3)
        self._kept = time.monotonic()
        self._say: Callable[[str], None] | None = None
        if checkpoint.exists():
            self._resume()

    @property
    def encoder(self) -> Backbone:
        """The network that learns."""
        return self.learner.encoder

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return sum(one.epoch > 0 for one in self.history)

    @property
    def done(self) -> bool:
        """Whether all epochs are."""
        return self.epoch >= self.settings.epochs

    def run(
        self,
        *,
        until: float = math.inf,
        advance: Advance | None = None,
        watch: Watch | None = None,
        report: Callable[[], None] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> bool:
        """Train to the end, or to a time; whether the end was reached. The state is kept either way.

        Args:
            until: `time.monotonic()` after which no step is begun.
            advance: called with 1 after each step.
            watch: the monitor; called before the first epoch, then every so many, and after the last.
            report: called after each epoch.
            say: told in words what happens on the way, such as that memory does not suffice.

        Raises:
            TrainingError: a loss is no number any more, or the smallest part does not fit into memory; the last
                checkpoint is left as it is.
        """
        keep_freed_memory()
        self._say = say
        if watch and not self.history and self._step == 0:
            self.history.append(Epoch(0, watched=self._watched(watch)))
        while not self.done:
            while self._step < self.steps:
                if until < math.inf and self.processes.as_the_first(time.monotonic() >= until):
                    self.keep()
                    return False
                self.learn()
                if advance:
                    advance(1)
                if time.monotonic() - self._kept >= self.schedule.keep_every:
                    self.keep()
            self._close_epoch(watch)
            if report:
                report()
        self.keep()
        return True

    def learn(self) -> None:
        """One step on the next batch."""
        number = self.epoch * self.steps + self._step
        epoch, step = divmod(number, self.steps)
        for group in self.learner.optimiser.param_groups:
            group["lr"] = self.settings.rate(number, self.steps)
        self.encoder.train()
        self.learner.head.train()
        begun, busy = time.perf_counter(), time.process_time()
        try:
            told = self._attempt(number)
        except TrainingError as fault:
            raise TrainingError(self._diverged(epoch, step, str(fault))) from fault
        self.seconds += time.perf_counter() - begun
        self.processor += time.process_time() - busy
        self._sums += (told.loss, told.matched, told.spread)
        self.losses.append(told.loss)
        self._step += 1

    def _attempt(self, number: int) -> Told:
        """The step; where its parts do not fit into memory, again with parts of half the size."""
        make, seed = self.batches.maker(number), self.batches.seed(number)
        while True:
            buffers = [*self.encoder.buffers(), *self.learner.head.buffers()]
            before = [buffer.clone() for buffer in buffers]
            try:
                return self.learner.step(make, self.batches.share, self.chunk, seed)
            except (MemoryError, RuntimeError) as fault:
                if not lacks_memory(fault):
                    raise
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)
            self._halve()

    def _halve(self) -> None:
        if self.chunk // 2 < LEAST_CHUNK or self.processes.count > 1:
            raise TrainingError(
                f"{self.chunk} images at once do not fit into memory: lower --chunk, --side, or take a smaller network"
            )
        self.learner.optimiser.zero_grad(set_to_none=True)
        if self.processes.device.type == "cuda":
            torch.cuda.empty_cache()
        self.notes.append(
            f"epoch {self.epoch + 1}, step {self._step + 1}: {self.chunk} images at once did not fit into memory; "
            f"gone on with {self.chunk // 2}"
        )
        if self._say:
            self._say(self.notes[-1])
        self.chunk //= 2

    def _close_epoch(self, watch: Watch | None) -> None:
        number = self.epoch + 1
        looked = watch and (number % self.schedule.watch_every == 0 or number == self.settings.epochs)
        loss, alike, even = (self._sums / self.steps).tolist()
        rate = self.settings.rate(number * self.steps - 1, self.steps)
        watched = self._watched(watch) if looked and watch else {}
        self.history.append(Epoch(number, loss, alike, even, rate, watched))
        self._step, self._sums = 0, np.zeros(3)

    def _watched(self, watch: Watch) -> dict[str, float]:
        self.encoder.eval()
        with torch.no_grad():
            return watch(self.encoder)

    def _diverged(self, epoch: int, step: int, fault: str) -> str:
        kept = (
            f"the last state is kept in {self.checkpoint}"
            if self.checkpoint.exists()
            else "no state was kept yet"
        )
        hint = (
            ""
            if "memory" in fault
            else f". Lower --rate (it is {self.settings.learning_rate:g}), or look for damage"
        )
        return f"epoch {epoch + 1} of {self.settings.epochs}, step {step + 1} of {self.steps}: {fault}; {kept}{hint}"

    def keep(self) -> None:
        """Write the state, whole or not at all."""
        self._kept = time.monotonic()
        if not self.processes.first:
            return
        state = {
            "identity": self.identity,
            "history": [asdict(epoch) for epoch in self.history],
            "losses": self.losses,
            "notes": self.notes,
            "seconds": self.seconds,
            "processor": self.processor,
            "step": self._step,
            "sums": self._sums.tolist(),
            "chunk": self.chunk,
            **{name: part.state_dict() for name, part in self._parts().items()},
        }
        write_state(self.checkpoint, state)

    def _parts(self) -> dict[str, Any]:
        learner = self.learner
        return {
            "encoder": learner.encoder.parts,
            "head": learner.head,
            "optimiser": learner.optimiser,
            "scaler": learner.scaler,
        }

    def _resume(self) -> None:
        state = read_state(self.checkpoint, self.processes.device, self.identity)
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.losses, self.notes = list(state["losses"]), list(state["notes"])
        self.seconds, self.processor = float(state["seconds"]), float(state.get("processor", 0))
        self._step = int(state["step"])
        self._sums, self.chunk = np.array(state["sums"]), int(state["chunk"])
        for name, part in self._parts().items():
            part.load_state_dict(state[name])


def _learner(settings: Settings, encoder: Backbone, processes: Processes) -> Learner:
    with torch.random.fork_rng(devices=processes.cuda_devices):
        torch.manual_seed(settings.seed)
        head = projection_head(encoder.networks[0].channels, settings.projection)
    encoder.requires_grad_(True).to(processes.device)
    for module in encoder.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = BATCH_MOMENTUM
    for part in encoder.parts:
        part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = head.to(processes.device)
    optimiser = optimiser_of(settings, (encoder.parts, head))
    return Learner(encoder, head, nt_xent(settings.temperature), optimiser, settings.precision, processes)
