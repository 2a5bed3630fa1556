"""Calibration images and what they show of each convolution: the range and the mean of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.folding import convolutions

FEWEST = 20  # images; INT8 ranges of fewer are an accident's
_BATCH = 10


@dataclass(frozen=True)
class Seen:
    """What one convolution is given by the calibration images."""

    low: float  # smallest input
    high: float  # largest
    mean: NDArray[np.float64]  # [I], of each input channel
    work: int  # multiplications for one image


def checked(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The calibration images, when ranges can be read off them.

    Args:
        images: [N, S, S, 3] uint8.
        side: S, px.

    Raises:
        ExportError: another shape or type, fewer than 20, or images that show nothing.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (side, side, 3):
        raise ExportError(
            f"calibration images must be uint8 [N, {side}, {side}, 3], not {images.dtype} {list(images.shape)}"
        )
    if len(images) < FEWEST:
        raise ExportError(f"{len(images)} calibration images are too few: give at least {FEWEST}")
    blank = [place for place, image in enumerate(images) if np.ptp(image) == 0]
    if len(images) - len(blank) < FEWEST:
        raise ExportError(
            f"{len(blank)} of {len(images)} calibration images are of one colour, first number {blank[0]}: "
            "this set is damaged; ranges read off it would be wrong"
        )
    return images


def chosen(
    groups: Sequence[int] | NDArray[np.int64],
    strata: Sequence[str] | NDArray[np.str_],
    count: int,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Which images to calibrate with: one a group at most, the strata in turn, drawn with a seed.

    Args:
        groups: [N], images of one group show the same person or photo.
        strata: [N], what each kind of should be among them, such as source and label.
        count: how many; fewer where there are fewer groups.
        seed: of the draw.

    Returns:
        Their places, ascending.
    """
    group, stratum = np.asarray(groups), np.asarray(strata)
    order = np.random.default_rng(seed).permutation(len(group))
    waiting = {name: [int(i) for i in order if stratum[i] == name] for name in np.unique(stratum).tolist()}
    taken: set[int] = set()
    found: list[int] = []
    while len(found) < count and any(waiting.values()):
        for queue in waiting.values():
            while queue and int(group[queue[0]]) in taken:
                queue.pop(0)
            if queue and len(found) < count:
                found.append(queue.pop(0))
                taken.add(int(group[found[-1]]))
    return np.array(sorted(found), np.int64)


def observe(network: nn.Module, images: NDArray[np.uint8]) -> dict[str, Seen]:
    """What each convolution of the network is given by the images, by name in the network's order.

    Args:
        network: image [N, S, S, 3] -> features, batch norm folded.
        images: [N, S, S, 3] uint8.
    """
    found: dict[str, list[tuple[float, float, NDArray[np.float64], int]]] = {}
    hooks = []

    def watch(name: str, convolution: nn.Conv2d) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            del module
            values = inputs[0]
            one = convolution.weight[0].numel()
            found.setdefault(name, []).append(
                (
                    float(values.min()),
                    float(values.max()),
                    values.double().mean((0, 2, 3)).numpy() * len(values),
                    int(output[0].numel() * one),
                )
            )

        return hook

    for name, convolution in convolutions(network).items():
        hooks.append(convolution.register_forward_hook(watch(name, convolution)))
    try:
        with torch.no_grad():
            for start in range(0, len(images), _BATCH):
                network(torch.from_numpy(images[start : start + _BATCH].astype(np.float32)))
    finally:
        for hook in hooks:
            hook.remove()
    return {
        name: Seen(
            min(low for low, *_ in seen),
            max(high for _, high, *_ in seen),
            np.sum([mean for *_, mean, _ in seen], axis=0) / len(images),
            seen[0][3],
        )
        for name, seen in found.items()
    }
