"""Each kind of personal metadata is seen in every place that a file can keep it, and none where there is none."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from poxlens.photo.personal import KINDS, personal_kinds

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description exif:GPSLatitude="1,2N" tiff:Make="X" '
    b'aux:SerialNumber="1" xmp:CreateDate="2020"><dc:creator/><dc:description/><xmp:Thumbnails/></rdf:Description>'
)


def saved(kind="JPEG", **options):
    stream = io.BytesIO()
    PICTURE.save(stream, kind, **options)
    return stream.getvalue()


def exif(tags=None, inner=None, gps=None):
    block = Image.Exif()
    for tag, value in (tags or {}).items():
        block[tag] = value
    for pointer, values in ((0x8769, inner), (0x8825, gps)):
        if values:
            block.get_ifd(pointer).update(values)
    return block


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_bare_picture_tells_nothing(kind):
    assert personal_kinds(saved(kind), kind.lower()) == ()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("block", "found"),
    [
        ({"tags": {0x010F: "Maker"}}, ("camera",)),
        ({"tags": {0x0110: "Model"}}, ("camera",)),
        ({"inner": {0xA431: "123"}}, ("serial",)),
        ({"tags": {0x0132: "2020:01:01 00:00:00"}}, ("date",)),
        ({"inner": {0x9003: "2020:01:01 00:00:00"}}, ("date",)),
        ({"tags": {0x013B: "Ann"}}, ("name",)),
        ({"tags": {0x010E: "left arm"}}, ("comment",)),
        ({"gps": {2: (1.0, 2.0, 3.0)}}, ("gps",)),
        ({"gps": {0: b"\2\3\0\0"}}, ()),  # a version alone is no place
        ({"tags": {0x0112: 6}}, ()),  # which way is up
        ({"tags": {0x013B: "   "}}, ()),
        (
            {
                "tags": {0x010F: "M", 0x013B: "Ann"},
                "inner": {0x9003: "2020", 0xA435: "7"},
                "gps": {2: (1.0, 2.0, 3.0)},
            },
            ("gps", "camera", "serial", "date", "name"),
        ),
    ],
)
def test_exif(kind, block, found):
    content = exif(**block).tobytes()
    # A block of EXIF is a TIFF; Pillow leaves the inner directories out when it saves one.
    data = content[6:] if kind == "TIFF" else saved(kind, exif=content)
    assert personal_kinds(data, kind.lower()) == found


def test_the_thumbnail_of_exif():
    entries = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1)
    second = struct.pack("<HHHII", 1, 0x0201, 4, 1, 999) + struct.pack("<I", 0)
    block = b"II*\0" + struct.pack("<I", 8) + entries + struct.pack("<I", 8 + len(entries) + 4) + second
    data = saved(exif=b"Exif\0\0" + block)
    assert personal_kinds(data, "jpeg") == ("thumbnail",)


def test_xmp_of_jpeg_and_webp():
    every = ("gps", "camera", "serial", "date", "name", "comment", "thumbnail")
    assert every == KINDS
    assert personal_kinds(saved(xmp=XMP), "jpeg") == every
    assert personal_kinds(saved("WEBP", xmp=XMP), "webp") == every


def test_comments_and_iptc_of_jpeg():
    assert personal_kinds(saved(comment=b"taken at home"), "jpeg") == ("comment",)
    assert personal_kinds(saved(comment=b"  "), "jpeg") == ()
    iptc = b"".join(b"\x1c\2" + bytes([number]) + b"\0\3abc" for number in (80, 90, 55))
    segment = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0" + struct.pack(">I", len(iptc)) + iptc
    whole = saved()
    data = whole[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
    assert personal_kinds(data, "jpeg") == ("gps", "date", "name")


def test_texts_of_png():
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ann")
    text.add_text("Comment", "left arm", zip=True)
    text.add_text("Software", "a program")
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    assert personal_kinds(saved("PNG", pnginfo=text), "png") == KINDS
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Ann")
    assert personal_kinds(saved("PNG", pnginfo=text), "png") == ("name",)


def test_a_directory_that_points_at_itself_ends():
    loop = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    assert personal_kinds(saved(exif=b"Exif\0\0" + loop), "jpeg") == ()


def test_every_cut_of_a_file_is_walked_to_an_end():
    data = saved(exif=exif({0x010F: "Maker"}, {0x9003: "2020"}, {2: (1.0, 2.0, 3.0)}), xmp=XMP, comment=b"c")
    for length in range(0, len(data), 11):
        assert set(personal_kinds(data[:length], "jpeg")) <= set(KINDS)
        for kind in ("png", "webp", "tiff", "heic"):
            assert set(personal_kinds(data[length:], kind)) <= set(KINDS)
