"""The augmentations of Mpox-AISM on whole batches of tensors (Yue 2024, section 6.2), on any device.

"Gaussian Noise + Crop and Resize + Affine + Cutout + Flip Horizontal + Flip Vertical + Gamma Contrast + Gaussian Blur
(Random order and Random probability)". Each image meets each of the eight with the given probability and strengths of
its own; the order is drawn anew for every few images. What moves pixels (crop, affine, flips) is multiplied into one
matrix in the order drawn, so that a picture is resampled once. The paper gives no strengths: ours are below.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional

KINDS = ("noise", "crop", "affine", "cutout", "mirror", "upend", "gamma", "blur")
"""The paper's list, in its order."""
_MOVES = ("crop", "affine", "mirror", "upend")
_TOGETHER = 8  # images that share one drawn order
_NOISE = 0.05  # greatest standard deviation, of the range of values
_CROP = 0.6  # smallest side of a crop, as a share
_TURN, _SHIFT, _SHEAR, _ZOOM = math.radians(30), 0.1, math.radians(10), 0.15
_HOLE = (0.1, 0.35)  # side of the square that is cut out, as a share
_GAMMA = math.log(1.7)
_BLUR = (0.3, 1.5)  # standard deviation, px

Generator = torch.Generator


def augment(images: torch.Tensor, probability: float, generator: Generator) -> torch.Tensor:
    """Augmented images, as floats [N, 3, S, S] with values 0-255.

    Args:
        images: [N, 3, S, S], values 0-255, of any type.
        probability: of each of the eight, for each image.
        generator: on the CPU; decides everything, so that one seed gives the same draws on any device.
    """
    planes = images.to(torch.float32)
    if probability <= 0 or not len(planes):
        return planes
    parts = [_some(part, probability, generator) for part in torch.split(planes, _TOGETHER)]
    return torch.cat(parts).clamp_(0, 255)


def _some(planes: torch.Tensor, probability: float, generator: Generator) -> torch.Tensor:
    """A few images in one drawn order."""
    order = [KINDS[at] for at in torch.randperm(len(KINDS), generator=generator).tolist()]
    chosen = {name: torch.rand(len(planes), generator=generator) < probability for name in KINDS}
    moved = False
    for name in order:
        if name in _MOVES:
            if not moved:  # all moves at the place of the first
                planes = _moved(planes, [(one, chosen[one]) for one in order if one in _MOVES], generator)
                moved = True
        elif bool(chosen[name].any()):
            rows = chosen[name].nonzero().flatten().to(planes.device)
            planes = planes.index_copy(0, rows, _CHANGES[name](planes[rows], generator))
    return planes


def _moved(planes: torch.Tensor, moves: list[tuple[str, torch.Tensor]], generator: Generator) -> torch.Tensor:
    count = len(planes)
    matrix = torch.eye(3).repeat(count, 1, 1)
    for name, chosen in moves:
        drawn = _MATRICES[name](count, generator)
        matrix = torch.where(chosen[:, None, None], matrix @ drawn, matrix)
    if torch.equal(matrix, torch.eye(3).expand_as(matrix)):
        return planes
    places = functional.affine_grid(matrix[:, :2].to(planes.device), list(planes.shape), align_corners=False)
    return functional.grid_sample(planes, places, padding_mode="reflection", align_corners=False)


def _uniform(count: int, low: float, high: float, generator: Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _filled(count: int, cells: dict[tuple[int, int], torch.Tensor | float]) -> torch.Tensor:
    """Matrices [count, 3, 3] of the identity with some cells set."""
    found = torch.eye(3).repeat(count, 1, 1)
    for (row, column), value in cells.items():
        found[:, row, column] = value
    return found


def _crop(count: int, generator: Generator) -> torch.Tensor:
    """A square part of the picture enlarged to its full size."""
    side = _uniform(count, _CROP, 1.0, generator)
    free = 1 - side
    across = free * _uniform(count, -1, 1, generator)
    down = free * _uniform(count, -1, 1, generator)
    return _filled(count, {(0, 0): side, (1, 1): side, (0, 2): across, (1, 2): down})


def _affine(count: int, generator: Generator) -> torch.Tensor:
    angle = _uniform(count, -_TURN, _TURN, generator)
    shear = torch.tan(_uniform(count, -_SHEAR, _SHEAR, generator))
    zoom = 1 + _uniform(count, -_ZOOM, _ZOOM, generator)
    across, down = (2 * _uniform(count, -_SHIFT, _SHIFT, generator) for _ in range(2))
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    turned = _filled(
        count,
        {(0, 0): cosine, (0, 1): -sine, (0, 2): across, (1, 0): sine, (1, 1): cosine, (1, 2): down},
    )
    return turned @ _filled(count, {(0, 1): shear})


def _mirror(count: int, generator: Generator) -> torch.Tensor:
    del generator
    return _filled(count, {(0, 0): -1.0})


def _upend(count: int, generator: Generator) -> torch.Tensor:
    del generator
    return _filled(count, {(1, 1): -1.0})


def _noise(planes: torch.Tensor, generator: Generator) -> torch.Tensor:
    strength = 255 * _uniform(len(planes), 0, _NOISE, generator)[:, None, None, None]
    return planes + (torch.randn(planes.shape, generator=generator) * strength).to(planes.device)


def _cutout(planes: torch.Tensor, generator: Generator) -> torch.Tensor:
    """A grey square over part of the picture (DeVries and Taylor 2017)."""
    side = planes.shape[-1]
    hole = (side * _uniform(len(planes), *_HOLE, generator)).to(planes.device)
    centre = (side * torch.rand(2, len(planes), generator=generator)).to(planes.device)
    line = torch.arange(side, device=planes.device)
    down, across = ((line[None] - at[:, None]).abs() < hole[:, None] / 2 for at in centre)
    hidden = down[:, None, :, None] & across[:, None, None, :]
    return planes.masked_fill(hidden, 127.5)


def _gamma(planes: torch.Tensor, generator: Generator) -> torch.Tensor:
    power = torch.exp(_uniform(len(planes), -_GAMMA, _GAMMA, generator))[:, None, None, None]
    return 255 * (planes.clamp(0, 255) / 255) ** power.to(planes.device)


def _blur(planes: torch.Tensor, generator: Generator) -> torch.Tensor:
    """Each image with its own width, as one grouped convolution a direction."""
    count, channels, side, _ = planes.shape
    width = _uniform(count, *_BLUR, generator)
    reach = min(math.ceil(3 * _BLUR[1]), side - 1)
    steps = torch.arange(-reach, reach + 1).float()
    line = torch.exp(-((steps[None] / width[:, None]) ** 2) / 2)
    line = (line / line.sum(1, keepdim=True)).repeat_interleave(channels, 0).to(planes.device)
    flat = functional.pad(planes.reshape(1, -1, side, side), (reach,) * 4, mode="reflect")
    flat = functional.conv2d(flat, line[:, None, None, :], groups=count * channels)
    flat = functional.conv2d(flat, line[:, None, :, None], groups=count * channels)
    return flat.reshape(count, channels, side, side)


_MATRICES: dict[str, Callable[[int, Generator], torch.Tensor]] = {
    "crop": _crop,
    "affine": _affine,
    "mirror": _mirror,
    "upend": _upend,
}
_CHANGES: dict[str, Callable[[torch.Tensor, Generator], torch.Tensor]] = {
    "noise": _noise,
    "cutout": _cutout,
    "gamma": _gamma,
    "blur": _blur,
}
