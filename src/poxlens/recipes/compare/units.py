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
from poxlens.recipes.compare.study import POOL, Head, Study

FORMAT = "poxlens-unit/2"
LEARN_AUXILIARY: frozenset[Head] = frozenset({"logistic", "svm"})
"""Heads that can learn more classes than they answer with."""


@dataclass(frozen=True)
class Setting:
    """What learns, and from what of each image."""

    head: Head
    augmentation: bool = False
    averaged: bool = False  # features averaged over views
    auxiliary: bool = False  # auxiliary classes are learnt as well
    extra: str = ""  # filter of the images that are only learnt from; "" learns from none of them

    @property
    def name(self) -> str:
        """As in predictions.csv: "dense", "dense+augmentation", "svm+views", "svm+strict+auxiliary" ..."""
        parts = [self.head, "views" if self.averaged else "", self.extra]
        parts.append("auxiliary" if self.auxiliary else "")
        parts.append("augmentation" if self.augmentation else "")
        return "+".join(part for part in parts if part)


def settings(study: Study) -> list[Setting]:
    """The settings of a study, in its order: all that there could be, or those of them that it names."""
    found = every_setting(study)
    return [one for one in found if not study.settings or one.name in study.settings]


def every_setting(study: Study) -> list[Setting]:
    """What a study's heads, augmentation, views and filters come to.

    Augmentation is of the dense head on whole images; the bank of views holds nothing else. Fine-tuning sees
    whole images too. Auxiliary classes are for heads that are cheap.
    """
    filters = study.images.extra_filters if study.images.extra_datasets else ("without",)
    found: list[Setting] = []
    for head in study.heads:
        for views in study.views if head != "finetune" else ("whole",):
            for name in filters:
                extra = "" if name == "without" else name
                augmented = study.augmentation if head == "dense" and views == "whole" else (False,)
                more = extra and head in LEARN_AUXILIARY and study.images.auxiliary_classes
                for auxiliary in study.auxiliary if more else (False,):
                    found += [
                        Setting(head, choice, views == "averaged", auxiliary, extra) for choice in augmented
                    ]
    return found


def has(study: Study, network: str, setting: Setting) -> bool:
    """Whether a network is run with a setting: several side by side cannot be fine-tuned, nor those not asked for."""
    if setting.head == "finetune":
        return POOL not in network and (not study.finetune.networks or network in study.finetune.networks)
    return setting.head != "dense" or not study.tuning.networks or network in study.tuning.networks


@dataclass(frozen=True)
class Unit:
    """One network with one setting on one fold: the smallest piece of work."""

    network: str
    setting: Setting
    repeat: int
    fold: int
    variant: str = ""  # share of a learning curve, way of leaving one out; "" in the cross-validation

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.place} {self.variant}".rstrip()

    @property
    def place(self) -> str:
        """Decides Hyperband's brackets; the same for all variants, so that they differ in nothing else."""
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
            result = Result(
                unit,
                test,
                probabilities,
                dict(found["chosen"]),
                list(found["trials"]),
                float(found["seconds"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        whole = probabilities.ndim == 2 and len(probabilities) == len(test)
        return result if whole and np.isfinite(probabilities).all() else None

    def write(self, result: Result, identity: str) -> None:
        """Keep a result, atomically.

        Raises:
            ValueError: a probability is not a number.
            OSError: it cannot be written.
        """
        told = {
            "format": FORMAT,
            "unit": result.unit.place,
            "variant": result.unit.variant,
            "test": result.test.tolist(),
            # float32 has nine significant digits: what is read back is what was written
            "probabilities": [[float(f"{p:.9g}") for p in row] for row in result.probabilities.tolist()],
            "chosen": result.chosen,
            "trials": list(result.trials),
            "seconds": result.seconds,
        }
        path = self.path(result.unit, identity)
        for left in path.parent.glob(f".{path.name}.*.part"):  # by a run that was killed while it wrote
            left.unlink(missing_ok=True)
        write_atomically(path, json.dumps(told, allow_nan=False))
