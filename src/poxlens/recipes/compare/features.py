"""Features of a study's images, and of their views, once a network; on disk so that workers share them."""

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
from poxlens.recipes.compare.study import POOL, Study
from poxlens.recipes.compare.units import Setting, has, settings
from poxlens.train.augmentation import augment
from poxlens.train.backbones import load_backbone
from poxlens.train.bank import FeatureBank, planned
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.stored import store_backbone
from poxlens.train.tuning import Part
from poxlens.train.views import DUPLICATE_VIEWS, View

Floats = NDArray[np.float32]
_HALF_PRECISION = 10**12  # bytes: no eight-bit weights, as nothing is shipped from here
_EIGHT_BITS = 0  # bytes: all in eight bits that bear it, `poxlens.recipes.default.Recipe.backbone_bytes`


@dataclass(frozen=True, eq=False)
class Network:
    """One network, or several side by side, and the features they give; files of each in the same order."""

    name: str
    identity: str  # of the stored weights
    plain: tuple[Path, ...]  # .npy, [N, D] float32
    averaged: tuple[Path, ...]  # .npy, [N, D] float32, mean of DUPLICATE_VIEWS
    bank: tuple[Path, ...]  # .npy, [N, B, D] float16
    digests: tuple[str, ...]  # [N], SHA-256 of each image
    seed: int  # of the bank's views

    def part(self, rows: NDArray[np.int64], truth: NDArray[np.int64], setting: Setting) -> Part:
        """Some of the images with their features, and with their bank when the setting augments."""
        features = _joined(self.averaged if setting.averaged else self.plain, rows).astype(np.float32)
        bank = None
        if setting.augmentation and self.bank:
            stored = _joined(self.bank, rows)
            draws = [planned(self.digests[row], stored.shape[1], self.seed) for row in rows.tolist()]
            bank = FeatureBank.of(stored, draws)
        return Part(features, truth[rows], bank)


@dataclass(frozen=True)
class Source:
    """Where weights come from and features are kept."""

    folder: Path  # of the tables of this study
    cache: Path  # of features, shared between studies
    weights: tuple[Path, ...] = ()  # folders of pretrained weights
    downloads: Path | None = None  # None forbids downloading
    workers: int = 2  # images computed at once


@dataclass(frozen=True)
class Wanted:
    """Which tables a study needs."""

    plain: bool
    averaged: bool
    views: int  # of the bank; 0 for no bank
    views_of_extra: bool = True  # the bank holds images that are only learnt from, too
    eight_bits: bool = False  # the network's weights, else in half precision

    @classmethod
    def of(cls, study: Study, network: str) -> Wanted:
        """What the settings of a study learn from, of a single network."""
        names = [name for name in study.networks if network in name.split(POOL)]
        asked = [
            setting
            for setting in settings(study)
            if setting.head != "finetune" and any(has(study, name, setting) for name in names)
        ]
        return cls(
            plain=any(not setting.averaged for setting in asked),
            averaged=any(setting.averaged for setting in asked),
            views=study.tuning.views if any(setting.augmentation for setting in asked) else 0,
            views_of_extra=any(setting.augmentation and setting.extra for setting in asked),
            eight_bits=network in study.eight_bits,
        )

    @property
    def forwards(self) -> int:
        """Passes of one image through the network."""
        return self.plain + len(DUPLICATE_VIEWS) * self.averaged + self.views

    @property
    def tables(self) -> int:
        """How many are made."""
        return self.plain + self.averaged + bool(self.views)


def members(networks: Sequence[str]) -> tuple[str, ...]:
    """The single networks of names such as "a" and "a+b", each once."""
    return tuple(dict.fromkeys(part for name in networks for part in name.split(POOL)))


def require_networks(networks: Sequence[str], side: int, source: Source) -> None:
    """Find every network's weights before hours are spent on the first.

    Raises:
        WeightsError: a network is unknown or takes no images of this side, or its weights are missing or not the
            published ones.
    """
    for name in members(networks):
        load_backbone([name], source.weights, cache=source.downloads).check_side(side)


def extractor_of(name: str, side: int, source: Source, *, eight_bits: bool = False) -> Extractor:
    """A network by name as a function from images to features; its weights in half precision or in eight bits.

    Raises:
        WeightsError: the network is unknown, or its weights are missing or not the published ones.
    """
    backbone = load_backbone([name], source.weights, cache=source.downloads)
    most = _EIGHT_BITS if eight_bits else _HALF_PRECISION
    return Extractor(store_backbone(backbone, side=side, most_bytes=most), FeatureCache(source.cache))


def compute(
    name: str, cases: Cases, source: Source, wanted: Wanted, *, seed: int, advance: Callable[[int], None]
) -> Network:
    """Features of all images by one network.

    Args:
        name: of a single network.
        cases: the images.
        source: weights and folders.
        wanted: which tables are made.
        seed: of the bank's views.
        advance: called with 1 after each image of each table.

    Raises:
        WeightsError: the network is unknown, or its weights are missing or not the published ones.
    """
    extractor = extractor_of(name, cases.images.shape[1], source, eight_bits=wanted.eight_bits)
    digests = tuple(sha256_bytes(image.tobytes()) for image in cases.images)
    stem = f"{name}-{extractor.identity}-{sha256_bytes(''.join(digests).encode())[:16]}"
    views = len(DUPLICATE_VIEWS)
    banked = cases.tested | wanted.views_of_extra

    def table(some: Sequence[View]) -> Floats:
        found = extractor.table(cases.images, some, workers=source.workers, advance=advance)
        mean: Floats = found.mean(1, dtype=np.float64).astype(np.float32)
        return mean

    def kept(path: Path, make: Callable[[], NDArray[np.generic]]) -> tuple[Path, ...]:
        if path.exists():
            advance(len(cases.images))
        else:
            _save(path, make())
        return (path,)

    return Network(
        name,
        extractor.identity,
        kept(source.folder / f"{stem}.npy", lambda: table((View(),))) if wanted.plain else (),
        # in a folder of its own: the report draws the tables beside it, whole images only
        kept(source.folder / "views" / f"{stem}-{views}.npy", lambda: table(DUPLICATE_VIEWS))
        if wanted.averaged
        else (),
        kept(
            source.folder / f"{stem}-bank{wanted.views}-{seed}{'' if banked.all() else '-tested'}.npy",
            lambda: _bank(
                extractor, cases.images, digests, banked, wanted.views, seed, source.workers, advance
            ),
        )
        if wanted.views
        else (),
        digests,
        seed,
    )


def pooled(name: str, parts: Sequence[Network]) -> Network:
    """Several networks as one whose features are theirs side by side."""
    if len(parts) == 1:
        return parts[0]
    return Network(
        name,
        POOL.join(part.identity for part in parts),
        tuple(path for part in parts for path in part.plain),
        tuple(path for part in parts for path in part.averaged),
        tuple(path for part in parts for path in part.bank),
        parts[0].digests,
        parts[0].seed,
    )


def save_images(cases: Cases, folder: Path) -> Path:
    """The images as [N, S, S, 3] uint8 in a file that workers map instead of copying; its path."""
    path = folder / f"images-{sha256_bytes(cases.images.tobytes())[:16]}.npy"
    if not path.exists():
        _save(path, cases.images)
    return path


def _joined(paths: Sequence[Path], rows: NDArray[np.int64]) -> NDArray[np.floating]:
    return np.concatenate([np.load(path, mmap_mode="r")[rows] for path in paths], axis=-1)


def _bank(
    extractor: Extractor,
    images: NDArray[np.uint8],
    digests: Sequence[str],
    wanted: NDArray[np.bool_],
    views: int,
    seed: int,
    workers: int,
    advance: Callable[[int], None],
) -> NDArray[np.float16]:
    """[N, B, D]; what is not wanted is NaN, so that learning from it cannot go unnoticed."""

    def one(row: int) -> NDArray[np.float16] | None:
        if not wanted[row]:
            return None
        key = f"{digests[row]}-bank{views}.{seed}"
        known = extractor.cache.read(extractor.identity, key) if extractor.cache else {}
        if "bank" not in known:
            draws = planned(digests[row], views, seed)
            features = [extractor.pooled(augment(images[row], draw)[None]) for draw in draws]
            known = {"bank": np.concatenate(features)}
            if extractor.cache:
                extractor.cache.write(extractor.identity, key, known)
        return known["bank"].astype(np.float16)

    table: NDArray[np.float16] | None = None
    with ThreadPoolExecutor(workers) as pool:
        for row, found in enumerate(pool.map(one, range(len(images)))):
            if found is not None:
                if table is None:
                    table = np.full((len(images), *found.shape), np.nan, np.float16)
                table[row] = found
            advance(1)
    assert table is not None  # there are tested images
    return table


def _save(path: Path, values: NDArray[np.generic]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values)
    write_atomically(path, buffer.getvalue())
