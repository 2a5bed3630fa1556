"""Pillow's reader for one format, imported when a file of that format comes, and silent."""

from __future__ import annotations

import importlib
import warnings
from io import BytesIO

from PIL import Image

from poxlens.photo.unreadable import unreadable

_READERS = {
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "heic": ("pillow_heif.as_plugin", "HeifImageFile"),  # 20 ms of start-up that other photos do not need
}
_MAX_RLE_BYTES = 8_000_000  # Pillow unpacks run-length bitmaps in Python, about a second for 2 MB of runs


def open_header(data: bytes, kind: str) -> Image.Image:
    """The image with its header read and nothing decoded.

    The reader is named, not searched for: Image.open would let the file choose among forty, and import them.

    Raises:
        PhotoError: unsupported where Pillow was built without the format, too_large for a long run-length bitmap.
        Exception: whatever the reader raises on a damaged header.
    """
    _quiet_pillow()
    module, name = _READERS[kind]
    try:
        reader = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise unreadable("unsupported", f"this installation does not read {kind.upper()}") from error
    image: Image.Image = reader(BytesIO(data))
    if kind == "bmp" and len(data) > _MAX_RLE_BYTES and getattr(image, "tile", [("",)])[0][0] == "bmp_rle":
        raise unreadable("too_large", "a run-length bitmap of this size")
    return image


def _quiet_pillow() -> None:
    """Silence warnings raised inside Pillow, and only those: no file may write to a health worker's screen.

    Not `warnings.catch_warnings`, which restores the wrong filters when several threads decode.
    """
    if not any(entry is _quiet for entry in warnings.filters for _quiet in _quiet_entries):
        warnings.filterwarnings("ignore", module=r"PIL\.")
        _quiet_entries[:] = [warnings.filters[0]]


_quiet_entries: list[object] = []
