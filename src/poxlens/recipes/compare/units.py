"""The units of work of a study and where their results are kept: a killed run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.compare.study import Head

FORMAT = "poxlens-unit/1"


@dataclass(frozen=True)
class Setting:
    """A head, with or without augmentation."""

    head: Head
    augmentation: bool = False

    @property
    def name(self) -> str:
        """As in predictions.csv: "dense", "dense+augmentation", "svm" ..."""
        return f"{self.head}+augmentation" if self.augmentation else self.head


@dataclass(frozen=True)
class Unit:
    """One network with one setting on one fold: the smallest piece of work."""

    network: str
    setting: Setting
    repeat: int
    fold: int

    @property
    def name(self) -> str:
        """For people and for Hyperband's brackets."""
        return f"{self.network}/{self.setting.name}/{self.repeat}.{self.fold}"


@dataclass(frozen=True, eq=False)
class Result:
    """What one unit found."""

    unit: Unit
    test: NDArray[np.int64]  # [T] places in the study's images
    probabilities: NDArray[np.float32]  # [T, C]
    chosen: dict[str, Any]
    trials: Sequence[dict[str, Any]]
    seconds: float


class UnitStore:
    """A folder of finished units, one file each, named after everything that decides its result.

    Args:
        folder: where.
        basis: digest of all that the units have in common: images, groups, splits, budget, seed.
    """

    def __init__(self, folder: Path, basis: str) -> None:
        self.folder = folder
        self.basis = basis

    def path(self, unit: Unit, identity: str) -> Path:
        """The file of a unit; `identity` is that of the network's stored weights."""
        key = json.dumps([FORMAT, self.basis, identity, asdict(unit)], sort_keys=True)
        return self.folder / unit.network / unit.setting.name / f"{sha256_bytes(key.encode())[:24]}.json"

    def read(self, unit: Unit, identity: str) -> Result | None:
        """The result, None when the unit is not finished or its file is damaged."""
        try:
            found = json.loads(self.path(unit, identity).read_text("utf-8"))
            probabilities = np.array(found["probabilities"], np.float32)
            test = np.array(found["test"], np.int64)
        except (OSError, ValueError, KeyError):
            return None
        if probabilities.ndim != 2 or len(probabilities) != len(test):
            return None
        return Result(unit, test, probabilities, found["chosen"], found["trials"], found["seconds"])

    def write(self, result: Result, identity: str) -> None:
        """Keep a result, atomically."""
        told = {
            "format": FORMAT,
            "unit": result.unit.name,
            "test": result.test.tolist(),
            # float32 has nine significant digits: what is read back is what was written
            "probabilities": [[float(f"{p:.9g}") for p in row] for row in result.probabilities.tolist()],
            "chosen": result.chosen,
            "trials": list(result.trials),
            "seconds": result.seconds,
        }
        write_atomically(self.path(result.unit, identity), json.dumps(told, allow_nan=False))
