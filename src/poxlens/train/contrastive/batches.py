"""Which images stand in which batch, and their views: all of it follows from the seed and a step's number."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from poxlens.errors import TrainingError
from poxlens.train.contrastive.augmenting import draw, views
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.settings import Settings
from poxlens.train.contrastive.stepping import MakeViews

Pixels = NDArray[np.uint8]


class Batches:
    """The batches of a run, or this process's share of them.

    Args:
        images: [N, C, C, 3] uint8; may be a memory map.
        settings: side, batch, views and seed of the run.
        processes: those that share each batch.

    Raises:
        TrainingError: too few images for a batch.
    """

    def __init__(self, images: Pixels, settings: Settings, processes: Processes) -> None:
        self.images, self.settings, self.processes = images, settings, processes
        count = processes.count
        self.size = min(settings.batch, len(images)) // count * count  # of a batch, in images
        if self.size // count < 2:
            raise TrainingError(
                f"SimCLR has {len(images)} images to learn from and {count} processes: each needs at least two of "
                "a batch"
            )
        self.share = self.size // count  # of it, for this process
        self.steps = len(images) // self.size  # of an epoch; what is left over comes in another

    def seed(self, number: int) -> int:
        """Of what is random in a step, counted from 0 over all epochs."""
        found = np.random.SeedSequence([self.settings.seed, number]).generate_state(1, np.uint64)[0]
        return int(found >> np.uint64(1))

    def maker(self, number: int) -> MakeViews:
        """Gives the views of a step: those of a part of this process's share."""
        epoch, step = divmod(number, self.steps)
        order = np.random.default_rng([self.settings.seed, epoch]).permutation(len(self.images))
        start = self.processes.rank * self.share
        own = order[step * self.size + start : step * self.size + start + self.share]
        draws = draw(2 * self.size, self.settings.views, self.seed(number))

        def make(part: slice) -> torch.Tensor:
            pixels = torch.from_numpy(np.ascontiguousarray(self.images[own[part]])).to(self.processes.device)
            first = slice(start + part.start, start + part.stop)
            second = slice(first.start + self.size, first.stop + self.size)
            made = [views(pixels, draws.part(side), self.settings.side) for side in (first, second)]
            return torch.cat(made)

        return make
