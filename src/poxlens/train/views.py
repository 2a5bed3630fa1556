"""Views of a prepared image: the whole, zooms and corners, each also mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class View:
    """A square part of a square image, enlarged to its full size."""

    left: float = 0.0  # share of the side, 0-1
    top: float = 0.0
    side: float = 1.0  # share of the side, above 0
    mirrored: bool = False

    @property
    def key(self) -> str:
        """Name in the feature cache."""
        return f"{self.left:g},{self.top:g},{self.side:g}{'m' if self.mirrored else ''}"


_WINDOWS = (
    (0.0, 0.0, 1.0),
    (0.075, 0.075, 0.85),
    (0.15, 0.15, 0.7),
    (0.0, 0.0, 0.75),
    (0.25, 0.0, 0.75),
    (0.0, 0.25, 0.75),
    (0.25, 0.25, 0.75),
)

MIRROR_VIEWS = tuple(View(mirrored=mirrored) for mirrored in (False, True))
"""The whole image and its mirror image: what heads learn from."""

DUPLICATE_VIEWS = tuple(View(*window, mirrored) for window in _WINDOWS for mirrored in (False, True))
"""Fourteen views, so that a crop of a photo still meets the photo."""


def cut(image: NDArray[np.uint8], views: Sequence[View]) -> NDArray[np.uint8]:
    """The views of [S, S, 3] uint8, as [V, S, S, 3] uint8."""
    side = image.shape[0]
    whole = Image.fromarray(image)
    cuts = []
    for view in views:
        box = (
            view.left * side,
            view.top * side,
            (view.left + view.side) * side,
            (view.top + view.side) * side,
        )
        part = (
            image
            if view.side == 1.0
            else np.asarray(whole.resize((side, side), Image.Resampling.BILINEAR, box))
        )
        cuts.append(part[:, ::-1] if view.mirrored else part)
    return np.stack(cuts)
