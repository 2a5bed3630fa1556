"""Figures of one heat map: how much of it lies on lesions, where it is strongest, and whether what it marks counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import rankdata

from poxlens.screen.stability import agreement

Map = NDArray[np.floating]
Floats = NDArray[np.float64]


def enlarged(heatmap: Map, side: int) -> Floats:
    """The map as [side, side] float64, bilinear as it is drawn; nothing is added to its values.

    Args:
        heatmap: [h, w].
        side: px.
    """
    small = Image.fromarray(np.asarray(heatmap, np.float32), mode="F")
    return np.asarray(small.resize((side, side), Image.Resampling.BILINEAR), np.float64)


def energy_inside(heatmap: Map, mask: Map) -> float:
    """Share of the map's sum that lies on lesions (Wang et al. 2020, "Score-CAM", the energy-based pointing game).

    Args:
        heatmap: [h, w] >= 0.
        mask: [S, S], share of each pixel that is lesion, 0 to 1.

    Returns:
        0 to 1; NaN for an empty map.
    """
    drawn = enlarged(heatmap, len(mask))
    total = float(drawn.sum())
    return float((drawn * mask).sum()) / total if total > 0 else float("nan")


def points_inside(heatmap: Map, mask: Map) -> bool:
    """Whether the map's strongest pixel lies on a lesion (Zhang et al. 2018, the pointing game, without tolerance)."""
    drawn = enlarged(heatmap, len(mask))
    return bool(mask.ravel()[int(drawn.argmax())] >= 0.5)


def best_possible(mask: Map, places: tuple[int, int]) -> Map:
    """The lesions themselves as a map of so few places: no map of that size can follow them closer.

    Args:
        mask: [S, S], 0 to 1.
        places: h and w of the map.
    """
    size = (places[1], places[0])
    return np.asarray(
        Image.fromarray(np.asarray(mask, np.float32), mode="F").resize(size, Image.Resampling.BOX)
    )


def rank_agreement(one: Map, other: Map) -> float:
    """Spearman's rank correlation of two maps of one shape (ties share ranks), as Adebayo et al. 2018 compare them."""
    return agreement(
        rankdata(np.asarray(one)).reshape(np.shape(one)), rankdata(np.asarray(other)).reshape(np.shape(other))
    )


SQUARES = 14  # a side: units that deletion and insertion hide or show
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def order_of(heatmap: Map) -> NDArray[np.int64]:
    """[SQUARES * SQUARES] squares of the photo from where the map is strongest to where it is weakest."""
    return np.argsort(-enlarged(heatmap, SQUARES).ravel(), kind="stable")


def stages(
    photo: NDArray[np.uint8], without: NDArray[np.uint8], order: NDArray[np.int64], *, insert: bool
) -> NDArray[np.uint8]:
    """The photo with more and more squares hidden, or shown: [len(SHARES), S, S, 3] (Petsiuk et al. 2018, "RISE").

    Args:
        photo: [S, S, 3].
        without: the same, saying nothing.
        order: of the squares.
        insert: begin with `without` and show; else begin with the photo and hide.
    """
    side = len(photo)
    rows = np.arange(side) * SQUARES // side
    rank = np.empty(SQUARES * SQUARES, np.int64)
    rank[order] = np.arange(len(order))
    of_pixel = rank.reshape(SQUARES, SQUARES)[rows[:, None], rows[None, :]]
    start, end = (without, photo) if insert else (photo, without)
    return np.stack(
        [np.where((of_pixel < round(share * len(order)))[..., None], end, start) for share in SHARES]
    )


def area_under(values: Floats) -> float:
    """The mean height of a curve over SHARES, trapezoidal."""
    return float(np.trapezoid(values, SHARES))


def curve(
    photo: NDArray[np.uint8],
    without: NDArray[np.uint8],
    order: NDArray[np.int64],
    probability: Callable[[NDArray[np.uint8]], Floats],
    *,
    insert: bool,
) -> Floats:
    """The class's probability at each of SHARES; see `stages`.

    Args:
        photo: [S, S, 3].
        without: the same, saying nothing.
        order: of the squares.
        probability: [N, S, S, 3] -> [N].
        insert: show instead of hide.
    """
    return np.asarray(probability(stages(photo, without, order, insert=insert)), np.float64)
