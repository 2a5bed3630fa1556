"""GIF: the first frame and its transparency, without comments, application blocks or later frames."""

from __future__ import annotations

from poxlens.photo.container import Container
from poxlens.photo.unreadable import unreadable

_MAX_BLOCKS = 2_000_000  # blocks of 255 bytes: 500 MB; a file of one-byte blocks must not keep us busy
_EXTENSION, _IMAGE, _TRAILER, _GRAPHIC_CONTROL = 0x21, 0x2C, 0x3B, 0xF9


def open_gif(data: bytes) -> Container:
    """The first frame as a GIF of its own: Pillow joins comments in quadratic time, so it must not see them.

    Raises:
        PhotoError: truncated, or corrupt when there is no frame.
    """
    if len(data) < 13:
        raise unreadable("truncated", "no GIF header")
    position = 13 + _table_bytes(data[10])
    head, control = data[:position], b""
    for _ in range(_MAX_BLOCKS):
        kind = data[position : position + 1]
        if not kind:
            raise unreadable("truncated", "the file ends before its first frame")
        if kind[0] == _EXTENSION:
            end = _skip_blocks(data, position + 2)
            if data[position + 1 : position + 2] == bytes([_GRAPHIC_CONTROL]):
                control = data[position:end]
            position = end
        elif kind[0] == _IMAGE:
            if position + 11 > len(data):
                raise unreadable("truncated", "the file ends in its first frame")
            end = _skip_blocks(data, position + 11 + _table_bytes(data[position + 9]))
            break
        elif kind[0] == _TRAILER:
            raise unreadable("corrupt", "a GIF without a frame")
        else:
            position += 1  # some encoders pad between blocks
    else:
        raise unreadable("corrupt", "too many blocks before the first frame")
    return Container(
        data=b"".join((head, control, data[position:end], b"\x3b")),
        size=(int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")),
        bytes_per_pixel=9.0,
    )


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: bytes, position: int) -> int:
    """The end of a chain of sub-blocks that starts at `position`."""
    for _ in range(_MAX_BLOCKS):
        if position >= len(data):
            raise unreadable("truncated", "the file ends inside a frame")
        length = data[position]
        position += 1 + length
        if length == 0:
            return position
    raise unreadable("corrupt", "too many blocks")
