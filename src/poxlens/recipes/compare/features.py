"""Features of a study's images, and of their augmented views, once a network; on disk so that workers share them."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.compare.cases import Cases
from poxlens.train.augmentation import augment
from poxlens.train.backbones import load_backbone
from poxlens.train.bank import FeatureBank, planned
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.stored import store_backbone
from poxlens.train.tuning import Part
from poxlens.train.views import View

Floats = NDArray[np.float32]
_FULL_PRECISION = 10**12  # bytes: no eight-bit weights, as nothing is shipped from here


@dataclass(frozen=True, eq=False)
class Network:
    """A network and the features it gives."""

    name: str
    identity: str  # of its stored weights
    plain: Path  # .npy, [N, D] float32
    bank: Path | None  # .npy, [N, B, D] float16
    digests: tuple[str, ...]  # [N], SHA-256 of each image

    def part(self, rows: NDArray[np.int64], truth: NDArray[np.int64], *, augmented: bool, seed: int) -> Part:
        """Some of the images with their features, and with their bank when `augmented`."""
        features = np.load(self.plain, mmap_mode="r")[rows].astype(np.float32)
        bank = None
        if augmented and self.bank is not None:
            stored = np.load(self.bank, mmap_mode="r")
            draws = [planned(self.digests[row], stored.shape[1], seed) for row in rows.tolist()]
            bank = FeatureBank.of(stored[rows].astype(np.float32), draws)
        return Part(features, truth[rows], bank)


def compute(
    name: str,
    cases: Cases,
    folder: Path,
    *,
    views: int,
    seed: int,
    weights: Sequence[Path],
    downloads: Path | None,
    cache: Path,
    workers: int,
    advance: Callable[[int], None],
) -> Network:
    """Features of all images by one network.

    Args:
        name: of the network.
        cases: the images.
        folder: where the tables are kept.
        views: augmented views of each image; 0 for none.
        seed: of the views.
        weights: folders of pretrained weights.
        downloads: where downloads are kept; None forbids downloading.
        cache: of features, shared between studies.
        workers: images computed at once.
        advance: called with 1 after each image.

    Raises:
        WeightsError: the network is unknown, or its weights are missing or not the published ones.
    """
    side = cases.images.shape[1]
    extractor = Extractor(
        store_backbone(
            load_backbone([name], weights, cache=downloads), side=side, most_bytes=_FULL_PRECISION
        ),
        FeatureCache(cache),
    )
    digests = tuple(sha256_bytes(image.tobytes()) for image in cases.images)
    images = sha256_bytes("".join(digests).encode())[:16]
    plain = folder / f"{name}-{extractor.identity}-{images}.npy"
    if not plain.exists():
        _save(plain, extractor.table(cases.images, (View(),), workers=workers, advance=advance)[:, 0])
    else:
        advance(len(cases.images))
    if not views:
        return Network(name, extractor.identity, plain, None, digests)
    bank = folder / f"{name}-{extractor.identity}-{images}-bank{views}-{seed}.npy"
    if not bank.exists():
        _save(bank, _bank(extractor, cases.images, digests, views, seed, workers, advance))
    else:
        advance(len(cases.images))
    return Network(name, extractor.identity, plain, bank, digests)


def _bank(
    extractor: Extractor,
    images: NDArray[np.uint8],
    digests: Sequence[str],
    views: int,
    seed: int,
    workers: int,
    advance: Callable[[int], None],
) -> NDArray[np.float16]:
    def one(row: int) -> NDArray[np.float16]:
        key = f"{digests[row]}-bank{views}.{seed}"
        known = extractor.cache.read(extractor.identity, key) if extractor.cache else {}
        if "bank" not in known:
            draws = planned(digests[row], views, seed)
            features = [extractor.pooled(augment(images[row], draw)[None]) for draw in draws]
            known = {"bank": np.concatenate(features)}
            if extractor.cache:
                extractor.cache.write(extractor.identity, key, known)
        return known["bank"].astype(np.float16)

    table = []
    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(one, range(len(images))):
            table.append(found)
            advance(1)
    return np.stack(table)


def _save(path: Path, values: NDArray[np.generic]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values)
    write_atomically(path, buffer.getvalue())
