"""The head `finetune` on one fold: all layers learn; epoch and learning rate are chosen on the validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.recipes.compare.heads import Tested, weights_of
from poxlens.recipes.compare.study import Study
from poxlens.train.backbones import load_backbone
from poxlens.train.finetuning import FinetuneSettings, fine_tune

Rows = NDArray[np.int64]


def finetuned(
    network: str,
    images: NDArray[np.uint8],
    truth: Rows,
    train: Rows,
    validation: Rows,
    test: Rows,
    classes: int,
    study: Study,
    *,
    weights: Sequence[Path],
    downloads: Path | None,
    seed: int,
    fixed: Mapping[str, Any] | None,
) -> Tested:
    """Fine-tune and test one network.

    Args:
        network: its name.
        images: [N, S, S, 3], all of the study.
        truth: [N], class numbers.
        train: rows to learn from.
        validation: rows to choose the epoch and learning rate on.
        test: rows to test.
        classes: how many.
        study: its entries `finetune` and `tuning` (batch, class weights).
        weights: folders of pretrained weights.
        downloads: where downloads are kept; None forbids downloading.
        seed: of everything random.
        fixed: `Tested.chosen` of elsewhere: no learning rate is chosen.

    Raises:
        WeightsError: the weights are missing or not the published ones.
    """
    asked, tuning = study.finetune, study.tuning
    trials: list[dict[str, Any]] = []
    best, probabilities = None, np.empty((0, classes), np.float32)
    for rate in (float(fixed["finetune_rate"]),) if fixed else asked.learning_rates:
        found = fine_tune(
            load_backbone([network], weights, cache=downloads),
            np.asarray(images[train]),
            truth[train],
            np.asarray(images[validation]),
            truth[validation],
            classes,
            FinetuneSettings(rate, asked.epochs, tuning.batch),
            seed=seed,
            class_weights=weights_of(truth[train], classes) if tuning.class_weights else None,
        )
        trials.append({"finetune_rate": rate, "accuracy": found.accuracy, "loss": found.loss})
        if best is None or found.loss < best["loss"]:
            best, probabilities = trials[-1], found.probabilities(np.asarray(images[test]))
    return Tested(probabilities, best or {}, tuple(trials))
