"""Malformed and hostile files, made in code, each with what must come of it: "ok" or a reason code."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True)
class Hostile:
    name: str
    data: bytes
    expected: str  # "ok" or the last part of an unreadable.* code
    size: tuple[int, int] | None = None  # upright size of the decoded photo where it is ok


def picture(width: int = WIDTH, height: int = HEIGHT, mode: str = "RGB") -> Image.Image:
    """A smooth picture with a bright corner at the top left, so that its orientation can be told."""
    y, x = np.mgrid[0:height, 0:width]
    red = 120 + 100 * x // max(width - 1, 1)
    green = 60 + 60 * y // max(height - 1, 1)
    blue = np.full_like(x, 70)
    pixels = np.stack([red, green, blue], -1).astype(np.uint8)
    pixels[: height // 4, : width // 4] = 250
    return Image.fromarray(pixels).convert(mode)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def heic(image: Image.Image | None = None) -> bytes:
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(image or picture(128, 96)).save(out, format="HEIF", quality=80)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, *, depth: int = 8, colour: int = 2, body: bytes = b"", extra: bytes = b""
) -> bytes:
    """A PNG with any header; `body` is the compressed picture, `extra` whole chunks before it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), extra]
    return b"".join([*parts, chunk(b"IDAT", body), chunk(b"IEND", b"")])


def with_chunks(data: bytes, *extra: bytes) -> bytes:
    """A PNG with more chunks after its header."""
    return data[:33] + b"".join(extra) + data[33:]


def tiff_entries(data: bytes, entries: list[tuple[int, int, int, int]], *, next_directory: int = 0) -> bytes:
    """A little-endian TIFF of `data` (from byte 8 on) with one directory: (tag, type, count, value) each."""
    start = 8 + len(data)
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHI", b"II", 42, start) + data + directory + struct.pack("<I", next_directory)


def grey_tiff(width: int = 8, height: int = 8, **changes: int) -> list[tuple[int, int, int, int]]:
    """The directory of an uncompressed 8-bit grey TIFF whose pixels start at byte 8."""
    values = {
        256: width,
        257: height,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: height,
        279: width * height,
    }
    values |= {int(tag[1:]): value for tag, value in changes.items()}
    return [(tag, 4, 1, value) for tag, value in sorted(values.items())]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def after_soi(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def exif(orientation: int, *, order: str = "<") -> bytes:
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return head + struct.pack(order + "HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _sof(data: bytes) -> int:
    """Where the frame header's height stands in a baseline JPEG."""
    return data.index(b"\xff\xc0") + 5


def _cmyk_profile_lie() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"CMYK"
    return bytes(profile)


def _run_length_bitmap(body: int) -> bytes:
    """An 8 x 8 bitmap of 256 greys in runs of one: a row needs 16 bytes."""
    head = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, body, 0, 0, 256, 0)
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(256))
    offset = 14 + len(head) + len(palette)
    runs = (b"\x08\x7f\0\0" * 8 + b"\0\1").ljust(body, b"\0")
    return struct.pack("<2sIHHI", b"BM", offset + len(runs), 0, 0, offset) + head + palette + runs


def _jpegs() -> list[Hostile]:
    good = encode(picture(), "JPEG", quality=90)
    large = encode(picture(400, 300), "JPEG", quality=95)
    progressive = encode(picture(400, 300), "JPEG", quality=95, progressive=True)
    loop = exif(6)[:4] + struct.pack("<I", 8) + exif(6)[8:-4] + struct.pack("<I", 8)
    huge_count = struct.pack("<2sHIHHHII", b"II", 42, 8, 65535, 0x0112, 4, 0xFFFFFFFF, 0xFFFFFFF0)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("run.sh", "echo no")
    scans = progressive[:-2] + (segment(0xDA, b"\1\1\0\1\x3f\0") + b"\x7f") * 60_000 + b"\xff\xd9"
    upright = (WIDTH, HEIGHT)
    turned = [
        Hostile(
            f"exif orientation {value}",
            encode(picture(), "JPEG", exif=b"Exif\0\0" + exif(value, order="<" if value % 2 else ">")),
            "ok",
            upright if value < 5 else upright[::-1],
        )
        for value in range(1, 9)
    ]
    return [
        *turned,
        Hostile("jpeg cut in its header", good[:100], "truncated"),
        Hostile("jpeg cut at its first scan", large[: large.index(b"\xff\xda") + 20], "truncated"),
        Hostile("jpeg cut in the middle", large[: len(large) // 2], "truncated"),
        Hostile("jpeg cut at nine tenths", large[: len(large) * 9 // 10], "truncated"),
        Hostile("progressive jpeg cut in the middle", progressive[: len(progressive) // 2], "truncated"),
        Hostile("jpeg without its end marker", good[:-2], "truncated"),
        Hostile("jpeg magic alone", b"\xff\xd8\xff", "truncated"),
        Hostile("jpeg that ends before it begins", b"\xff\xd8\xff\xd9" * 9, "truncated"),
        Hostile("jpeg and zip in one", good + zipped.getvalue(), "ok", upright),
        Hostile("zip and jpeg in one", zipped.getvalue() + good, "not_an_image"),
        Hostile("jpeg named 65,535 x 65,535", _patched(good, _sof(good), b"\xff" * 4), "too_large"),
        Hostile(
            "jpeg that is taller than its data", _patched(good, _sof(good), b"\x04\x00"), "ok", (WIDTH, 1024)
        ),
        Hostile("jpeg of height 0", _patched(good, _sof(good), b"\0\0"), "corrupt"),
        Hostile("jpeg with 12 bits", _patched(good, _sof(good) - 1, b"\x0c"), "unsupported"),
        Hostile(
            "jpeg with two frame headers",
            after_soi(good, segment(0xC0, b"\x08\0\x08\0\x08\x01\1\x11\0")),
            "corrupt",
        ),
        Hostile(
            "jpeg without tables",
            after_soi(good[good.index(b"\xff\xc0") :], b"")[0:0]
            + b"\xff\xd8"
            + good[good.index(b"\xff\xc0") :].replace(b"\xff\xc4", b"\xff\xfe"),
            "corrupt",
        ),
        Hostile("jpeg with 20,000 empty segments", after_soi(good, segment(0xEF, b"") * 20_000), "corrupt"),
        Hostile(
            "jpeg with 1 MB of junk between segments",
            after_soi(good, segment(0xFE, b"") + b"\0" * 1_000_000),
            "ok",
            upright,
        ),
        Hostile("jpeg with 60,000 scans", scans, "corrupt"),
        Hostile(
            "jpeg with an exif that loops",
            after_soi(good, segment(0xE1, b"Exif\0\0" + loop)),
            "ok",
            upright[::-1],
        ),
        Hostile(
            "jpeg with an exif of huge counts",
            after_soi(good, segment(0xE1, b"Exif\0\0" + huge_count)),
            "ok",
            upright,
        ),
        Hostile(
            "jpeg with an exif of noise",
            after_soi(good, segment(0xE1, b"Exif\0\0" + bytes(range(256)))),
            "ok",
            upright,
        ),
        Hostile(
            "jpeg with orientation 77", encode(picture(), "JPEG", exif=b"Exif\0\0" + exif(77)), "ok", upright
        ),
        Hostile(
            "jpeg with 900 exif blocks",
            after_soi(good, segment(0xE1, b"Exif\0\0" + b"x" * 60_000) * 900),
            "ok",
            upright,
        ),
        Hostile(
            "jpeg with a corrupt profile",
            encode(picture(), "JPEG", icc_profile=b"not a profile" * 40),
            "ok",
            upright,
        ),
        Hostile(
            "jpeg with a profile of other pixels",
            encode(picture(), "JPEG", icc_profile=_cmyk_profile_lie()),
            "ok",
            upright,
        ),
        Hostile("cmyk jpeg", encode(picture(mode="CMYK"), "JPEG"), "ok", upright),
        Hostile("grey jpeg", encode(picture(mode="L"), "JPEG"), "ok", upright),
        Hostile("jpeg 1 x 1", encode(picture(1, 1), "JPEG"), "ok", (1, 1)),
        Hostile("jpeg 1 x 30,000", encode(picture(1, 30_000), "JPEG"), "ok", (1, 30_000)),
        Hostile("jpeg 30,000 x 1", encode(picture(30_000, 1), "JPEG"), "ok", (30_000, 1)),
    ]


def _pngs() -> list[Hostile]:
    good = encode(picture(), "PNG")
    upright = (WIDTH, HEIGHT)
    bomb_text = chunk(b"zTXt", b"note\0\0" + zlib.compress(b"a" * 200_000_000, 1))
    bomb_profile = chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"a" * 200_000_000, 1))
    deep = np.asarray(picture()).astype(np.uint16) * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep)
    palette = picture().quantize(16)
    frames = [picture(), picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    short_rows = zlib.compress(b"\0" * 100)
    idat = good.index(b"IDAT")
    return [
        Hostile("png cut in its header", good[:20], "truncated"),
        Hostile("png cut in its picture", good[: idat + 40], "truncated"),
        Hostile("png without its end", good[:-12], "ok", upright),
        Hostile("png bomb", png(60_000, 60_000, body=zlib.compress(b"\0" * 1000)), "too_large"),
        Hostile("png of 2^31 - 1 squared", png(2**31 - 1, 2**31 - 1), "too_large"),
        Hostile("png 0 x 10", png(0, 10), "corrupt"),
        Hostile("png with too few rows", png(1000, 1000, body=short_rows), "truncated"),
        Hostile("png with a bad header checksum", _patched(good, 29, b"\0\0\0\0"), "corrupt"),
        Hostile("png with a broken picture", _patched(good, idat + 20, b"\xaa" * 20), "corrupt"),
        Hostile("png with a text bomb", with_chunks(good, bomb_text), "ok", upright),
        Hostile("png with a profile bomb", with_chunks(good, bomb_profile), "ok", upright),
        Hostile("png with 300,000 chunks", with_chunks(good, chunk(b"tEXt", b"") * 300_000), "corrupt"),
        Hostile("png with orientation 6", with_chunks(good, chunk(b"eXIf", exif(6))), "ok", upright[::-1]),
        Hostile(
            "png with 16-bit colour", png(WIDTH, HEIGHT, depth=16, body=zlib.compress(rows)), "ok", upright
        ),
        Hostile("png with 16-bit grey", encode(Image.fromarray(deep[..., 0]), "PNG"), "ok", upright),
        Hostile("png with 1 bit", encode(picture(mode="1"), "PNG"), "ok", upright),
        Hostile(
            "png with palette and transparency",
            encode(palette, "PNG", transparency=bytes(range(16))),
            "ok",
            upright,
        ),
        Hostile(
            "png with one transparent colour",
            encode(picture(), "PNG", transparency=(250, 250, 250)),
            "ok",
            upright,
        ),
        Hostile("png with alpha", encode(picture(mode="RGBA"), "PNG"), "ok", upright),
        Hostile("png with grey and alpha", encode(picture(mode="LA"), "PNG"), "ok", upright),
        Hostile(
            "animated png", encode(frames[0], "PNG", save_all=True, append_images=frames[1:]), "ok", upright
        ),
        Hostile("png of an unknown colour type", png(8, 8, colour=5, body=short_rows), "corrupt"),
    ]


def _tiffs() -> list[Hostile]:
    pixels = bytes(range(64))
    looping = tiff_entries(pixels, grey_tiff(), next_directory=8 + len(pixels))
    overlapping = tiff_entries(
        b"\0" * 1_000_000, sorted(grey_tiff() + [(40_000 + i, 1, 900_000, 8) for i in range(4_000)])
    )
    far = [e if e[0] != 273 else (273, 4, 1000, 0xFFFFFF00) for e in grey_tiff()]
    many = [e if e[0] != 273 else (273, 4, 200_000, 72) for e in grey_tiff(t278=8)]
    floats = np.asarray(picture(mode="L")).astype(np.float32) / 255
    floats[0, 0] = np.nan
    upright = (WIDTH, HEIGHT)
    return [
        Hostile("tiff", encode(picture(), "TIFF"), "ok", upright),
        Hostile("tiff with lzw", encode(picture(), "TIFF", compression="tiff_lzw"), "ok", upright),
        Hostile("tiff with orientation 8", tiff_entries(pixels * 2, grey_tiff(16, 8, t274=8)), "ok", (8, 16)),
        Hostile("cmyk tiff", encode(picture(mode="CMYK"), "TIFF"), "ok", upright),
        Hostile("lab tiff", encode(picture(mode="LAB"), "TIFF"), "ok", upright),
        Hostile("float tiff with a nan", encode(Image.fromarray(floats), "TIFF"), "ok", upright),
        Hostile(
            "16-bit tiff", encode(Image.fromarray(np.full((8, 9), 40_000, np.uint16)), "TIFF"), "ok", (9, 8)
        ),
        Hostile("tiff whose directory follows itself", looping, "ok", (8, 8)),
        Hostile("tiff with 4,000 tags of the same megabyte", overlapping, "ok", (8, 8)),
        Hostile("tiff with strips outside the file", tiff_entries(pixels, far), "truncated"),
        Hostile(
            "tiff with 200,000 strips for 8 rows",
            tiff_entries(pixels + struct.pack("<I", 8) * 200_000, many),
            "ok",
            (8, 8),
        ),
        Hostile(
            "tiff of 4 billion squared",
            tiff_entries(pixels, grey_tiff(2**32 - 1, 1)[:1] + grey_tiff(1, 2**32 - 1)[1:]),
            "too_large",
        ),
        Hostile(
            "tiff with a giant tile",
            tiff_entries(
                pixels,
                [
                    e
                    for e in grey_tiff(t259=5, t322=2**30, t323=2**30, t324=8, t325=64)
                    if e[0] not in (273, 278, 279)
                ],
            ),
            "too_large",
        ),
        Hostile(
            "tiff whose directory is outside the file",
            struct.pack("<2sHI", b"II", 42, 10**6) + pixels,
            "truncated",
        ),
        Hostile("tiff cut", encode(picture(), "TIFF")[:500], "truncated"),
        Hostile("tiff without a size", tiff_entries(pixels, grey_tiff()[2:]), "corrupt"),
        Hostile("tiff with 7 bits", tiff_entries(pixels, grey_tiff(t258=7)), "unsupported"),
        Hostile(
            "big tiff with 2^60 tags", struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 2**60) + pixels, "corrupt"
        ),
    ]


def _others() -> list[Hostile]:
    upright = (WIDTH, HEIGHT)
    frames = [picture(), picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    gif = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    webp = encode(picture(), "WEBP", quality=80)
    moving = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=100)
    bmp = encode(picture(), "BMP")
    comment = b"\x21\xfe" + (b"\xff" + b"c" * 255) * 40_000 + b"\0"
    table_end = 13 + (3 << ((gif[10] & 7) + 1))
    good_heic = heic()
    return [
        Hostile("nothing", b"", "empty"),
        Hostile("a thousand zeros", b"\0" * 1000, "not_an_image"),
        Hostile("text named .jpg", b"Dear doctor, the photo follows.\n" * 20, "not_an_image"),
        Hostile("web page", b"<!doctype html><html><body>404</body></html>", "not_an_image"),
        Hostile("svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported"),
        Hostile("pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "unsupported"),
        Hostile("video", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0" * 100, "unsupported"),
        Hostile("zip", b"PK\3\4" + b"\0" * 100, "not_an_image"),
        Hostile("two letters of a bitmap", b"BM" + b"oring text, nothing else" * 4, "not_an_image"),
        Hostile("gif, animated", gif, "ok", upright),
        Hostile("gif cut in its header", gif[:12], "truncated"),
        Hostile("gif cut before its first frame", gif[:table_end], "truncated"),
        Hostile("gif with 3 MB of padding", gif[:table_end] + bytes(3_000_000) + gif[table_end:], "corrupt"),
        Hostile("run-length bitmap of 9 MB", _run_length_bitmap(9_000_000), "too_large"),
        Hostile("run-length bitmap", _run_length_bitmap(16), "ok", (8, 8)),
        Hostile("heic without a picture", b"\0\0\0\x18ftypheic\0\0\0\0heicmif1\0\0\0\x08free", "corrupt"),
        Hostile("jpeg whose segment is too short", b"\xff\xd8\xff\xe1\0\1" + bytes(20), "corrupt"),
        Hostile("gif without a frame", gif[:table_end] + b"\x3b", "corrupt"),
        Hostile("gif cut in its first frame", gif[: table_end + 200], "truncated"),
        Hostile("gif with 10 MB of comment", gif[:table_end] + comment + gif[table_end:], "ok", upright),
        Hostile("gif of 65,535 squared", _patched(gif, 6, b"\xff" * 4), "too_large"),
        Hostile("webp", webp, "ok", upright),
        Hostile("webp, animated", moving, "ok", upright),
        Hostile(
            "webp with alpha, lossless", encode(picture(mode="RGBA"), "WEBP", lossless=True), "ok", upright
        ),
        Hostile("webp cut", webp[: len(webp) // 2], "truncated"),
        Hostile("webp of noise", webp[:12] + b"VP8 " + bytes(200), "corrupt"),
        Hostile(
            "webp of 2^24 squared",
            webp[:4] + struct.pack("<I", 22) + b"WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
            "too_large",
        ),
        Hostile("bmp", bmp, "ok", upright),
        Hostile("bmp from the top", _patched(bmp, 22, struct.pack("<i", -HEIGHT)), "ok", upright),
        Hostile("bmp of 2^31 - 1 rows", _patched(bmp, 22, struct.pack("<i", 2**31 - 1)), "too_large"),
        Hostile("bmp cut", bmp[:2000], "truncated"),
        Hostile("heic", good_heic, "ok", (128, 96)),
        Hostile("heic cut", good_heic[: len(good_heic) * 2 // 3], "truncated"),
        Hostile("heic cut in its header", good_heic[:60], "truncated"),
        Hostile("heic that is only a name", good_heic[:24], "truncated"),
        Hostile("avif", encode(picture(), "AVIF"), "ok", upright),
        Hostile("avif cut", encode(picture(), "AVIF")[:-50], "truncated"),
    ]


BUILDERS: tuple[Callable[[], list[Hostile]], ...] = (_jpegs, _pngs, _tiffs, _others)


def table() -> list[Hostile]:
    """All files, about 90; making them takes a second or two."""
    return [item for build in BUILDERS for item in build()]
