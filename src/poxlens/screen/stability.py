"""Whether a heat map holds still when the photo is mirrored: a map that does not shows chance and not evidence.

A mirrored rash is the same rash, so the map of the mirrored photo, mirrored back, should be the same map. Nothing of
the decision depends on this; a map that fails is shown with `UNSTABLE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 0.64
"""Maps of two different phantoms, one of them mirrored, agree above it in 5 of 100 pairs (`poxlens explain --check`):
a map that agrees no better with its own photo mirrored says no more than chance."""
UNSTABLE = (
    "This map changes when the photo is mirrored: do not rely on where it points. The answer stands as it is."
)
SHORT_WARNING = "Unstable map: it changes when the photo is mirrored"


def mirrored(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[N, S, S, 3] photos with left and right exchanged."""
    return np.ascontiguousarray(images[:, :, ::-1])


def agreement(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Pearson correlation of two maps [h, w] over their places, -1 to 1.

    Two empty maps agree (1); an empty or even map and one that points somewhere do not (0).
    """
    a, b = np.asarray(one, np.float64).ravel(), np.asarray(other, np.float64).ravel()
    a, b = a - a.mean(), b - b.mean()
    lengths = float(np.sqrt((a * a).sum())), float(np.sqrt((b * b).sum()))
    if min(lengths) <= 1e-9 * max(1.0, *lengths):
        return 1.0 if max(lengths) <= 1e-9 else 0.0
    return float(np.clip((a @ b) / (lengths[0] * lengths[1]), -1.0, 1.0))


def stability(heatmap: NDArray[np.floating], of_mirrored: NDArray[np.floating]) -> float:
    """How alike a map is to that of the mirrored photo, turned back; see `agreement`.

    Args:
        heatmap: [h, w] of the photo.
        of_mirrored: [h, w] of the mirrored photo, as the model gives it.
    """
    return agreement(heatmap, np.asarray(of_mirrored)[:, ::-1])
