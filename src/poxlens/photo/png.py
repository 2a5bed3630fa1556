"""PNG: keep the chunks that carry the picture, drop the rest (text, time, animation), read two of them."""

from __future__ import annotations

import zlib

from poxlens.photo import exif
from poxlens.photo.container import Container
from poxlens.photo.unreadable import unreadable

_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_MAX_CHUNKS = 200_000  # 100 MP in the usual 8 KB chunks are about 40,000
_MAX_PROFILE = 4_000_000  # bytes; the largest CMYK printing profiles have 2-3 MB


def open_png(data: bytes) -> Container:
    """The picture's chunks; orientation and colour profile taken out. An animation gives its still image.

    Raises:
        PhotoError: corrupt (no header first, too many chunks), truncated.
    """
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise unreadable("truncated" if len(data) < 33 else "corrupt", "no PNG header")
    view = memoryview(data)
    keep: list[memoryview] = [view[:8]]
    value, icc, position, dropped = 1, None, 8, False
    for _ in range(_MAX_CHUNKS):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, end = data[position + 4 : position + 8], position + 12 + length
        if kind in _PICTURE or end > len(data):
            # The last, cut chunk goes in as it is: the decoder says whether enough of it is there.
            keep.append(view[position:end])
        else:
            dropped = True
            body = data[position + 8 : end - 4] if kind in (b"eXIf", b"iCCP") else b""
            value = exif.orientation(body) if kind == b"eXIf" else value
            icc = _profile(body) if kind == b"iCCP" and icc is None else icc
        position = end
        if kind == b"IEND" or end >= len(data):
            break
    else:
        raise unreadable("corrupt", "too many chunks")
    return Container(
        data=b"".join(keep) if dropped else data,
        orientation=value,
        icc=icc,
        size=(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")),
        bytes_per_pixel=9.0,  # 4 decoded, 4 for a copy with alpha or premultiplied; measured 8.8
    )


def _profile(body: bytes) -> bytes | None:
    """The colour profile of an iCCP chunk; None when it is damaged or grows beyond all sense."""
    name, separator, rest = body.partition(b"\0")
    if not separator or len(name) > 79 or rest[:1] != b"\0":
        return None
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(rest[1:], _MAX_PROFILE)
    except zlib.error:
        return None
    return profile if inflate.eof else None
