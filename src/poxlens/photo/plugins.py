"""Pillow's reader for one format, imported when a file of that format comes, and silent."""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import re
import warnings

from PIL import Image

from poxlens.photo.container import Container
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


def open_header(container: Container, kind: str) -> Image.Image:
    """The image with its header read and nothing decoded.

    The reader is named, not searched for: Image.open would let the file choose among forty, and import them.

    Raises:
        PhotoError: unsupported where Pillow lacks the format, too_large for a long run-length bitmap.
        Exception: whatever the reader raises on a damaged header.
    """
    _quiet_pillow()
    if kind == "tiff":
        _quiet_libtiff()
    module, name = _READERS[kind]
    try:
        reader = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise unreadable("unsupported", f"this installation does not read {kind.upper()}") from error
    image: Image.Image = reader(container.stream())
    if (
        kind == "bmp"
        and len(container.data) > _MAX_RLE_BYTES
        and getattr(image, "tile", [("",)])[0][0] == "bmp_rle"
    ):
        raise unreadable("too_large", "a run-length bitmap of this size")
    return image


@functools.cache
def return_large_memory() -> None:
    """Have Pillow take large images from the system in pieces that go back to it at once.

    Its usual pieces of 16 MB stay in the heap of the thread that freed them: four threads that decoded 99 MP
    one after the other held 1.8 GB, with pieces of 64 MB (above malloc's largest threshold) 0.9 GB.
    """
    from PIL import _imaging

    _imaging.set_block_size(max(_imaging.get_block_size(), 64 << 20))


def _quiet_pillow() -> None:
    """Silence warnings raised inside Pillow, and only those: no file may write to a health worker's screen.

    Not `warnings.catch_warnings`, which restores the wrong filters when several threads decode.
    """
    _LOG.addHandler(_NOWHERE)  # else logging prints what has no handler; adding it twice does nothing
    if _QUIET not in warnings.filters:
        warnings.filterwarnings("ignore", module=_QUIET[3].pattern)


@functools.cache
def _quiet_libtiff() -> None:
    """Take away libtiff's error handler, which prints to the standard error stream line by line.

    Where Pillow was linked in a way that hides the function, the lines stay; nothing else changes.
    """
    import ctypes

    from PIL import _imaging

    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(_imaging.__file__)
        for setter in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
            setter.restype = ctypes.c_void_p
            setter.argtypes = [ctypes.c_void_p]
            setter(None)


_LOG = logging.getLogger("PIL")
_NOWHERE = logging.NullHandler()
_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)  # as filterwarnings stores it
