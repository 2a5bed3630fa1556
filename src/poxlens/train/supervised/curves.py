"""What an epoch came to, as a table, and as event files for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

from poxlens.errors import MissingExtraError
from poxlens.files import write_atomically


@dataclass(frozen=True)
class Epoch:
    """One epoch."""

    loss: float  # mean over the images learnt from, as augmented and mixed
    accuracy: float  # of the same
    validation_loss: float  # cross-entropy without weights or smoothing, of the weights that are kept
    validation_accuracy: float
    rate: float  # learning rate of its last step
    seconds: float


def curves_text(history: Sequence[Epoch]) -> str:
    """CSV, a row an epoch."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["epoch", *(field.name for field in fields(Epoch))])
    for number, epoch in enumerate(history, start=1):
        writer.writerow([number, *(f"{value:.6g}" for value in astuple(epoch))])
    return stream.getvalue()


def read_curves(path: Path) -> list[Epoch]:
    """The epochs of a table that `curves_text` wrote."""
    with path.open(newline="", encoding="utf-8") as stream:
        return [
            Epoch(**{field.name: float(row[field.name]) for field in fields(Epoch)})
            for row in csv.DictReader(stream)
        ]


def write_curves(path: Path, history: Sequence[Epoch]) -> None:
    """Write the table, whole or not at all."""
    write_atomically(path, curves_text(history))


class EventLog:
    """Event files that TensorBoard shows, one scalar a figure and epoch.

    Args:
        folder: where they are written; a folder a training.
        begun: epochs that are logged already; later ones of an earlier, killed run are hidden.

    Raises:
        MissingExtraError: the package tensorboardX is not installed.
    """

    def __init__(self, folder: Path, begun: int = 0) -> None:
        try:
            from tensorboardX import SummaryWriter  # type: ignore[import-untyped]
        except ModuleNotFoundError as fault:
            raise MissingExtraError("log", "event files for TensorBoard") from fault
        self._writer: Any = SummaryWriter(str(folder), purge_step=begun + 1 if begun else None)

    def add(self, number: int, epoch: Epoch) -> None:
        """Log an epoch, counted from 1."""
        for name, value in asdict(epoch).items():
            group = "validation" if name.startswith("validation_") else "training"
            self._writer.add_scalar(f"{group}/{name.removeprefix('validation_')}", value, number)

    def close(self) -> None:
        """Write what is still in memory."""
        self._writer.close()
