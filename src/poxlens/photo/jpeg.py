"""JPEG: keep what the decoder needs of the header, drop the metadata, refuse what would take for ever.

Pillow reads every application segment, byte by byte where there is junk between them, and joins EXIF pieces;
a hostile file makes that take minutes and gigabytes. So the segments are walked here first.
"""

from __future__ import annotations

from poxlens.photo import exif
from poxlens.photo.container import Container
from poxlens.photo.unreadable import unreadable

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14, _COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_STANDALONE = {0x01, _SOI, *range(0xD0, 0xD8)}
_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_MAX_SEGMENTS = 5_000  # a photo has about 20, plus one per 64 KB of metadata
_MAX_SCAN_WORK = 2_000_000_000  # scans x pixels; 100 MP in 18 scans, as CMYK has, 12 MP in 160


def open_jpeg(data: bytes) -> Container:
    """The header without metadata, plus the scans; orientation and colour profile taken out.

    Raises:
        PhotoError: truncated before the first scan, corrupt (no or two frame headers, too many segments,
            more scans than its pixels justify).
    """
    keep = [b"\xff\xd8"]
    exif_block: bytes | None = None
    profile: list[bytes] = []
    frame: tuple[int, bytes] | None = None
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker, start, end = _segment(data, position)
        position = end
        if marker in _STANDALONE:
            continue
        body = data[start + 2 : end] if marker in (_APP0, _APP1, _APP2, _APP14) or marker in _SOF else b""
        if marker == _SOS:
            break
        if marker in _SOF:
            if frame is not None:
                raise unreadable("corrupt", "two frame headers")
            frame = (marker, body)
        if marker == _APP1 and exif_block is None and body.startswith(b"Exif\0\0"):
            exif_block = body
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):
            profile.append(body)
        if marker < _APP0 or body.startswith((b"JFIF\0", b"Adobe")):
            keep.append(data[start - 2 : end])
    else:
        raise unreadable("corrupt", "too many segments before the image")
    if frame is None or len(frame[1]) < 6:
        raise unreadable("corrupt", "no frame header")
    height, width = int.from_bytes(frame[1][1:3], "big"), int.from_bytes(frame[1][3:5], "big")
    components = max(frame[1][5], 1)
    # In entropy-coded data FF is always followed by 00 or a restart marker, so this counts scans.
    single = frame[0] not in _PROGRESSIVE and data[start + 2] == components
    scans = 1 if single else data.count(b"\xff\xda", start - 2)
    if scans > 1 and scans * width * height > _MAX_SCAN_WORK:
        raise unreadable("corrupt", f"{scans} scans over {width} x {height} pixels")
    coefficients = 2.0 * components if frame[0] in _PROGRESSIVE or scans > 1 else 0.0
    return Container(
        data=data,
        head=b"".join(keep),
        start=start - 2,
        orientation=exif.orientation(exif_block) if exif_block else 1,
        icc=_join_profile(profile),
        size=(width, height),
        bytes_per_pixel=1.0 + coefficients,  # the pixels are scaled down while they are decoded
    )


def _segment(data: bytes, position: int) -> tuple[int, int, int]:
    """Marker, start of its length field and end of the segment found at or after `position`."""
    at = data.find(b"\xff", position)
    while at >= 0 and at + 1 < len(data) and data[at + 1] in (0x00, 0xFF):
        at = data.find(b"\xff", at + 1)
    if at < 0 or at + 4 > len(data):
        raise unreadable("truncated", "the file ends inside its header")
    marker = data[at + 1]
    if marker == _EOI:
        raise unreadable("truncated", "the image ends before it begins")
    if marker in _STANDALONE:
        return marker, at + 2, at + 2
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    if length < 2:
        raise unreadable("corrupt", "a segment of impossible length")
    if at + 2 + length > len(data):
        raise unreadable("truncated", "the file ends inside its header")
    return marker, at + 2, at + 2 + length


def _join_profile(pieces: list[bytes]) -> bytes | None:
    """The colour profile out of its numbered pieces; None when one is missing."""
    if not pieces or len(pieces) > 255 or any(len(piece) < 14 for piece in pieces):
        return None
    ordered = sorted(pieces, key=lambda piece: piece[12])
    if [piece[12] for piece in ordered] != list(range(1, ordered[0][13] + 1)):
        return None
    return b"".join(piece[14:] for piece in ordered)
