"""A table with all that was measured on its files, made from arrays alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from poxlens.audit.material import Material, gather
from poxlens.data.duplicates.model import Pair
from poxlens.data.manifest import Row
from poxlens.data.scan import TRAITS, Scan

NAMES = [trait.name for trait in TRAITS]
# A sharp, coloured close-up of skin without a frame: nothing to complain of.
SOUND = {
    "width": 640, "height": 480, "log_aspect": 0.4, "jpeg_quality": 90, "skin_share": 0.9, "a_sd": 5, "b_sd": 5,
    "log_sharpness": 2.0, "border_mean": 120, "border_flat": 0.0, "log_bytes": 15,
}  # fmt: skip


def row(file: str, label: str = "a", **columns: object) -> Row:
    return Row(file=file, path=Path("images") / file, label=label, **columns)  # type: ignore[arg-type]


def pair(first: int, second: int, kind: str = "confirmed", relation: str = "crop") -> Pair:
    return Pair(first, second, kind, 0.9, relation=relation)


def measured(count: int, traits: dict[str, object] | None = None, **columns: object) -> Scan:
    """A scan of `count` sound files, each its own; `traits` by name and columns replace what is said here."""
    table = np.zeros((count, len(TRAITS)), np.float32)
    for name, value in {**SOUND, **(traits or {})}.items():
        table[:, NAMES.index(name)] = value
    told: dict[str, object] = {
        "sha256": [f"{number:064x}" for number in range(count)],
        "fault": [""] * count,
        "width": np.full(count, 640, np.int32),
        "height": np.full(count, 480, np.int32),
        "size": np.full(count, 40_000, np.int64),
        "format": ["jpeg"] * count,
        "jpeg_quality": np.full(count, 90, np.float32),
        "personal": [()] * count,
        "pixels_sha256": [f"{number:064x}" for number in range(1000, 1000 + count)],
        "hashes": np.zeros((count, 8), np.uint64),
        "embedding": np.zeros((count, 4), np.float16),
        "traits": table,
        "ita": np.full(count, 30, np.float32),
        "thumb": np.zeros((count, 8, 8), np.uint8),
    }
    return Scan(**{**told, **columns})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make() -> Callable[..., Material]:
    """make(rows, pairs=(), traits=None, **columns of Scan) -> Material."""

    def build(rows, pairs=(), traits=None, **columns):
        return gather(rows, measured(len(rows), traits, **columns), pairs)

    return build


@pytest.fixture(scope="session")
def a_row() -> Callable[..., Row]:
    return row


@pytest.fixture(scope="session")
def a_pair() -> Callable[..., Pair]:
    return pair
