"""WebP, HEIC and AVIF: the size where the header tells it, the metadata made invisible to the decoders."""

from __future__ import annotations

from poxlens.photo.container import Container
from poxlens.photo.unreadable import unreadable

_MAX_BOXES = 1_000


def open_webp(data: bytes) -> Container:
    """A WebP with its canvas size; metadata are taken from the decoder.

    Raises:
        PhotoError: truncated, corrupt when the first chunk is none of the three that start a picture.
    """
    if len(data) < 30 or len(data) < 8 + int.from_bytes(data[4:8], "little") - 1:
        raise unreadable("truncated", "the file is shorter than it says")
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 ":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    else:
        raise unreadable("corrupt", "no picture in the WebP")
    # libwebp's animation decoder holds two canvases and the frame, Pillow two more copies of the result.
    return Container(data=data, size=(width, height), bytes_per_pixel=17.0)


def open_boxes(data: bytes) -> Container:
    """A HEIC or AVIF whose EXIF and XMP items carry a type that no decoder knows.

    The decoders would parse a hostile EXIF block; orientation comes from the picture's own properties here.

    Raises:
        PhotoError: truncated when a box ends outside the file, corrupt when there is no meta box.
    """
    position = 0
    for _ in range(_MAX_BOXES):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16], "big")
        elif size == 0:
            size = len(data) - position
        if kind == b"meta":
            end = position + size
            if end > len(data):
                raise unreadable("truncated", "the file ends inside its header")
            meta = data[position:end].replace(b"Exif", b"none").replace(b"mime", b"none")
            return Container(data=b"".join((data[:position], meta, data[end:])), bytes_per_pixel=12.0)
        if size < 8 or position + size > len(data):
            raise unreadable("truncated", "the file ends before its header")
        position += size
        if position >= len(data):
            break
    raise unreadable("corrupt", "no picture in the file")
