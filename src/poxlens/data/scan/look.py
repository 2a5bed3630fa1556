"""One look at the bytes of one file: every fact of it that needs no other file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from poxlens.data import phash
from poxlens.data.fingerprint import SIDE
from poxlens.data.scan.traits import TRAITS, traits_of
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.decode import Photo, decode
from poxlens.photo.jpeg_quality import compression
from poxlens.photo.personal import personal_kinds
from poxlens.photo.quality import canonical
from poxlens.photo.skin import skin_mask, skin_tone

THUMB = 48  # px
_TONE_SIDE = 120  # px
_WORKING_SIDE = 256  # px: photos of 512 px and more are reduced while they are decoded

cv2.setNumThreads(1)  # the scan's workers are the parallel part


@dataclass(frozen=True, eq=False)
class Look:
    """The facts of one file, with the small copies that are worked on many at once."""

    fault: str
    width: int
    height: int
    format: str
    jpeg_quality: float
    personal: tuple[str, ...]
    pixels_sha256: str
    traits: NDArray[np.float32]  # [len(TRAITS)]
    ita: float
    thumb: NDArray[np.uint8]  # [THUMB, THUMB]
    grey: NDArray[np.uint8]  # [32, 32]
    square: NDArray[np.uint8]  # [SIDE, SIDE, 3]


def look(data: bytes, *, hashes_only: bool = False) -> Look:
    """The facts of a file's bytes; a file that is no photo gives a fault, never an error.

    Args:
        data: the bytes of the file.
        hashes_only: what whole copies are found by and no more: traits and tone are NaN, `square` is black.
    """
    try:
        photo = decode(data, working_side=_WORKING_SIDE)
    except PhotoError as error:
        return failed(f"{error.reason}: {error.client_message}")
    return _hashed(photo) if hashes_only else _facts(photo, data)


def failed(fault: str) -> Look:
    """What is known of a file that cannot be read."""
    return Look(
        fault, 0, 0, "", math.nan, (), "", np.full(len(TRAITS), np.nan, np.float32), math.nan,
        np.zeros((THUMB, THUMB), np.uint8), np.zeros((phash.SIDE, phash.SIDE), np.uint8),
        np.zeros((SIDE, SIDE, 3), np.uint8),
    )  # fmt: skip


def _facts(photo: Photo, data: bytes) -> Look:
    pixels = photo.pixels
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = canonical(pixels)
    mask = skin_mask(small)
    # Every second pixel of a large copy: a quarter of the time, and the same angle within half a degree.
    step = 2 if min(mask.shape) >= _TONE_SIDE else 1
    tone = skin_tone(small[::step, ::step], mask[::step, ::step])
    header = compression(data)
    personal = personal_kinds(data, photo.format)
    return replace(
        _hashed(photo, grey),
        jpeg_quality=header.quality,
        personal=personal,
        traits=traits_of(photo, grey, small, float(mask.mean()), header, len(data), len(personal)),
        ita=math.nan if tone.ita is None else tone.ita,
        square=cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA),
    )


def _hashed(photo: Photo, grey: NDArray[np.uint8] | None = None) -> Look:
    pixels = photo.pixels
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if grey is None else grey
    height, width = pixels.shape[:2]
    size = f"{photo.width}x{photo.height}:{width}x{height}:".encode()
    return replace(
        failed(""),
        width=photo.width,
        height=photo.height,
        format=photo.format,
        pixels_sha256=sha256_bytes(size + pixels.tobytes()),
        thumb=cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA),
        grey=cv2.resize(grey, (phash.SIDE, phash.SIDE), interpolation=cv2.INTER_AREA),
    )
