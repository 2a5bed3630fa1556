"""What the search for hyper-parameters tried, from the finished units of a run (Campana 2024, figure 6)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from poxlens.recipes.compare.report.reading import Tested

LAYERS = 3
FLIPS = ("vertical", "horizontal", "both")
_NAMES = {
    "rotation": "Rotation",
    "zoom": "Zoom",
    "contrast": "Contrast",
    "brightness": "Brightness",
    "width": "Tr-width",
    "height": "Tr-height",
}


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried on one fold."""

    values: Mapping[str, float]  # hyper-parameter -> value; 0 for a layer that there is not
    accuracy: float  # on the validation part
    chosen: bool  # whether it is the one that was tested


@dataclass(frozen=True)
class Search:
    """Everything tried for one network and setting, over its folds."""

    network: str
    setting: str
    folds: int
    trials: tuple[Trial, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """In the order drawn."""
        return tuple(self.trials[0].values)


def read_searches(folder: Path, tested: Tested) -> tuple[Search, ...]:
    """The searches of the dense heads whose results stand in predictions.csv.

    A unit's file that is damaged, or whose predictions are not those of the table (it is of an older run), is
    passed over: nothing but this one figure rests on it.

    Args:
        folder: `units` of the run folder.
        tested: the predictions.
    """
    units: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.rglob("*.json")):
        unit = _read(path)
        if unit is not None:
            units.setdefault(unit["model"], []).append(unit)
    found = []
    for model in tested.models:
        parts = [
            _trials(unit)
            for unit in units.get(f"{model.network}/{model.setting}", ())
            if _is_current(unit, tested, model.probabilities)
        ]
        trials = tuple(trial for part in parts for trial in part)
        if trials:
            found.append(Search(model.network, model.setting, len(parts), trials))
    return tuple(found)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        unit = json.loads(path.read_text("utf-8"))
        unit["model"], at = unit["unit"].rsplit("/", 1)
        repeat, fold = at.split(".")  # a variant of leave-one-out or a learning curve has words here
        unit["place"] = (int(repeat), int(fold))
        if not unit["trials"] or "learning_rate" not in unit["trials"][0] or not unit["chosen"]:
            return None
        _trials(unit)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return dict(unit)


def _is_current(unit: Mapping[str, Any], tested: Tested, probabilities: Any) -> bool:
    repeat, fold = unit["place"]
    if repeat >= tested.repeats:
        return False
    rows = tested.fold[repeat] == fold
    own = np.sort(np.array(unit["probabilities"], np.float64)[:, 0])
    kept = np.sort(probabilities[repeat, rows, 0])
    return bool(own.shape == kept.shape and np.allclose(own, kept, atol=2e-6))


def _trials(unit: Mapping[str, Any]) -> list[Trial]:
    trials = [Trial(_values(one), float(one["accuracy"]), one == unit["chosen"]) for one in unit["trials"]]
    if not all(math.isfinite(trial.accuracy) for trial in trials):
        raise ValueError("an accuracy is not finite")
    return trials


def _values(one: Mapping[str, Any]) -> dict[str, float]:
    units: Sequence[int] = one["units"]
    dropout: Sequence[float] = one["dropout"]
    found = {"LR": float(one["learning_rate"]), "N_layers": float(len(units))}
    for layer in range(LAYERS):
        found[f"Dense {layer + 1}"] = float(units[layer]) if layer < len(units) else 0.0
        found[f"Dropout {layer + 1}"] = float(dropout[layer]) if layer < len(dropout) else 0.0
    strengths = one.get("augmentation")
    if strengths:
        found |= {name: float(strengths[key]) for key, name in _NAMES.items()}
        found["Flip type"] = float(FLIPS.index(strengths["flip"]))
    return found
