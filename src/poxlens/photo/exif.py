"""The one thing taken from EXIF: which way is up. Everything else in it is never looked at."""

from __future__ import annotations

from PIL import Image

_ORIENTATION = 0x0112
_SHORT = 3
_MAX_ENTRIES = 512  # a camera writes about 15 in the first directory

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(exif: bytes) -> int:
    """EXIF orientation 1-8 of a TIFF-structured block; 1 when it has none or is damaged.

    Reads the first directory only and follows no pointer but the one to it, so that a directory that points
    at itself or claims huge counts costs nothing.
    """
    if exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(exif[:4])
    if order is None:
        return 1

    def number(offset: int, length: int) -> int:
        return int.from_bytes(exif[offset : offset + length], "little" if order == "little" else "big")

    start = number(4, 4)
    for entry in range(min(number(start, 2), _MAX_ENTRIES)):
        at = start + 2 + 12 * entry
        if at + 12 > len(exif):
            return 1
        if number(at, 2) == _ORIENTATION:
            value = number(at + 8, 2)
            return value if number(at + 2, 2) == _SHORT and 1 <= value <= 8 else 1
    return 1


def upright(image: Image.Image, value: int) -> Image.Image:
    """The image turned and mirrored as orientation `value` (1-8) asks."""
    return image.transpose(_UPRIGHT[value]) if value in _UPRIGHT else image
