"""Every kind of pixel to 8-bit sRGB: deep greys, palettes, alpha, CMYK, Lab and colour profiles."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK", "LAB": b"Lab "}
_SRGB_NAMES = (b"sRGB", b"s\0R\0G\0B")
_WHITE = 255
_BAND = 256


def to_eight_bits(image: Image.Image) -> Image.Image:
    """The image in a mode of 8 bits a channel that can be reduced: L, RGB, RGBA, CMYK, LAB or YCbCr.

    Deep grey: 16 bits are divided by 257; 32-bit integers and floats by the smallest of 1 (floats only), 255,
    65,535 and 2^32 - 1 that holds their largest value, as files say nothing about their range.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return _from_sixteen_bits(image)
    if mode in ("I", "F"):
        return _from_thirty_two_bits(image)
    if mode in ("LA", "La", "PA", "RGBa") or (
        mode in ("P", "L", "RGB", "1") and "transparency" in image.info
    ):
        if mode in ("La", "RGBa"):
            image = image.convert({"La": "LA", "RGBa": "RGBA"}[mode])
        return image.convert("RGBA")
    if mode == "P":
        return image.convert("RGB")
    return image.convert("L") if mode == "1" else image


def on_white(image: Image.Image) -> Image.Image:
    """An RGBA image composed on white, as a browser shows it; any other image as it is."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (_WHITE, _WHITE, _WHITE, _WHITE))
    return Image.alpha_composite(ground, image).convert("RGB")


def to_srgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """The image as RGB in sRGB, through `icc` where that is a valid profile for this kind of image.

    A profile that is damaged, or made for another kind of pixels, is ignored: the photo is still a photo.
    CMYK without a profile is converted by the plain formula. Perceptual intent.
    """
    if icc is not None and len(icc) > 128 and icc[16:20] == _SPACES.get(image.mode) and not _is_srgb(icc):
        converted = _through_profile(image, icc)
        if converted is not None:
            return converted
    if image.mode == "LAB":
        return _through_profile(image, None) or image.convert("L").convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_srgb(icc: bytes) -> bool:
    """Whether the description says sRGB: most profiles do, and going from sRGB to sRGB costs milliseconds."""
    at = icc.find(b"desc", 128)  # first the table's entry: name, offset, length
    if at < 0:
        return False
    offset, length = int.from_bytes(icc[at + 4 : at + 8], "big"), int.from_bytes(icc[at + 8 : at + 12], "big")
    description = icc[offset : offset + min(length, 256)]
    return any(name in description for name in _SRGB_NAMES)


def _through_profile(image: Image.Image, icc: bytes | None) -> Image.Image | None:
    from PIL import ImageCms  # 5 ms of start-up that most photos do not need

    try:
        source: Any = (
            ImageCms.createProfile("LAB") if icc is None else ImageCms.ImageCmsProfile(io.BytesIO(icc))
        )
        target: Any = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _bands(image: Image.Image) -> Iterator[tuple[int, NDArray[Any]]]:
    """The pixels in bands of 256 rows, each with its first row: an array of 100 megapixels costs 800 MB."""
    for top in range(0, image.height, _BAND):
        yield top, np.asarray(image.crop((0, top, image.width, min(top + _BAND, image.height))))


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    eight = np.empty((image.height, image.width), np.uint8)
    for top, band in _bands(image):
        eight[top : top + _BAND] = (band.astype(np.uint32) * 255 + 32_895) >> 16  # = round(v / 257)
    return Image.fromarray(eight)


def _from_thirty_two_bits(image: Image.Image) -> Image.Image:
    with np.errstate(invalid="ignore"):
        largest = max(float(np.max(band, where=np.isfinite(band), initial=0)) for _, band in _bands(image))
    ranges = (1.0, 255.0, 65535.0, 4294967295.0) if image.mode == "F" else (255.0, 65535.0, 4294967295.0)
    full = next((value for value in ranges if largest <= value), largest)
    eight = np.empty((image.height, image.width), np.uint8)
    for top, band in _bands(image):
        values = np.nan_to_num(band.astype(np.float64), nan=0.0, posinf=full, neginf=0.0)
        eight[top : top + _BAND] = np.clip(np.rint(values * (255.0 / full)), 0, 255)
    return Image.fromarray(eight)
