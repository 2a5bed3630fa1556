"""Very many distinct phantom thumbnails, fast: skins and lesions of some hundred phantoms put together anew.

Each thumbnail has its own skin tone, its own shading and texture and its own lesions at places of its own, so no
two of them are near-duplicates; what shall be one is planted as a copy of another. A thumbnail depends on its
number alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from poxlens.data.phantom import LESIONS, draw, random_spec
from poxlens.files import write_atomically

SIDE = 128  # px
COPIES = ("crop", "mirror", "jpeg", "bright", "dark", "resize", "caption")
SHARE = 0.1  # of the thumbnails are copies of another
_SKINS, _DRAWN = 120, 240  # px of a drawn phantom
_STEP = 250  # thumbnails a task

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Crowd:
    """Thumbnails on disk."""

    folder: Path  # images/ with the thumbnails, manifest.csv
    copies: dict[int, int]  # number of a copy -> number of the original
    kinds: dict[int, str]  # number of a copy -> one of COPIES

    @property
    def manifest(self) -> Path:
        """The table of them."""
        return self.folder / "manifest.csv"


def name(number: int) -> str:
    """The file of a thumbnail."""
    return f"{number:06d}.jpg"


def make(folder: Path, count: int, *, workers: int = 2) -> Crowd:
    """Write `count` thumbnails, or take those that a former run has written whole."""
    crowd = _plan(folder, count)
    if crowd.manifest.exists():
        return crowd
    (folder / "images").mkdir(parents=True, exist_ok=True)
    parts = [(folder, count, start) for start in range(0, count, _STEP)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_write, parts))
    with io.StringIO(newline="") as text:
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("file", "label", "dataset"))
        for number in range(count):
            label = _label(crowd.copies.get(number, number))
            table.writerow((f"images/{name(number)}", label, f"source-{number % 3}"))
        write_atomically(crowd.manifest, text.getvalue())
    return crowd


def _plan(folder: Path, count: int) -> Crowd:
    """The last tenth are copies of thumbnails spread over the rest."""
    copies = int(count * SHARE)
    originals = count - copies
    pairs = {originals + k: (k * 7919) % originals for k in range(copies)}
    return Crowd(folder, pairs, {number: COPIES[number % len(COPIES)] for number in pairs})


def _write(task: tuple[Path, int, int]) -> None:
    folder, count, start = task
    crowd = _plan(folder, count)
    for number in range(start, min(start + _STEP, count)):
        original = crowd.copies.get(number)
        if original is None:
            data = _jpeg(Image.fromarray(thumbnail(number)), 88)
        else:
            first = Image.open(io.BytesIO(_jpeg(Image.fromarray(thumbnail(original)), 88))).convert("RGB")
            data = plant(first, crowd.kinds[number], _rng(number, 1))
        (folder / "images" / name(number)).write_bytes(data)


def plant(picture: Image.Image, kind: str, rng: np.random.Generator) -> bytes:
    """A near-duplicate as JPEG: one of COPIES."""
    quality = 40 if kind == "jpeg" else 85
    if kind == "crop":
        side = round(picture.width * 0.7), round(picture.height * 0.7)
        left, top = (
            rng.integers(0, picture.width - side[0] + 1),
            rng.integers(0, picture.height - side[1] + 1),
        )
        picture = picture.crop((left, top, left + side[0], top + side[1]))
    elif kind == "mirror":
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    elif kind in ("bright", "dark"):
        gain = 1.2 if kind == "bright" else 0.8
        picture = picture.point(lambda level: min(255, round(level * gain)))
    elif kind == "resize":
        size = round(picture.width * rng.choice([0.6, 0.8, 1.5]))
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    elif kind == "caption":
        picture = picture.copy()
        height = picture.height // 9
        top = int(rng.integers(0, 2)) * (picture.height - height)
        pen = ImageDraw.Draw(picture)
        pen.rectangle((0, top, picture.width, top + height), fill=(255, 255, 255))
        pen.text((4, top + 1), f"Fig. {rng.integers(1, 99)}", fill=(0, 0, 0))
    return _jpeg(picture, quality)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    with io.BytesIO() as stream:
        picture.save(stream, "JPEG", quality=quality)
        return stream.getvalue()


def _label(number: int) -> str:
    return LESIONS[number % len(LESIONS)]


def _rng(number: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([number, stream])))


def thumbnail(number: int) -> Pixels:
    """The thumbnail of a number, [SIDE, SIDE, 3]."""
    rng = _rng(number, 0)
    skin = _placed(_skins()[int(rng.integers(_SKINS))], rng).astype(np.float32)
    # Shading and texture of its own, from broad to fine.
    for cells, strength in ((3, 14.0), (9, 7.0), (28, 4.0)):
        field = rng.normal(0, strength, (cells, cells)).astype(np.float32)
        skin += cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)[..., None]
    stamps = _stamps(_label(number))
    for _ in range(int(rng.integers(3, 12))):
        _press(skin, stamps[int(rng.integers(len(stamps)))], rng)
    tone = rng.uniform(0.75, 1.15) * rng.uniform(0.94, 1.06, 3)
    skin *= tone.astype(np.float32)
    skin += rng.normal(0, 2.0, skin.shape).astype(np.float32)
    return np.clip(skin, 0, 255).astype(np.uint8)


def _placed(skin: Pixels, rng: np.random.Generator) -> Pixels:
    """A part of a drawn skin, turned and mirrored."""
    side = int(rng.integers(SIDE // 2, _DRAWN))
    left, top = rng.integers(0, _DRAWN - side + 1, 2)
    part = cv2.resize(skin[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.rot90(part, int(rng.integers(4)))[:, :: int(rng.choice([-1, 1]))]


def _press(skin: Floats, stamp: Floats, rng: np.random.Generator) -> None:
    """Add what a lesion changes at a random place, size and angle."""
    height, width = stamp.shape[:2]
    scale, angle = rng.uniform(0.5, 1.8), rng.uniform(0, 360)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    turn[:, 2] += rng.uniform(0, SIDE, 2) - (width / 2, height / 2)
    skin += cv2.warpAffine(stamp, turn, (SIDE, SIDE), flags=cv2.INTER_LINEAR) * rng.uniform(0.6, 1.2)


@cache
def _skins() -> list[Pixels]:
    return [draw(random_spec(seed, size=_DRAWN, lesion="none")).image for seed in range(_SKINS)]


@cache
def _stamps(lesion: str) -> list[Floats]:
    """What single lesions of a kind add to the skin below them, [h, w, 3] each."""
    return [
        stamp for seed in range(16) for stamp in _cut(draw(random_spec(seed, size=_DRAWN, lesion=lesion)))
    ]


def _cut(phantom: object) -> Iterator[Floats]:
    image, clean, mask = phantom.image, phantom.clean, phantom.mask  # type: ignore[attr-defined]
    added = image.astype(np.float32) - clean
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    for left, top, width, height, area in boxes[1:]:
        if area >= 60 and max(width, height) <= SIDE // 2:
            yield np.ascontiguousarray(added[top : top + height, left : left + width])
