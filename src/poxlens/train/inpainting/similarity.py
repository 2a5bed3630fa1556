"""How alike two images are, in five ways; higher = more alike (Yue 2024, eq. 11-15).

Images are compared whole, the inpainted region laid into the image: the paper compares "the original and inpainted
images", and its limit of 0.8526 for SSIM + HBD lies where whole images come out, not where regions do.

SSIM is the mean over windows (Wang 2004), as every library computes it, with windows of 7 x 7 px of equal weight and
sample covariances: scikit-image's own choice. HBD takes histograms of 64 equal bins for each colour, put side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch.nn.functional import avg_pool2d

BINS = 64
_WINDOW = 7  # px
_C1, _C2 = 0.01**2, 0.03**2  # of values 0-1


def mae(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Eq. 11 with eq. 4: [N] of two [N, 3, H, W], 0-1."""
    return 1 - (one - other).abs().mean((1, 2, 3))


def mse(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Eq. 12 with eq. 6: [N] of two [N, 3, H, W], 0-1."""
    return 1 - torch.square(one - other).mean((1, 2, 3))


def ssim(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Eq. 13, mean over windows and colours: [N] of two [N, 3, H, W], 0-1, sides of at least 7 px."""

    def mean(values: torch.Tensor) -> torch.Tensor:
        return avg_pool2d(values, _WINDOW, 1)

    size = _WINDOW**2
    sample = size / (size - 1)
    first, second = mean(one), mean(other)
    variances = sample * (mean(one * one) - first * first + mean(other * other) - second * second)
    covariance = sample * (mean(one * other) - first * second)
    above = (2 * first * second + _C1) * (2 * covariance + _C2)
    below = (first * first + second * second + _C1) * (variances + _C2)
    return (above / below).mean((1, 2, 3))


def hbd(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Eq. 14: 1 + ln of the histograms' overlap: [N] of two [N, 3, H, W], 0-1.

    Histograms that share no bin would have the logarithm of 0; the overlap is kept above 1e-12.
    """
    return _overlap(_histogram(one), _histogram(other))


def ssim_hbd(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Eq. 15 with both weights 0.5."""
    return _both(ssim(one, other), hbd(one, other))


def all_similarities(one: torch.Tensor, other: torch.Tensor) -> dict[str, torch.Tensor]:
    """Each of `SIMILARITIES`, the same numbers by counting: faster for many images, and no operation of a graph."""
    structure, colours = ssim(one, other), _overlap(_counted(one), _counted(other))
    return {
        "ssim+hbd": _both(structure, colours),
        "ssim": structure,
        "hbd": colours,
        "mae": mae(one, other),
        "mse": mse(one, other),
    }


Similarity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
SIMILARITIES: Mapping[str, Similarity] = MappingProxyType(
    {"ssim+hbd": ssim_hbd, "ssim": ssim, "hbd": hbd, "mae": mae, "mse": mse}
)
"""By the paper's names, in the order of its table 2."""


def _overlap(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return 1 + torch.log(torch.sqrt(one * other).sum(1).clamp_min(1e-12))


def _both(structure: torch.Tensor, colours: torch.Tensor) -> torch.Tensor:
    return 0.5 * structure + 0.5 * colours


def _histogram(images: torch.Tensor) -> torch.Tensor:
    """[N, 3 * BINS], shares of all values, summing to 1; of operations that every runtime has."""
    count = images.shape[0]
    bins = torch.arange(BINS, dtype=images.dtype)
    shares = (_bins(images).unsqueeze(-1) == bins).to(images.dtype).mean(2) / 3
    return shares.reshape(count, 3 * BINS)


def _counted(images: torch.Tensor) -> torch.Tensor:
    """The same by counting."""
    count = images.shape[0]
    bins = _bins(images).long()
    first = BINS * torch.arange(3 * count).reshape(count, 3, 1)
    found = torch.bincount((bins + first).flatten(), minlength=3 * BINS * count)
    return (found.to(images.dtype) / bins.shape[2] / 3).reshape(count, 3 * BINS)


def _bins(images: torch.Tensor) -> torch.Tensor:
    """[N, 3, P] bin of each value."""
    return torch.clamp(torch.floor(images * BINS), 0, BINS - 1).reshape(images.shape[0], 3, -1)
