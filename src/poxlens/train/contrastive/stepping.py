"""One step of SimCLR on a batch of any size in the memory of a small one.

NT-Xent needs the embeddings of the whole batch at once, but its gradient reaches the network only through them. So
the network runs twice over the batch, part by part (Gao 2021, "GradCache"): first without gradients, to embed; then,
when the loss's gradient of each embedding is known, once more to pass it on. The result is the gradient of the whole
batch. Batch normalisation sees a part at a time, the one thing that a smaller part changes.

With several processes each embeds its share, all see all embeddings, and gradients are added up: the same step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from poxlens.errors import TrainingError
from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.projecting import matched, spread
from poxlens.train.contrastive.settings import Precision

MakeViews = Callable[[slice], torch.Tensor]
"""Images of a batch -> their first views, then their second ones, [2n, S, S, 3] uint8."""

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Told:
    """What a step came to."""

    loss: float
    matched: float  # share of views whose nearest other view is of the same image
    spread: float  # of the projections: 1 even, 0 collapsed


class Learner:
    """Encoder, head, loss and optimiser.

    Args:
        encoder: trainable.
        head: embedding -> z.
        loss: of two sets of z.
        optimiser: of both networks' parameters.
        precision: of the arithmetic inside both networks; the loss is always of 32-bit floats.
        processes: those that share the batch.
    """

    def __init__(
        self,
        encoder: Backbone,
        head: nn.Module,
        loss: nn.Module,
        optimiser: torch.optim.Optimizer,
        precision: Precision,
        processes: Processes,
    ) -> None:
        self.encoder, self.head, self.loss, self.optimiser = encoder, head, loss, optimiser
        self.precision, self.processes = precision, processes
        self.device = processes.device
        # Only half precision underflows; without it the scaler passes everything through.
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")

    def step(self, make: MakeViews, images: int, chunk: int, seed: int) -> Told:
        """Learn from one batch.

        Args:
            make: gives views of this process's share of the batch.
            images: how many that share has.
            chunk: images whose views are in the network at once.
            seed: of dropout and the like.

        Raises:
            TrainingError: the loss is no number; weights are as before.
        """
        parts = [slice(start, min(start + chunk, images)) for start in range(0, images, chunk)]
        self.optimiser.zero_grad(set_to_none=True)
        with torch.random.fork_rng(devices=self.processes.cuda_devices):
            if len(parts) == 1 and self.processes.count == 1:
                told = self._at_once(make(parts[0]), seed)
            else:
                told = self._in_parts(make, parts, images, seed)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return told

    def _at_once(self, views: torch.Tensor, seed: int) -> Told:
        torch.manual_seed(seed)
        with self._autocast():
            embeddings = self.encoder.both(views)[1]
        told, loss = self._judged(embeddings.float())
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        return told

    def _in_parts(self, make: MakeViews, parts: Sequence[slice], images: int, seed: int) -> Told:
        rank = self.processes.rank

        def begin(number: int) -> torch.Tensor:
            torch.manual_seed(
                (seed + 7919 * (number + len(parts) * rank)) % 2**63
            )  # dropout alike in both passes
            return made[number]

        made = [make(part) for part in parts]
        with torch.no_grad(), self._autocast():
            pieces = [self.encoder.both(begin(number))[1].float() for number in range(len(parts))]
        counted = [buffer.clone() for buffer in self.encoder.buffers()]  # running means count a part once
        own = torch.cat([piece[: len(piece) // 2] for piece in pieces] + [p[len(p) // 2 :] for p in pieces])
        everything = self.processes.gathered(own.reshape(2, images, -1)).flatten(0, 1).requires_grad_(True)
        told, loss = self._judged(everything)
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        assert everything.grad is not None
        blame = everything.grad.reshape(2, self.processes.count * images, -1)
        blame = blame[:, rank * images : (rank + 1) * images]
        for number, part in enumerate(parts):
            views = begin(number)
            with self._autocast():
                embeddings = self.encoder.both(views)[1]
            embeddings.float().backward(blame[:, part].flatten(0, 1))  # type: ignore[no-untyped-call]
        for buffer, value in zip(self.encoder.buffers(), counted, strict=True):
            buffer.copy_(value)
        self.processes.add_up(self.encoder)
        return told

    def _judged(self, embeddings: torch.Tensor) -> tuple[Told, torch.Tensor]:
        """The loss of embeddings [2N, D], first views before second ones."""
        with self._autocast():
            z = self.head(embeddings)
        first, second = z.float().chunk(2)
        loss: torch.Tensor = self.loss(first, second)
        if not torch.isfinite(loss):
            raise TrainingError("the loss is no number any more")
        with torch.no_grad():
            return Told(float(loss), matched(first, second), spread(z)), loss

    def _autocast(self) -> AbstractContextManager[object]:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, _TYPES[self.precision])
