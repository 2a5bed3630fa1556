"""Features of the steps' views of all images, once each, and kept on disk by the project's own cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.photo.skin import skin_mask
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.networks.levels import LEVELS, SUFFIX
from poxlens.train.networks.registry import find_network
from poxlens.train.stored import store_backbone
from poxlens.train.views import MIRROR_VIEWS, View

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_FULL_PRECISION = 10**12  # bytes: no eight-bit weights
CROPS = tuple(View(left, top, 0.5) for top in (0.0, 0.25, 0.5) for left in (0.0, 0.25, 0.5))
"""Nine windows of half the side."""
_CHOSEN = 3  # crops that a finder keeps


class Features:
    """Networks on the images of a run.

    Args:
        images: each [S, S, 3].
        weights: folders of weights.
        cache: folder of features.
        workers: images computed at once.
    """

    def __init__(self, images: Sequence[Pixels], weights: Sequence[Path], cache: Path, workers: int) -> None:
        self.images, self._weights, self._workers = images, tuple(weights), workers
        self._cache = FeatureCache(cache)

    def last(self, network: str, change: Callable[[Pixels], Pixels] | None = None) -> Floats:
        """[N, D], the last map's mean of the image and its mirror image, after `change` if there is one."""
        images = self.images if change is None else [change(image) for image in self.images]
        return self._table(network, images, MIRROR_VIEWS).mean(1)

    def whole(self, network: str) -> Floats:
        """[N, D], of the image alone."""
        return self._table(network, self.images, MIRROR_VIEWS)[:, 0]

    def views(self, network: str, views: Sequence[View]) -> Floats:
        """[N, D], the mean of several views."""
        return self._table(network, self.images, views).mean(1)

    def levels(self, network: str) -> list[Floats]:
        """The last map's and each earlier level's mean, [N, channels] each."""
        found = self.last(network + SUFFIX)
        sizes = [find_network(network).channels, *(channels for _, channels in LEVELS[network])]
        return np.split(found, np.cumsum(sizes)[:-1], axis=1)

    def enlarged(self, network: str, side: int) -> Floats:
        """[N, D], of the image enlarged to `side` px."""
        images = [
            np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BILINEAR))
            for one in self.images
        ]
        return self._table(network, images, (View(),))[:, 0]

    def crops(self, network: str, rows: NDArray[np.bool_]) -> Floats:
        """[n, 9, D] of the nine windows of the images `rows` [N]."""
        some = [image for image, chosen in zip(self.images, rows, strict=True) if chosen]
        return self._table(network, some, CROPS)

    def _table(self, network: str, images: Sequence[Pixels], views: Sequence[View]) -> Floats:
        backbone = store_backbone(
            load_backbone([network], self._weights), side=images[0].shape[0], most_bytes=_FULL_PRECISION
        )
        return Extractor(backbone, self._cache).table(images, views, workers=self._workers)


def grey_world(image: Pixels) -> Pixels:
    """The image with its channels scaled to the same mean (Buchsbaum 1980)."""
    means = image.reshape(-1, 3).mean(0)
    return np.clip(image * (means.mean() / np.maximum(means, 1.0)), 0, 255).astype(np.uint8)


def redness(image: Pixels) -> Floats:
    """[9], how much redder than the photo's skin each of CROPS is: lesions are inflamed or dark red.

    The mean over skin of log(R / G), which a shadow does not change, above the median of all skin.
    """
    values = image.astype(np.float32) + 1.0
    index = np.log(values[..., 0] / values[..., 1])
    skin = skin_mask(image)
    if not skin.any():
        skin = np.ones_like(skin)
    above = np.where(skin, index - np.median(index[skin]), 0.0)
    side = image.shape[0]
    found = []
    for view in CROPS:
        top, left, length = (int(share * side) for share in (view.top, view.left, view.side))
        window = np.s_[top : top + length, left : left + length]
        found.append(above[window].sum() / max(1, int(skin[window].sum())))
    return np.array(found, np.float32)


def best_of(crops: Floats, score: Floats) -> Floats:
    """[n, D], the mean of the crops [n, 9, D] with the highest score [n, 9]."""
    chosen = np.argsort(-score, axis=1)[:, :_CHOSEN]
    found: Floats = np.take_along_axis(crops, chosen[:, :, None], axis=1).mean(1)
    return found
