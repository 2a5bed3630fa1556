"""The header of a JPEG, segment by segment, for whoever wants to know more of a file than its picture."""

from __future__ import annotations

from collections.abc import Iterator

_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_SOS, _EOI = 0xDA, 0xD9
_MOST = 5_000  # as many as the decoder walks; a photo has about 20


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment before the first scan; ends at the first thing that is not a segment.

    Args:
        data: the bytes of a JPEG file; other bytes give nothing.
    """
    if data[:2] != b"\xff\xd8":
        return
    position = 2
    for _ in range(_MOST):
        at = data.find(b"\xff", position)
        while at >= 0 and at + 1 < len(data) and data[at + 1] in (0x00, 0xFF):
            at = data.find(b"\xff", at + 1)
        if at < 0 or at + 4 > len(data):
            return
        marker = data[at + 1]
        if marker in _STANDALONE:
            position = at + 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (_SOS, _EOI) or length < 2 or at + 2 + length > len(data):
            return
        position = at + 2 + length
        yield marker, data[at + 4 : position]
