"""Which photos of a run to look at: for each class, some that were told right out of fold and some that were not.

As Campana 2024, figure 10. The photos are drawn by lot and not picked, by a hash of their names, so that the same run
always shows the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import PoxlensError
from poxlens.evaluate.calibration import softmax
from poxlens.files import sha256_bytes
from poxlens.recipes.compare.report.reading import Model, read_tested
from poxlens.recipes.compare.report.record import read_record
from poxlens.recipes.predictions import read_predictions

_EXPERIMENT = "strict"  # of `poxlens train`: the one that its figures are of


class ExamplesError(PoxlensError):
    """A run that no examples can be drawn from; names the folder or the model."""


@dataclass(frozen=True)
class Case:
    """A photo with what was said of it by a model that had not learnt from it."""

    file: str
    truth: str
    said: str
    probability: float  # of `said`, mean over the repeats, before calibration

    @property
    def right(self) -> bool:
        """Whether it was told right."""
        return self.truth == self.said


@dataclass(frozen=True)
class Told:
    """What a run said of its photos."""

    classes: tuple[str, ...]
    cases: tuple[Case, ...]
    model: str  # in words
    table_sha256: str  # of the table of images


def read_told(run: Path, model: str | None = None) -> Told:
    """What a run of `poxlens train` or `poxlens compare` said of its photos, out of fold.

    Args:
        run: the run folder.
        model: "NETWORK SETTING" of a comparison; None for its most accurate.

    Raises:
        ExamplesError: the folder is of neither kind, or has no such model.
        ReportError: a comparison's predictions are not as they should be.
    """
    if (run / "study.json").is_file():
        return _of_comparison(run, model)
    if (run / "recipe.json").is_file() and (run / "predictions.csv").is_file():
        if model is not None:
            raise ExamplesError(f"{run}: a run of `poxlens train` has one model; leave --model out")
        return _of_training(run)
    raise ExamplesError(
        f"{run}: holds neither study.json of `poxlens compare` nor recipe.json of `poxlens train`"
    )


def lots(told: Told, each: int) -> list[tuple[str, list[Case], list[Case]]]:
    """For each class in order: its name, photos told right and photos told wrong, in the order of their lots.

    Args:
        told: of the run.
        each: how many of either at most.
    """
    drawn = sorted(told.cases, key=lambda one: sha256_bytes(one.file.encode()))
    of = {name: [one for one in drawn if one.truth == name] for name in told.classes}
    return [
        (name, [one for one in some if one.right][:each], [one for one in some if not one.right][:each])
        for name, some in of.items()
    ]


def _of_comparison(run: Path, model: str | None) -> Told:
    record = read_record(run)
    tested = read_tested(run / "predictions.csv", record.target, record.places)
    chosen = _chosen(tested.models, model, tested.truth, run)
    mean = chosen.probabilities.mean(0)
    cases = _cases(tested.files, [tested.classes[at] for at in tested.truth], tested.classes, mean)
    return Told(tested.classes, cases, chosen.name, str(record.facts.get("manifest_sha256", "")))


def _chosen(models: Sequence[Model], name: str | None, truth: NDArray[np.int64], run: Path) -> Model:
    if name is None:
        return max(models, key=lambda one: float((one.decided == truth).mean()))
    for one in models:
        if one.name == name:
            return one
    raise ExamplesError(f'{run}: has no model "{name}"; it has {", ".join(one.name for one in models)}')


def _of_training(run: Path) -> Told:
    try:
        recipe = json.loads((run / "recipe.json").read_text("utf-8"))
        found = read_predictions(run / "predictions.csv", only=_EXPERIMENT)[_EXPERIMENT]
    except (OSError, ValueError, KeyError, IndexError) as fault:
        raise ExamplesError(f"{run}: its predictions cannot be read: {fault}") from fault
    classes = _classes(run)
    rows = found.rows
    # Whole photos that were tested, and whose class is known for certain.
    kept = (rows.part == "") & (rows.possible.sum(1) == 1) & np.isfinite(found.logits).all((0, 2))
    mean = np.mean([softmax(one) for one in found.logits[:, kept]], axis=0)
    truth = [classes[at] for at in rows.possible[kept].argmax(1)]
    name = f"{recipe['recipe']['name']} {recipe['recipe']['version']}"
    return Told(
        classes, _cases(rows.file[kept].tolist(), truth, classes, mean), name, str(recipe["data_sha256"])
    )


def _classes(run: Path) -> tuple[str, ...]:
    with (run / "predictions.csv").open(encoding="utf-8") as stream:
        head = stream.readline().strip().split(",")
    return tuple(name.removeprefix("z_") for name in head if name.startswith("z_"))


def _cases(
    files: Sequence[str], truth: Sequence[str], classes: Sequence[str], mean: NDArray[np.floating]
) -> tuple[Case, ...]:
    return tuple(
        Case(file, true, classes[int(row.argmax())], float(row.max()))
        for file, true, row in zip(files, truth, mean, strict=True)
    )
