"""MIM in inference: the middle is hidden, filled in, and compared with what was there (Yue 2024, section 2.3.3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.train.inpainting.masking import MASK, centre, fill, hide
from poxlens.train.inpainting.similarity import SIMILARITIES, all_similarities

Pixels = NDArray[np.uint8]
_AT_ONCE = 16  # images


def inpainted(generator: nn.Module, images: torch.Tensor, mask: int = MASK) -> torch.Tensor:
    """[N, 3, S, S] images, 0-1, with the middle as the generator fills it in."""
    top, left = centre(images.shape[-1], mask)
    masked, _ = hide(images, np.full((len(images), 2), (top, left)), mask)
    return fill(images, generator(masked), top, left)


def pictures(generator: nn.Module, images: Pixels, mask: int = MASK) -> Pixels:
    """[N, S, S, 3] uint8 of [N, S, S, 3] uint8: what the generator makes of each."""
    parts = []
    generator.eval()
    with torch.inference_mode():
        for start in range(0, len(images), _AT_ONCE):
            filled = inpainted(generator, as_tensor(images[start : start + _AT_ONCE]), mask)
            parts.append((255 * filled).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(parts)


def similarities(
    generator: nn.Module,
    images: Pixels,
    mask: int = MASK,
    *,
    advance: Callable[[int], None] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Each of the five, [N] of [N, S, S, 3] uint8; higher = more alike, so novelty is its negative.

    Args:
        generator: trained.
        images: the photos.
        mask: side of the mask, px.
        advance: called with the count after some images.
    """
    generator.eval()
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in SIMILARITIES}
    with torch.inference_mode():
        for start in range(0, len(images), _AT_ONCE):
            some = as_tensor(images[start : start + _AT_ONCE])
            filled = inpainted(generator, some, mask)
            for name, alike in all_similarities(some, filled).items():
                found[name].append(alike.double().numpy())
            if advance:
                advance(len(some))
    return {name: np.concatenate(values) for name, values in found.items()}


def as_tensor(images: Pixels) -> torch.Tensor:
    """[N, 3, S, S] float32, 0-1, of [N, S, S, 3] uint8."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
    return tensor.contiguous()
