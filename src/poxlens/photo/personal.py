"""What a photo file tells about a person beside its picture: place, camera, serial number, date, name, comment.

Only whether each kind is there is told, never its content: the values stay in the file. Every walk is bounded,
as the files come from anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from poxlens.photo.jpeg_segments import segments

KINDS = ("gps", "camera", "serial", "date", "name", "comment", "thumbnail")
"""The kinds, in the order in which they are listed."""

_MAX_ENTRIES = 512  # of one EXIF directory; a camera writes about 40
_MAX_XMP = 1 << 20  # bytes searched
_MAX_CHUNKS = 2_000

# EXIF 2.32 (CIPA DC-008) tags; the XP ones are Windows'.
_TAGS = {
    0x010F: "camera", 0x0110: "camera", 0xA433: "camera", 0xA434: "camera", 0x927C: "camera",
    0xA431: "serial", 0xA435: "serial", 0xC62F: "serial", 0xA420: "serial",
    0x0132: "date", 0x9003: "date", 0x9004: "date",
    0x013B: "name", 0x8298: "name", 0x9C9D: "name", 0xA430: "name",
    0x010E: "comment", 0x9286: "comment", 0x9C9B: "comment", 0x9C9C: "comment", 0x9C9E: "comment", 0x9C9F: "comment",
}  # fmt: skip
_EXIF_POINTER, _GPS_POINTER, _THUMBNAIL = 0x8769, 0x8825, 0x0201
_GPS_PLACE = {2, 4, 6}  # latitude, longitude, altitude: a directory with only a version tells no place
_UNITS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}

_XMP_WORDS = (
    (b"GPSLatitude", "gps"), (b"photoshop:City", "gps"), (b"Iptc4xmpCore:Location", "gps"),
    (b"tiff:Make", "camera"), (b"tiff:Model", "camera"), (b"aux:Lens", "camera"), (b"SerialNumber", "serial"),
    (b"DateTimeOriginal", "date"), (b"xmp:CreateDate", "date"), (b"photoshop:DateCreated", "date"),
    (b"dc:creator", "name"), (b"dc:rights", "name"), (b"aux:OwnerName", "name"), (b"mwg-rs:Name", "name"),
    (b"dc:description", "comment"), (b"dc:title", "comment"), (b"dc:subject", "comment"),
    (b"xmp:Thumbnails", "thumbnail"),
)  # fmt: skip
# IPTC-IIM record 2 data sets.
_IPTC = {
    5: "comment", 25: "comment", 105: "comment", 120: "comment", 55: "date", 80: "name", 116: "name", 122: "name",
    90: "gps", 92: "gps", 95: "gps",
}  # fmt: skip
_PNG_WORDS = {
    "author": "name", "copyright": "name", "creation time": "date", "source": "camera", "title": "comment",
    "description": "comment", "comment": "comment", "disclaimer": "comment", "warning": "comment",
}  # fmt: skip


def personal_kinds(data: bytes, kind: str) -> tuple[str, ...]:
    """Which of KINDS a file carries, in their order.

    Args:
        data: the bytes of the file.
        kind: its format as `poxlens.photo.formats.sniff` tells it.
    """
    if kind == "jpeg":
        found = set(_of_jpeg(data))
    elif kind == "png":
        found = set(_of_png(data))
    elif kind == "webp":
        found = set(_of_webp(data))
    elif kind == "tiff":
        found = set(_of_exif(data))
    elif kind in ("heic", "avif"):
        at = data.find(b"Exif\0\0")
        found = set(_of_exif(data[at + 6 :])) if at >= 0 else set()
        found |= set(_of_xmp(data)) if b"<x:xmpmeta" in data[:_MAX_XMP] else set()
    else:
        found = set()
    return tuple(name for name in KINDS if name in found)


def _of_jpeg(data: bytes) -> Iterator[str]:
    for marker, body in segments(data):
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            yield from _of_exif(body[6:])
        elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            yield from _of_xmp(body)
        elif marker == 0xED and body.startswith(b"Photoshop 3.0\0"):
            yield from _of_iptc(body)
        elif marker == 0xFE and body.strip(b"\0 \r\n\t"):
            yield "comment"


def _of_exif(block: bytes) -> Iterator[str]:
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None or len(block) < 8:
        return

    def number(at: int, length: int) -> int:
        return int.from_bytes(block[at : at + length], "little" if order == "little" else "big")

    def entries(start: int) -> Iterator[tuple[int, int, bool]]:
        """Tag, offset or value, and whether anything is in it, of one directory."""
        for place in range(min(number(start, 2), _MAX_ENTRIES)):
            at = start + 2 + 12 * place
            if at + 12 > len(block):
                return
            size = number(at + 4, 4) * _UNITS.get(number(at + 2, 2), 1)
            value_at = number(at + 8, 4) if size > 4 else at + 8
            value = block[value_at : value_at + min(size, 64)]
            yield number(at, 2), number(at + 8, 4), bool(value.strip(b"\0 "))

    first = number(4, 4)
    waiting = [first]
    for start in waiting:
        for tag, pointer, filled in entries(start):
            if tag == _EXIF_POINTER and len(waiting) == 1:
                waiting.append(pointer)
            elif tag == _GPS_POINTER and any(
                inner in _GPS_PLACE and full for inner, _, full in entries(pointer)
            ):
                yield "gps"
            elif filled and tag in _TAGS:
                yield _TAGS[tag]
    second = number(first + 2 + 12 * number(first, 2), 4)
    if second and any(tag == _THUMBNAIL for tag, _, _ in entries(second)):
        yield "thumbnail"


def _of_xmp(packet: bytes) -> Iterator[str]:
    searched = packet[:_MAX_XMP]
    for word, kind in _XMP_WORDS:
        if word in searched:
            yield kind


def _of_iptc(body: bytes) -> Iterator[str]:
    at = body.find(b"\x1c\x02")
    for _ in range(_MAX_ENTRIES):
        if at < 0 or at + 5 > len(body) or body[at] != 0x1C:
            return
        length = int.from_bytes(body[at + 3 : at + 5], "big")
        if body[at + 1] == 2 and length and body[at + 2] in _IPTC:
            yield _IPTC[body[at + 2]]
        at += 5 + length


def _of_png(data: bytes) -> Iterator[str]:
    at = 8
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + min(length, _MAX_XMP)]
        if name in (b"tEXt", b"zTXt", b"iTXt"):
            word = body.split(b"\0", 1)[0].decode("latin-1").lower()
            if word == "xml:com.adobe.xmp":
                yield from _of_xmp(body)
            elif word in _PNG_WORDS:
                yield _PNG_WORDS[word]
        elif name == b"eXIf":
            yield from _of_exif(body)
        elif name == b"tIME":
            yield "date"
        at += 12 + length


def _of_webp(data: bytes) -> Iterator[str]:
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + min(length, _MAX_XMP)]
        if name == b"EXIF":
            yield from _of_exif(body.removeprefix(b"Exif\0\0"))
        elif name == b"XMP ":
            yield from _of_xmp(body)
        at += 8 + length + length % 2
