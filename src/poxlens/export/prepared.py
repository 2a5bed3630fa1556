"""A backbone made ready for eight bits: folded, mended, its noisy layers found, its biases corrected."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.calibration import checked, observe
from poxlens.export.eight_bits import WANTED, Sensitivity, correct_biases, find_float_layers
from poxlens.export.folding import convolutions, folded, mend_dead_channels, take_stored_weights
from poxlens.export.onnx_forms import onnx_int8
from poxlens.train.backbones import Backbone
from poxlens.train.stored import Stored, in_floats

Step = Callable[[str, int], AbstractContextManager[Callable[..., None]]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A backbone in floats, and the same as eight bits will be made of it."""

    plain: nn.Module  # batch norm folded, stored weights, dead channels mended
    corrected: nn.Module  # with biases for rounded weights
    sensitivity: Sensitivity
    mended: int  # dead channels
    corrected_biases: int  # convolutions


def prepare(
    backbone: Backbone,
    stored: bytes | None,
    images: NDArray[np.uint8],
    side: int,
    step: Step,
    wanted: float = WANTED,
) -> Prepared:
    """Everything that precedes the files.

    Args:
        backbone: image -> features.
        stored: ONNX that holds the very weights that the head learnt from; None: the published ones.
        images: calibration images [N, S, S, 3] uint8, of the training part.
        side: S, px.
        step: shows progress.
        wanted: signal over noise of the features, dB, that eight bits must leave.

    Raises:
        ExportError: a calibration set or network that does not allow it.
    """
    images = checked(images, side)
    if backbone.own_pooling:
        raise ExportError(
            f"{' + '.join(one.name for one in backbone.networks)} does not average its last map over places: "
            "the heat map in the graph would not be Grad-CAM. Choose a convolutional network."
        )
    plain = folded(backbone, side)
    if stored is not None:
        take_stored_weights(plain, stored)
    mended = mend_dead_channels(plain)
    names = list(convolutions(plain))
    if not names:
        raise ExportError("the network has no convolutions: there is nothing to bring into eight bits")
    seen = observe(plain, images)
    with step("finding layers for eight bits", len(names)) as done:
        sensitivity = find_float_layers(plain, seen, images, wanted=wanted, advance=done)
    corrected = copy.deepcopy(plain)
    eight = [name for name in names if name not in sensitivity.kept]
    correct_biases(corrected, seen, eight)
    return Prepared(plain, corrected, sensitivity, mended, len(eight))


def eight_bit_backbone(backbone: Backbone, stored: Stored, images: NDArray[np.uint8], step: Step) -> Stored:
    """The backbone as ONNX in eight bits: what a phone's form makes of the features, without head or tail.

    Args:
        backbone: image -> features.
        stored: the same as heads learn from it.
        images: calibration images [N, S, S, 3] uint8.
        step: shows progress.

    Raises:
        ExportError: a calibration set or network that does not allow it.
    """
    ready = prepare(backbone, stored.model, images, stored.side, step)
    floats = in_floats(ready.corrected, stored.side)
    model = onnx_int8(floats, ready.corrected, images, ready.sensitivity.kept)
    return Stored(model, stored.side, (), stored.last)
