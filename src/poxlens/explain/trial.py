"""The phantoms that heat maps are tried on; lesions, number and seeds were fixed before a map of them was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.phantom import LESIONS, draw, random_spec
from poxlens.photo.resize import InputRule, prepare

PHOTO_SIDE = 512  # px, as a phone's photo decoded for screening

TARGET_LESION = "umbilicated-pustule"
TARGET_SEEDS = range(710_000, 710_150)
"""The lesion of mpox: is the target's map on it?"""
OTHER_SEEDS = {
    kind: range(711_000 + 100 * place, 711_000 + 100 * place + 30)
    for place, kind in enumerate(kind for kind in LESIONS if kind != TARGET_LESION)
}
"""Every other lesion: is the map of the most probable class on it?"""
LIMIT_SEEDS = range(720_000, 720_200)
"""Any skin, healthy too: what agreement do maps of different photos have by chance?"""


@dataclass(frozen=True, eq=False)
class Tried:
    """Phantoms as the model sees them.

    Attributes:
        images: [N, S, S, 3] uint8.
        masks: [N, S, S] float32, share of each pixel that is lesion.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.float32]

    @property
    def areas(self) -> NDArray[np.float64]:
        """[N] share of each photo that is lesion."""
        found: NDArray[np.float64] = self.masks.mean((1, 2), dtype=np.float64)
        return found


def drawn(
    seeds: range,
    rule: InputRule,
    *,
    lesion: str | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Tried:
    """Draw phantoms.

    Args:
        seeds: one a phantom.
        rule: of the bundle.
        lesion: the kind; None for a mixture with healthy skin.
        advance: called with 1 after each.
    """
    images, masks = zip(*_each(seeds, rule, lesion, advance), strict=True)
    return Tried(np.stack(images), np.stack(masks))


def _each(
    seeds: range, rule: InputRule, lesion: str | None, advance: Callable[[int], None]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    for seed in seeds:
        phantom = draw(random_spec(seed, size=PHOTO_SIDE, lesion=lesion))
        mask = Image.fromarray(phantom.mask.astype(np.float32), mode="F")
        yield (
            prepare(phantom.image, rule),
            np.asarray(mask.resize((rule.size, rule.size), Image.Resampling.BOX)),
        )
        advance(1)
