"""What an export needs of a run, whatever verb made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.bundle.manifest import Manifest
from poxlens.evaluate.calibration import softmax
from poxlens.evaluate.conformal import ClassQuantile
from poxlens.export.forms import Phone
from poxlens.export.tail import Head
from poxlens.recipes.evidence import Rule, outcomes
from poxlens.recipes.points import Points

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FoldHeads:
    """A head for every fold, and which of them tests an image."""

    heads: tuple[Head, ...]
    tests: NDArray[np.int64]  # [N], place among the heads; -1 where no head tests the image


@dataclass(frozen=True, eq=False)
class Material:
    """A run: what it ships, and the images that it learnt from."""

    phone: Phone
    manifest: Manifest  # of its bundle; files, models and golden outputs are made anew
    card: str  # MODEL_CARD.md
    photos: dict[str, bytes]  # golden photos by their path in the bundle
    reference: bytes | None  # the run's own ONNX file, which the float form must agree with
    images: NDArray[np.uint8]  # [N, S, S, 3]
    file: NDArray[np.str_]  # [N]
    group: NDArray[np.int64]  # [N]
    stratum: NDArray[np.str_]  # [N], source and label
    truth: NDArray[np.int64]  # [N], -1 where it is not sure
    positive: Bools  # [N]
    tone: NDArray[np.str_]  # [N]
    usable: Bools  # [N], passes the quality checks
    learnable: Bools  # [N], may be learnt from and calibrated with
    fold_heads: Callable[[], FoldHeads]  # takes minutes

    @property
    def rule(self) -> Rule:
        """How probabilities become a decision."""
        told = self.manifest
        quantiles = tuple(
            ClassQuantile(told.conformal[name].quantile, told.conformal[name].n) for name in told.classes
        )
        points = Points(
            told.calibration.temperature, told.rule_out.threshold, told.rule_in.threshold, quantiles
        )
        gate = told.gate
        return Rule(tuple(told.classes), told.target, points, gate.novelty_limit, gate.top_probability)

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Calibrated [N, C] of [N, C] logits."""
        return softmax(np.asarray(logits, np.float64), self.manifest.calibration.temperature)

    def decisions(
        self, rows: Bools, probabilities: NDArray[np.float64], novelty: NDArray[np.float64]
    ) -> NDArray[np.str_]:
        """The outcome of each of some of the images."""
        return outcomes(probabilities, self.usable[rows], novelty, self.rule)
