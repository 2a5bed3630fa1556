"""The state of a run on disk: whole or not at all, and read without running anything that is in it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from poxlens.errors import TrainingError
from poxlens.files import write_atomically

_NEEDED = ("identity", "history", "losses", "encoder", "head", "optimiser", "step", "chunk")


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write it; the one before is there until the new one is."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def read_state(path: Path, device: torch.device, identity: str) -> dict[str, Any]:
    """Read it.

    Args:
        path: of the file.
        device: where its tensors go.
        identity: of the run that asks.

    Raises:
        TrainingError: the file is damaged, or of another run.
    """
    try:
        found: dict[str, Any] = torch.load(
            io.BytesIO(path.read_bytes()), weights_only=True, map_location=device
        )
        for name in _NEEDED:
            found[name]
    except Exception as fault:  # torch, zipfile and pickle each raise kinds of their own on a damaged file
        raise TrainingError(
            f"{path} is no checkpoint of SimCLR ({type(fault).__name__}): delete it to begin anew"
        ) from fault
    if found["identity"] != identity:
        raise TrainingError(
            f"{path} is of another run (other images, settings or number of processes): name another folder"
        )
    return found
