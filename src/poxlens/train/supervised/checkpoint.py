"""The state of a training in one file, written whole or not at all."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.train.supervised.curves import Epoch
from poxlens.train.supervised.settings import Settings

if TYPE_CHECKING:
    from poxlens.train.supervised.stepping import Stepper
    from poxlens.train.supervised.training import Labelled

State = dict[str, torch.Tensor]


@dataclass
class Progress:
    """How far a training is."""

    history: list[Epoch] = field(default_factory=list)
    step: int = 0  # of the epoch under way, done
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))  # its losses, hits and images
    seconds: float = 0.0  # spent on it by earlier runs
    best: State | None = None  # weights of the epoch with the lowest validation loss
    best_epoch: int = 0  # counted from 1
    waited: int = 0  # epochs since
    scale: float = 1.0  # of the learning rate; halved after a loss that is no number
    recoveries: int = 0
    notes: list[str] = field(default_factory=list)  # what did not go as asked

    def begin_epoch(self) -> None:
        """Forget the epoch under way."""
        self.step, self.sums, self.seconds = 0, np.zeros(3), 0.0

    def finish(self, epoch: Epoch, state: State) -> None:
        """Count a finished epoch, with the weights it left."""
        lowest = min((one.validation_loss for one in self.history), default=np.inf)
        self.history.append(epoch)
        self.waited += 1
        if epoch.validation_loss < lowest:
            self.best, self.best_epoch, self.waited = state, len(self.history), 0
        self.begin_epoch()


def identity_of(
    settings: Settings, seed: int, train: Labelled, validation: Labelled, network: nn.Module
) -> str:
    """What a training depends on, as a digest: recipe, seed, images, and the weights it starts from."""
    told = repr([sorted(asdict(settings).items()), seed]).encode()
    for part in (train, validation):
        told += sha256_bytes(np.ascontiguousarray(part.images).tobytes() + part.truth.tobytes()).encode()
    for name, value in network.state_dict().items():
        told += name.encode() + sha256_bytes(value.cpu().contiguous().numpy().tobytes()).encode()
    return sha256_bytes(told)


class Checkpoint:
    """One file.

    Args:
        path: where.
        identity: of the training.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path, self.identity = path, identity

    def write(self, stepper: Stepper, progress: Progress) -> None:
        """Keep the state."""
        told = {**vars(progress), "history": [asdict(one) for one in progress.history]}
        told["sums"] = progress.sums.tolist()
        buffer = io.BytesIO()
        torch.save({"identity": self.identity, "progress": told, **stepper.state()}, buffer)
        write_atomically(self.path, buffer.getvalue())

    def read(self, stepper: Stepper, progress: Progress) -> bool:
        """Go on from the state that is kept; whether there is one.

        Raises:
            TrainingError: the file is damaged, or of another training.
        """
        if not self.path.exists():
            return False
        state = self._state(stepper.ranks.device)
        if state["identity"] != self.identity:
            raise TrainingError(
                f"{self.path} is of another training (images, weights or settings): delete it to begin anew"
            )
        stepper.restore(state)
        for name, value in state["progress"].items():
            setattr(progress, name, value)
        progress.history = [Epoch(**one) for one in state["progress"]["history"]]
        progress.sums = np.array(state["progress"]["sums"])
        return True

    def _state(self, device: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = torch.load(
                io.BytesIO(self.path.read_bytes()), map_location=device, weights_only=True
            )
            found["identity"], found["progress"]["history"], found["network"]
        except (
            Exception
        ) as fault:  # torch, zipfile and pickle each raise kinds of their own on a damaged file
            raise TrainingError(
                f"{self.path} is no checkpoint ({type(fault).__name__}): delete it to begin anew"
            ) from fault
        return found
