"""A photo file to upright sRGB pixels: any common format, any damage, bounded time and memory, no metadata.

Choices, with their reasons in docs/photo.md: the type is told by content; a photo whose end is missing is
refused (`unreadable.truncated`), since decoders fill the rest with grey and a lesion may be in it; the first
frame of an animation is taken; transparency is composed on white; what can be decoded in full is assessed,
however odd.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.photo import colour, exif
from poxlens.photo.boxes import open_boxes, open_webp
from poxlens.photo.container import Container
from poxlens.photo.formats import sniff
from poxlens.photo.gif import open_gif
from poxlens.photo.jpeg import open_jpeg
from poxlens.photo.plugins import open_header, return_large_memory
from poxlens.photo.png import open_png
from poxlens.photo.source import read_source
from poxlens.photo.tiff import open_tiff
from poxlens.photo.unreadable import UNREADABLE, as_photo_errors, unreadable

__all__ = ["UNREADABLE", "Photo", "decode"]

WORKING_SIDE = 256  # px; at or above the model's input, and twice as fast over a folder as 512
MAX_PIXELS = 100_000_000
MAX_MEMORY = 1_250_000_000  # bytes for one photo, so that the process stays under 1.5 GB
_HEAVY = 128_000_000  # bytes; photos that need more are decoded one at a time, whatever the number of threads
_MAX_ASPECT = 16  # a longer strip is reduced further: it is refused by its aspect anyway
_heavy = threading.RLock()

_OPENERS: dict[str, Callable[[bytes], Container]] = {
    "jpeg": open_jpeg,
    "png": open_png,
    "gif": open_gif,
    "tiff": open_tiff,
    "webp": open_webp,
    "heic": open_boxes,
    "avif": open_boxes,
    "bmp": lambda data: Container(data=data, bytes_per_pixel=6.0),
}


@dataclass(frozen=True)
class Photo:
    """A decoded photo, without anything that the file said beside its picture."""

    pixels: NDArray[np.uint8]  # [H, W, 3], sRGB, upright, 0-255; may be smaller than the file's image
    width: int  # upright width of the file's image before any scaling, px
    height: int  # upright height, px
    format: str  # "jpeg", "png", "webp", "heic", "avif", "tiff", "bmp" or "gif", by content


def decode(
    source: str | Path | bytes | BinaryIO, *, working_side: int = WORKING_SIDE, max_pixels: int = MAX_PIXELS
) -> Photo:
    """Decode one photo.

    Args:
        source: a path, the file's bytes, or a stream opened in binary mode.
        working_side: a larger photo is reduced (a JPEG while it is decoded, others by an integer box filter)
            until its short side is in [working_side, 2 x working_side), px.
        max_pixels: images with more pixels are refused by their header, before anything is decoded.

    Raises:
        PhotoError: with one of the reasons in UNREADABLE.
        TypeError: when a stream gives text.
        ValueError: when working_side or max_pixels is not positive.
    """
    if working_side < 1 or max_pixels < 1:
        raise ValueError("working_side and max_pixels must be positive")
    data = read_source(source)
    kind = sniff(data)
    with _heavy if len(data) > _HEAVY // 4 else nullcontext(), as_photo_errors():
        container = _OPENERS[kind](data)
        del data
        return _decode(container, kind, working_side, max_pixels)


def _decode(container: Container, kind: str, working_side: int, max_pixels: int) -> Photo:
    if container.size is not None:
        _check_size(container, container.size, max_pixels)
    image = open_header(container, kind)
    _check_size(container, image.size, max_pixels)
    if kind == "jpeg" and container.size is not None and image.size != container.size:
        raise unreadable("corrupt", "two sizes")
    stored = image.size
    factor = _factor(stored, working_side)
    heavy = _memory(container, stored) > _HEAVY
    with _heavy if heavy else nullcontext():
        if heavy:
            return_large_memory()
        if kind == "jpeg":
            image.draft(None, (max(1, stored[0] // factor), max(1, stored[1] // factor)))
        image.load()
        icc = container.icc or image.info.get("icc_profile")
        # Bound to the same name at each step, so that 100 megapixels are held once, at most twice.
        image = colour.to_eight_bits(image)
        image = _reduce(image, icc, working_side)
        image = colour.to_srgb(colour.on_white(image), icc)
        image = exif.upright(image, container.orientation)
    turned = container.orientation >= 5
    return Photo(
        pixels=np.array(image, dtype=np.uint8),
        width=stored[1] if turned else stored[0],
        height=stored[0] if turned else stored[1],
        format=kind,
    )


def _reduce(image: Image.Image, icc: bytes | None, side: int) -> Image.Image:
    if image.mode == "LAB":  # its a and b are signed: averaging them as bytes would be wrong
        image = colour.to_srgb(image, icc)
    factor = _factor(image.size, side)
    return image.reduce(factor) if factor > 1 else image


def _factor(size: tuple[int, int], side: int) -> int:
    """The integer to divide a size by, so that its short side stays >= `side` (a long strip's may not)."""
    short, long = min(size), max(size)
    return max(1, short // side, -(-long // (_MAX_ASPECT * 2 * side)))


def _memory(container: Container, size: tuple[int, int]) -> float:
    return size[0] * size[1] * container.bytes_per_pixel + len(container.data)


def _check_size(container: Container, size: tuple[int, int], max_pixels: int) -> None:
    if min(size) < 1:
        raise unreadable("corrupt", "an image without pixels")
    if size[0] * size[1] > max_pixels:
        raise unreadable(
            "too_large", f"{size[0]} x {size[1]} pixels, at most {max_pixels // 1_000_000} megapixels"
        )
    if _memory(container, size) > MAX_MEMORY:
        raise unreadable("too_large", f"{size[0]} x {size[1]} pixels of this format need too much memory")
