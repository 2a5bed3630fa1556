"""Training MIM on photos of one class, in epochs that can be stopped and gone on with, to the same weights.

What is random in an epoch follows from the seed and the epoch's number alone, so a checkpoint holds weights and the
optimisers' state and no state of a random generator.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from poxlens.errors import TrainingError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.train.allocation import freed_memory_kept
from poxlens.train.inpainting.losses import FORMS, Form, discriminator_loss, generator_loss
from poxlens.train.inpainting.masking import MASK, SIDE, anywhere, hide
from poxlens.train.inpainting.networks import WIDTHS, Discriminator, Generator

Pixels = NDArray[np.uint8]
Advance = Callable[[int], None]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Settings:
    """How MIM is trained (Yue 2024, section 3.1)."""

    form: Form = "sane"
    epochs: int = 300
    batch: int = 128
    learning_rate: float = 1e-3  # of Adam, betas 0.9 and 0.999
    last_rate: float = 1e-5  # the paper names no decay: a half cosine from the first to the last
    widths: tuple[int, ...] = WIDTHS
    side: int = SIDE
    mask: int = MASK
    precision: Precision = "fp32"  # of the arithmetic inside both networks; losses and weights are of 32 bits
    seed: int = 0
    every: int = 5  # epochs between checkpoints

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        share = epoch / max(1, self.epochs - 1)
        return self.last_rate + (self.learning_rate - self.last_rate) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class Epoch:
    """What an epoch came to: mean losses of its images."""

    generator: float
    discriminator: float
    pixel: float  # mean absolute error of the region, 0-1


class Training:
    """One run over one set of images.

    Args:
        images: [N, S, S, 3] uint8, what is learnt.
        settings: how.
        checkpoint: file of the run's state; read when it is there.

    Raises:
        TrainingError: fewer than two images, or a checkpoint of another run.
    """

    def __init__(self, images: Pixels, settings: Settings, checkpoint: Path) -> None:
        if len(images) < 2:
            raise TrainingError(
                f"MIM has {len(images)} image to learn from: batch normalisation needs at least two; use fewer folds"
            )
        self.settings, self.images, self.checkpoint = settings, images, checkpoint
        told = {**asdict(settings), "images": sha256_bytes(images.tobytes())}
        told.pop("every")  # how often a state is kept changes nothing
        self.identity = sha256_bytes(repr(sorted(told.items())).encode())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.generator = Generator(settings.widths)
            self.discriminator = Discriminator(settings.widths[:3])
        self.optimisers = [
            torch.optim.Adam(part.parameters(), settings.learning_rate, betas=(0.9, 0.999))
            for part in (self.generator, self.discriminator)
        ]
        self.history: list[Epoch] = []
        if checkpoint.exists():
            self._resume()

    @property
    def done(self) -> bool:
        """Whether all epochs are."""
        return len(self.history) >= self.settings.epochs

    def run(self, *, until: float = math.inf, advance: Advance | None = None) -> bool:
        """Train to the end, or to a time; whether the end was reached. The state is kept either way.

        Args:
            until: `time.monotonic()` after which no epoch is begun.
            advance: called with 1 after each epoch.

        Raises:
            TrainingError: a loss is no number any more; the last checkpoint is left as it is.
        """
        with freed_memory_kept():
            while not self.done and time.monotonic() < until:
                self.history.append(self._epoch(len(self.history)))
                if len(self.history) % self.settings.every == 0 or self.done:
                    self._keep()
                if advance:
                    advance(1)
        if len(self.history) % self.settings.every:
            self._keep()
        return self.done

    def _epoch(self, epoch: int) -> Epoch:
        random = np.random.default_rng([self.settings.seed, epoch])
        order = random.permutation(len(self.images))
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = self.settings.rate(epoch)
        sums = np.zeros(3)
        for rows in _batches(order, self.settings.batch):
            images = torch.from_numpy(self.images[rows]).permute(0, 3, 1, 2).float() / 255
            places = anywhere(random, len(rows), self.settings.side, self.settings.mask)
            losses = np.array(self._step(images.contiguous(memory_format=torch.channels_last), places))
            if not np.isfinite(losses).all():
                raise TrainingError(self._diverged(epoch))
            sums += losses * len(rows)
        return Epoch(*(sums / len(order)).tolist())

    def _step(self, images: torch.Tensor, places: NDArray[np.int64]) -> tuple[float, float, float]:
        """Losses of generator, discriminator and pixels, after a step of each network."""
        weights = FORMS[self.settings.form]
        masked, hidden = hide(images, places, self.settings.mask)
        region = self._through(self.generator, masked)
        # Eq. 9 as printed shows the discriminator the masked image, and not what it hides.
        real = self._through(self.discriminator, masked if self.settings.form == "printed" else hidden)
        blame = discriminator_loss(real, self._through(self.discriminator, region.detach()), weights)
        self._follow(1, blame)
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(False)  # the generator's step needs none of its gradients
        loss = generator_loss(region, hidden, self._through(self.discriminator, region), weights)
        self._follow(0, loss)
        for parameter in self.discriminator.parameters():
            parameter.requires_grad_(True)
        error = (region.detach() - hidden).abs().mean()
        return float(loss.detach()), float(blame.detach()), float(error)

    def _through(self, network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            found: torch.Tensor = network(images)
        return found.float()

    def _follow(self, number: int, loss: torch.Tensor) -> None:
        self.optimisers[number].zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimisers[number].step()

    def _diverged(self, epoch: int) -> str:
        kept = "no checkpoint was kept yet"
        if self.checkpoint.exists():
            last = epoch - epoch % self.settings.every
            kept = f"the state after epoch {last} is kept in {self.checkpoint}"
        return (
            f"a loss of MIM is no number any more in epoch {epoch + 1} of {self.settings.epochs}; {kept}. "
            f"Lower the learning rate of {self.settings.learning_rate:g}, or look for images that are damaged"
        )

    def _keep(self) -> None:
        buffer = io.BytesIO()
        state = {
            "identity": self.identity,
            "history": [asdict(epoch) for epoch in self.history],
            "networks": [self.generator.state_dict(), self.discriminator.state_dict()],
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
        }
        torch.save(state, buffer)
        write_atomically(self.checkpoint, buffer.getvalue())

    def _resume(self) -> None:
        state = _read(self.checkpoint)
        if state["identity"] != self.identity:
            raise TrainingError(
                f"{self.checkpoint} is of another run of MIM (other images or settings): name another folder"
            )
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        for network, values in zip((self.generator, self.discriminator), state["networks"], strict=True):
            network.load_state_dict(values)
        for optimiser, values in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(values)


def _batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Parts of at most `size`; a single image at the end joins the part before, as one image has no variance."""
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [np.concatenate(parts[-2:])]
    return parts


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = torch.load(io.BytesIO(path.read_bytes()), weights_only=True)
        found["identity"], found["history"], found["networks"], found["optimisers"]
    except Exception as fault:  # torch, zipfile and pickle each raise kinds of their own on a damaged file
        raise TrainingError(
            f"{path} is no checkpoint of MIM ({type(fault).__name__}): delete it to begin anew"
        ) from fault
    return found
