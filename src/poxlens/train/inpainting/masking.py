"""The white mask of MIM: somewhere in training, in the middle in inference (Yue 2024, section 2.3.1).

The boundaries are counted in pixels, so that a mask of 112 px covers 112 of 224 rows; eq. 1 with its "<=" on both sides
would cover 113.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

SIDE = 224  # px, of the image
MASK = 112  # px, of the mask


def centre(side: int = SIDE, mask: int = MASK) -> tuple[int, int]:
    """Top and left of the mask in inference."""
    return (side - mask) // 2, (side - mask) // 2


def anywhere(
    random: np.random.Generator, count: int, side: int = SIDE, mask: int = MASK
) -> NDArray[np.int64]:
    """[N, 2] top and left of a mask each, any place that holds it whole being as likely."""
    return random.integers(0, side - mask + 1, (count, 2))


def hide(
    images: torch.Tensor, places: NDArray[np.int64], mask: int = MASK
) -> tuple[torch.Tensor, torch.Tensor]:
    """Masked images and what the masks hide (eq. 2): I' = I (1 - M) + M.

    Args:
        images: [N, 3, S, S], 0-1.
        places: [N, 2], top and left of each mask, px.
        mask: side of the mask, px.

    Returns:
        [N, 3, S, S] with the mask white, and [N, 3, mask, mask] from under it.
    """
    masked, hidden = images.clone(), []
    for number, (top, left) in enumerate(places.tolist()):
        window = (slice(None), slice(top, top + mask), slice(left, left + mask))
        hidden.append(images[number][window])
        masked[number][window] = 1.0
    return masked, torch.stack(hidden)


def fill(images: torch.Tensor, parts: torch.Tensor, top: int, left: int) -> torch.Tensor:
    """[N, 3, S, S] images with [N, 3, m, m] parts laid over them at one place."""
    size = parts.shape[-1]
    below, right = images.shape[-2] - top - size, images.shape[-1] - left - size
    middle = torch.cat(
        [
            images[:, :, top : top + size, :left],
            parts,
            images[:, :, top : top + size, images.shape[-1] - right :],
        ],
        3,
    )
    # joined, not written into: the graphs of the phone know no assignment
    return torch.cat([images[:, :, :top], middle, images[:, :, images.shape[-2] - below :]], 2)
