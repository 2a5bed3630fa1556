"""Embeddings of all images of a study by one network, as they are and made alike; kept in one file each."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.default import Advance, Where
from poxlens.recipes.novelty.images import Cases, alike
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.stored import Stored, store_backbone
from poxlens.train.views import MIRROR_VIEWS

Floats = NDArray[np.float32]

JOIN = "+"  # between networks side by side
_CHANNELS = 64  # of a place, after a random projection: PatchCore does the same to save its memory
_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Embedded:
    """N images by one network."""

    learnt: Floats  # [N, D], mean of the image and its mirror image
    tested: Floats  # [N, D], of the image as it is
    patches: NDArray[np.float16]  # [N, P, 64], places of the feature map, projected at random


def network_of(name: str, where: Where, side: int) -> Stored:
    """A network as a bundle would hold it.

    Raises:
        WeightsError: unknown, or its weights are missing or not the published ones.
    """
    return store_backbone(load_backbone(name.split(JOIN), where.weights, cache=where.downloads), side=side)


def embed(
    stored: Stored, cases: Cases, where: Where, *, harmonised: bool, patches: bool, advance: Advance
) -> Embedded:
    """Embeddings of all images, from the file of an earlier run where it is there.

    Args:
        stored: the network.
        cases: the images.
        where: the folder of features.
        harmonised: make the images alike first.
        patches: keep the places of the map.
        advance: called with how many more images are done.
    """
    identity = sha256_bytes(stored.model)[:16]
    digest = sha256_bytes(cases.images.tobytes())[:16]
    kind = f"{'alike' if harmonised else 'plain'}{'-patches' if patches else ''}"
    path = (where.cache or where.out / "features") / "novelty" / f"{identity}-{digest}-{kind}.npz"
    known = _read(path, len(cases.images))
    if known is not None:
        advance(len(cases.images))
        return known
    images: Iterable[NDArray[np.uint8]] = alike(cases.images) if harmonised else cases.images
    if patches or harmonised:
        found = _computed(stored, images, patches, advance)
    else:  # of known images other runs have left them
        extractor = Extractor(stored, FeatureCache(where.cache or where.out / "features"))
        both = extractor.table(images, MIRROR_VIEWS, workers=where.workers, advance=advance)
        found = Embedded(both.mean(1), both[:, 0], np.zeros((0, 0, 0), np.float16))
    buffer = io.BytesIO()
    np.savez(buffer, learnt=found.learnt, tested=found.tested, patches=found.patches)
    write_atomically(path, buffer.getvalue())
    return found


def _computed(
    stored: Stored, images: Iterable[NDArray[np.uint8]], patches: bool, advance: Advance
) -> Embedded:
    run = Extractor(stored).maps
    projection: Floats | None = None
    learnt, tested, places = [], [], []
    for batch in _batches(images):
        both = np.concatenate([batch, batch[:, :, ::-1]])
        maps = run(np.ascontiguousarray(both))
        pooled = maps.mean((1, 2))
        tested.append(pooled[: len(batch)])
        learnt.append((pooled[: len(batch)] + pooled[len(batch) :]) / 2)
        if patches:
            if projection is None:
                size = maps.shape[3]
                drawn = np.random.default_rng(0).normal(0, _CHANNELS**-0.5, (size, _CHANNELS))
                projection = drawn.astype(np.float32)
            flat = maps[: len(batch)].reshape(len(batch), -1, maps.shape[3])
            places.append((flat @ projection).astype(np.float16))
        advance(len(batch))
    kept = np.concatenate(places) if places else np.zeros((0, 0, 0), np.float16)
    return Embedded(np.concatenate(learnt), np.concatenate(tested), kept)


def _batches(images: Iterable[NDArray[np.uint8]]) -> Iterable[NDArray[np.uint8]]:
    some: list[NDArray[np.uint8]] = []
    for image in images:
        some.append(image)
        if len(some) == _AT_ONCE:
            yield np.stack(some)
            some = []
    if some:
        yield np.stack(some)


def _read(path: Path, count: int) -> Embedded | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            parts: dict[str, Any] = {name: stored[name] for name in ("learnt", "tested", "patches")}
    except Exception:  # absent, or damaged in one of many ways: computed again
        return None
    return Embedded(**parts) if len(parts["learnt"]) == count else None
