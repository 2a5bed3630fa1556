"""TIFF: a new, short directory with only the tags that a picture needs takes the place of the file's own.

A directory may point at itself, at gigabytes, at the same megabyte 65,535 times or at more strips than the
picture has rows, and Pillow follows. Rewriting it ends that, drops the metadata and costs one copy.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from poxlens.photo.container import Container
from poxlens.photo.unreadable import unreadable

_WIDTH, _HEIGHT, _BITS, _STRIPS, _ORIENTATION, _SAMPLES = 256, 257, 258, 273, 274, 277
_ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = (
    278, 279, 284, 322, 323, 324, 325,
)  # fmt: skip
_ICC = 34675
_OFFSETS = {_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES}
_COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _PREDICTOR, _COLOUR_MAP = 259, 262, 266, 317, 320
_KEEP = {
    _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _STRIPS, _SAMPLES, _ROWS_PER_STRIP,
    _STRIP_BYTES, _PLANAR, 292, 293, _PREDICTOR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES,
    332, 338, 339, 347, 529, 530, 531, 532,  # inks, extra samples, sample format, JPEG tables, YCbCr
}  # fmt: skip
_UNITS = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_MAX_TAGS = 4_096
_MAX_VALUES = 70_000  # of one tag that is no offset; JPEG tables and 16-bit colour maps are the longest
_MAX_PIECES = 400_000  # strips or tiles; 100 MP in tiles of 16 x 16
_MAX_PROFILE = 4_000_000


@dataclass(frozen=True)
class _Tag:
    kind: int
    count: int
    value: bytes  # the value field itself: the value, or the offset of it


class _Directory:
    """The first directory of a classic or big TIFF."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = data[2:4] in (b"+\0", b"\0+")
        self.word = "Q" if self.big else "L"
        self.word_bytes = 8 if self.big else 4
        try:
            self.start = self._unpack(self.word, 8 if self.big else 4)
            self.tags = self._read()
        except struct.error as error:
            raise unreadable("truncated", "the file ends before its directory") from error

    def _unpack(self, kind: str, offset: int) -> int:
        return int(struct.unpack_from(self.order + kind, self.data, min(offset, len(self.data)))[0])

    def _read(self) -> dict[int, _Tag]:
        count = self._unpack("Q" if self.big else "H", self.start)
        if count > _MAX_TAGS:
            raise unreadable("corrupt", f"a directory of {count} tags")
        head, step = (8, 20) if self.big else (2, 12)
        tags: dict[int, _Tag] = {}
        for index in range(count):
            at = self.start + head + step * index
            values = self._unpack(self.word, at + 4)
            field = self.data[at + 4 + self.word_bytes : at + step]
            tags.setdefault(self._unpack("H", at), _Tag(self._unpack("H", at + 2), values, field))
        return tags

    def raw(self, number: int) -> bytes | None:
        """The bytes of a tag's values; None when it is absent or points outside the file."""
        tag = self.tags.get(number)
        if tag is None or tag.kind not in _UNITS:
            return None
        size = tag.count * _UNITS[tag.kind]
        if size <= self.word_bytes:
            return tag.value[:size]
        offset = int(struct.unpack(self.order + self.word, tag.value)[0])
        return self.data[offset : offset + size] if offset + size <= len(self.data) else None

    def number(self, number: int, default: int) -> int:
        """The first value of a tag of unsigned integers."""
        raw, tag = self.raw(number), self.tags.get(number)
        kind = {1: "B", 3: "H", 4: "L", 16: "Q"}.get(tag.kind) if tag else None
        if raw is None or kind is None or len(raw) < _UNITS[tag.kind if tag else 1]:
            return default
        return int(struct.unpack_from(self.order + kind, raw)[0])


def open_tiff(data: bytes) -> Container:
    """The file with a directory of its picture's tags only; orientation and colour profile taken out.

    Raises:
        PhotoError: truncated (the directory or the list of strips is not there), corrupt (no size, absurd
            counts).
    """
    directory = _Directory(data)
    width, height = directory.number(_WIDTH, 0), directory.number(_HEIGHT, 0)
    if width < 1 or height < 1:
        raise unreadable("corrupt", "a TIFF without a size")
    pieces, piece_pixels = _pieces(directory, width, height)
    orientation = directory.number(_ORIENTATION, 1)
    icc = directory.raw(_ICC)
    samples = max(directory.number(_SAMPLES, 1), 1)
    sample_bytes = max(directory.number(_BITS, 1), 8) / 8
    buffer = 0.0  # of the decoder, for one strip or tile
    if directory.number(_COMPRESSION, 1) != 1:
        buffer = samples * sample_bytes * piece_pixels
    return Container(
        data=_rewrite(directory, pieces),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        icc=icc if icc and len(icc) <= _MAX_PROFILE else None,
        size=(width, height),
        # The decoded image and the copy for alpha or 8 bits.
        bytes_per_pixel=(8.0 if samples in (2, 4) else 5.0) + buffer / (width * height),
    )


def _pieces(directory: _Directory, width: int, height: int) -> tuple[int, int]:
    """How many strips or tiles the picture has by its size, and the pixels of one."""
    planes = max(directory.number(_SAMPLES, 1), 1) if directory.number(_PLANAR, 1) == 2 else 1
    if _TILES in directory.tags:
        tile_width = max(directory.number(_TILE_WIDTH, 0), 1)
        tile_height = max(directory.number(_TILE_HEIGHT, 0), 1)
        pieces, pixels = -(-width // tile_width) * -(-height // tile_height), tile_width * tile_height
    else:
        rows = min(max(directory.number(_ROWS_PER_STRIP, height), 1), height)
        pieces, pixels = -(-height // rows), rows * width
    if pieces * planes > _MAX_PIECES:
        raise unreadable("corrupt", f"{pieces * planes} strips or tiles")
    return pieces * planes, pixels


def _rewrite(directory: _Directory, pieces: int) -> bytes:
    order, word = directory.order, directory.word
    entries: list[bytes] = []
    for number in sorted(_KEEP & set(directory.tags)):
        tag = directory.tags[number]
        limit = pieces if number in _OFFSETS else _MAX_VALUES
        if directory.raw(number) is None:
            raise unreadable("truncated", f"tag {number} points outside the file")
        count, value = min(tag.count, limit), tag.value
        if number in _OFFSETS and count < tag.count:
            # Fewer values may fit into the field itself, where the list of them was elsewhere.
            values = (directory.raw(number) or b"")[: count * _UNITS[tag.kind]]
            value = (
                values.ljust(directory.word_bytes, b"\0") if len(values) <= directory.word_bytes else value
            )
        entries.append(struct.pack(order + "HH" + word, number, tag.kind, count) + value)
    start = len(directory.data) + len(directory.data) % 2
    if not directory.big and start > 0xFFFFFFFF - 12 * len(entries) - 6:
        raise unreadable("too_large", "a classic TIFF of 4 GB")
    head = (
        directory.data[:8] + struct.pack(order + "Q", start)
        if directory.big
        else (directory.data[:4] + struct.pack(order + "L", start))
    )
    count_field = struct.pack(order + ("Q" if directory.big else "H"), len(entries))
    tail = count_field + b"".join(entries) + struct.pack(order + word, 0)
    body = memoryview(directory.data)[len(head) :]
    return b"".join((head, body, b"\0" * (len(directory.data) % 2), tail))
