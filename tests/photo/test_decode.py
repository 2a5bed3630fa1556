"""Decoding against pixels made in code: orientation, colour, depth, alpha, scaling, and what is left out."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from poxlens.errors import PhotoError
from poxlens.photo.decode import Photo, decode
from poxlens.photo.strip import strip


def _reason(source: object, **options: int) -> str:
    with pytest.raises(PhotoError) as caught:
        decode(source, **options)  # type: ignore[arg-type]
    return caught.value.reason


def _close(photo: Photo, expected: np.ndarray, tolerance: int) -> None:
    assert photo.pixels.shape == expected.shape
    assert np.abs(photo.pixels.astype(int) - expected.astype(int)).max() <= tolerance


@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_orientation_equals_pillow(hostile: ModuleType, value: int, order: str, kind: str) -> None:
    picture = hostile.picture()
    if kind == "TIFF":
        data = hostile.encode(picture, kind, tiffinfo={274: value})
    elif kind == "PNG":
        data = hostile.with_chunks(
            hostile.encode(picture, kind), hostile.chunk(b"eXIf", hostile.exif(value, order=order))
        )
    else:
        data = hostile.encode(picture, kind, quality=98, exif=b"Exif\0\0" + hostile.exif(value, order=order))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    photo = decode(data)
    assert (photo.width, photo.height) == (expected.shape[1], expected.shape[0])
    assert photo.format == kind.lower()
    _close(photo, expected, 0)


def test_turned_large_jpeg_keeps_its_full_upright_size(hostile: ModuleType) -> None:
    data = hostile.encode(hostile.picture(2400, 1800), "JPEG", exif=b"Exif\0\0" + hostile.exif(6))
    photo = decode(data, working_side=256)
    assert (photo.width, photo.height) == (1800, 2400)
    assert photo.pixels.shape == (600, 450, 3)
    assert photo.pixels[5, -5].min() > 240  # the bright corner has gone from top left to top right


@pytest.mark.parametrize(
    ("kind", "side"), [("JPEG", 1023), ("JPEG", 1024), ("PNG", 1023), ("PNG", 1024), ("PNG", 4000)]
)
def test_short_side_stays_between_one_and_two_working_sides(
    hostile: ModuleType, kind: str, side: int
) -> None:
    photo = decode(hostile.encode(hostile.picture(side * 4 // 3, side), kind), working_side=512)
    assert 512 <= min(photo.pixels.shape[:2]) < 1024 or side == 1023
    assert min(photo.pixels.shape[:2]) == (side if side < 1024 else -(-side // (side // 512)))
    assert (photo.width, photo.height) == (side * 4 // 3, side)


def test_the_default_working_side(hostile: ModuleType) -> None:
    assert decode(hostile.encode(hostile.picture(700, 511), "PNG")).pixels.shape == (511, 700, 3)
    assert decode(hostile.encode(hostile.picture(700, 512), "PNG")).pixels.shape == (256, 350, 3)


def test_small_photos_are_not_enlarged(hostile: ModuleType) -> None:
    assert decode(hostile.encode(hostile.picture(30, 20), "PNG")).pixels.shape == (20, 30, 3)


def test_scaling_while_decoding_shows_the_same_picture(hostile: ModuleType) -> None:
    picture = hostile.picture(1600, 1200)
    photo = decode(hostile.encode(picture, "JPEG", quality=95), working_side=300)
    assert photo.pixels.shape == (300, 400, 3)
    assert np.abs(photo.pixels.astype(float) - np.asarray(picture.reduce(4)).astype(float)).mean() < 2.0


def test_reducing_is_a_box_filter(hostile: ModuleType) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (600, 900, 3), dtype=np.uint8)
    photo = decode(hostile.encode(Image.fromarray(pixels), "PNG"), working_side=200)
    expected = pixels.reshape(200, 3, 300, 3, 3).mean((1, 3))
    assert np.abs(photo.pixels - expected).max() <= 0.56  # Pillow rounds the mean of nine with 24 bits


def test_cmyk_and_ycck_with_inverted_inks(hostile: ModuleType) -> None:
    colour = Image.new("RGB", (32, 32), (200, 120, 90))
    photo = decode(hostile.encode(colour.convert("CMYK"), "JPEG", quality=100))
    _close(photo, np.asarray(colour), 4)
    # The Adobe marker's last byte says whether the inks were turned into YCCK; Pillow writes plain CMYK.
    data = bytearray(hostile.encode(colour.convert("CMYK"), "JPEG", quality=100))
    at = data.index(b"Adobe")
    assert data[at + 11] == 0
    data[at + 11] = 2  # the same numbers read as YCCK: Y = 255 - C ... must be read through the YCC formula
    ycck = decode(bytes(data)).pixels[16, 16].astype(int)
    cmyk = 255 - np.asarray(colour.convert("CMYK"))[0, 0].astype(int)  # as stored, inverted
    y, cb, cr, k = cmyk[0], cmyk[1] - 128, cmyk[2] - 128, cmyk[3]
    # libjpeg gives C = 255 - R of YCC, which Pillow inverts back; then RGB = ink-free share x K.
    rgb = np.clip([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], 0, 255)
    expected = np.clip(255 - rgb, 0, 255) * k / 255
    assert np.abs(ycck - expected).max() <= 6


def test_sixteen_bits_are_rounded_not_cut(hostile: ModuleType) -> None:
    values = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    photo = decode(hostile.encode(Image.fromarray(values), "PNG"))
    _close(photo, np.rint(values / 257).astype(np.uint8)[..., None].repeat(3, -1), 0)


def test_sixteen_bit_colour(hostile: ModuleType) -> None:
    values = np.random.default_rng(2).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    body = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in values))
    _close(decode(hostile.png(30, 20, depth=16, body=body)), values >> 8, 1)


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1.0, np.float32), (255.0, np.float32), (65535.0, np.float32), (65535, np.int32)]
)
def test_deep_grey_tiff_is_scaled_by_its_range(hostile: ModuleType, scale: float, dtype: type) -> None:
    share = np.linspace(0, 1, 300).reshape(300, 1).repeat(20, 1)
    photo = decode(hostile.encode(Image.fromarray((share * scale).astype(dtype)), "TIFF"))
    _close(photo, np.rint(share * 255)[..., None].repeat(3, -1), 1)


def test_float_tiff_with_nothing_finite_in_it(hostile: ModuleType) -> None:
    values = np.full((8, 8), np.nan, np.float32)
    values[0, 0], values[0, 1] = np.inf, -np.inf
    pixels = decode(hostile.encode(Image.fromarray(values), "TIFF")).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, 1:].max() == 0


def test_alpha_is_composed_on_white(hostile: ModuleType) -> None:
    rgba = np.zeros((4, 3, 4), np.uint8)
    rgba[...] = (200, 100, 50, 255)
    rgba[0, 0, 3] = 0
    rgba[0, 1, 3] = 128
    pixels = decode(hostile.encode(Image.fromarray(rgba), "PNG")).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert np.abs(pixels[0, 1].astype(int) - (227, 177, 152)).max() <= 1
    assert pixels[1, 0].tolist() == [200, 100, 50]


def test_hidden_colours_of_transparent_pixels_do_not_bleed(hostile: ModuleType) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:, ::2] = (0, 255, 0, 0)  # invisible green
    rgba[:, 1::2] = (200, 100, 50, 255)
    pixels = decode(hostile.encode(Image.fromarray(rgba), "PNG"), working_side=4).pixels
    assert np.abs(pixels.astype(int) - (227, 177, 152)).max() <= 2


def test_palette_with_a_transparent_entry(hostile: ModuleType) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    pixels = decode(hostile.encode(image, "PNG", transparency=0)).pixels
    assert pixels.tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_first_frame_of_an_animation(hostile: ModuleType) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ((210, 120, 90), (0, 0, 255))]
    for kind, tolerance in (("GIF", 0), ("PNG", 0), ("WEBP", 8), ("TIFF", 0)):
        data = hostile.encode(frames[0], kind, save_all=True, append_images=frames[1:])
        _close(decode(data), np.asarray(frames[0]), tolerance)


def _wide_gamut_profile() -> bytes:
    """A matrix profile with Adobe RGB's primaries (adapted to D50) and gamma 2.2, written by hand."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(v * 65536) for v in (x, y, z)))

    tags = {
        b"desc": b"desc\0\0\0\0\0\0\0\x05wide\0" + b"\0" * 78,
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        b"rTRC": b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(2.2 * 256)) + b"\0\0",
    }
    tags[b"gTRC"] = tags[b"bTRC"] = tags[b"rTRC"]
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        value += b"\0" * (-len(value) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(value))
        body += value
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_wide_gamut_profile_is_converted_to_srgb(hostile: ModuleType, kind: str) -> None:
    profile = _wide_gamut_profile()
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() == "wide"
    stored = Image.new("RGB", (64, 64), (180, 120, 100))
    options: dict[str, object] = {"icc_profile": profile}
    if kind == "HEIF":
        import pillow_heif

        out = io.BytesIO()
        stored.info["icc_profile"] = profile
        pillow_heif.from_pillow(stored).save(out, format="HEIF", quality=95, chroma=444)
        data = out.getvalue()
    else:
        data = hostile.encode(stored, kind, **options, **({} if kind in ("PNG", "TIFF") else {"quality": 98}))
    # Adobe RGB (1998) to sRGB by the formula, D65 to D65.
    linear = (np.array([180, 120, 100]) / 255) ** 2.19921875
    to_xyz = np.array([[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]])
    from_xyz = np.array(
        [[3.24045, -1.53714, -0.49853], [-0.96927, 1.87601, 0.04156], [0.05564, -0.20403, 1.05723]]
    )
    srgb = np.clip(from_xyz @ to_xyz @ linear, 0, 1)
    expected = 255 * np.where(srgb <= 0.0031308, 12.92 * srgb, 1.055 * srgb ** (1 / 2.4) - 0.055)
    assert np.abs(expected - (180, 120, 100)).max() > 10  # the profile matters
    assert np.abs(decode(data).pixels[32, 32] - expected).max() <= 5


def test_srgb_profile_changes_nothing(hostile: ModuleType) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = hostile.picture()
    _close(decode(hostile.encode(picture, "PNG", icc_profile=profile)), np.asarray(picture), 0)


def test_grey_profile_is_used(hostile: ModuleType) -> None:
    grey = Image.new("L", (8, 8), 128)
    linear = bytearray(_wide_gamut_profile())
    linear[16:20] = b"GRAY"  # has no grey curve, so it is not valid: ignored
    pixels = decode(hostile.encode(grey, "PNG", icc_profile=bytes(linear))).pixels
    assert pixels[0, 0].tolist() == [128, 128, 128]


def test_a_profile_in_pieces_and_one_with_a_piece_missing(hostile: ModuleType) -> None:
    profile = _wide_gamut_profile()
    cut = len(profile) // 2
    pieces = [
        hostile.segment(0xE2, b"ICC_PROFILE\0" + bytes([number, 2]) + part)
        for number, part in ((2, profile[cut:]), (1, profile[:cut]))
    ]
    plain = hostile.encode(Image.new("RGB", (64, 64), (180, 120, 100)), "JPEG", quality=98)
    whole = decode(hostile.after_soi(plain, *pieces)).pixels[32, 32].astype(int)
    part = decode(hostile.after_soi(plain, pieces[0])).pixels[32, 32].astype(int)
    assert whole[0] - part[0] > 10
    assert np.abs(part - (180, 120, 100)).max() <= 3


def test_lab_tiff(hostile: ModuleType) -> None:
    colour = np.full((600, 600, 3), (200, 120, 90), np.uint8)
    lab = ImageCms.profileToProfile(
        Image.fromarray(colour),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    photo = decode(hostile.encode(lab, "TIFF"), working_side=200)
    _close(photo, colour[:200, :200], 3)


def test_pixel_limit_counts_the_header(hostile: ModuleType) -> None:
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"):
        data = hostile.encode(hostile.picture(100, 80), kind)
        assert _reason(data, max_pixels=7_999) == "unreadable.too_large", kind
        assert decode(data, max_pixels=8_000).width == 100
    assert _reason(hostile.heic(), max_pixels=100) == "unreadable.too_large"


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="working_side"):
        decode(b"x", working_side=0)
    with pytest.raises(TypeError, match="binary"):
        decode(io.StringIO("text"))  # type: ignore[arg-type]


def test_threads_give_the_same_pixels(hostile: ModuleType) -> None:
    files = [item.data for item in hostile.table() if item.expected == "ok"]
    expected = [decode(data).pixels for data in files]
    failures: list[int] = []

    def work() -> None:
        for index, data in enumerate(files):
            if not np.array_equal(decode(data).pixels, expected[index]):
                failures.append(index)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def test_strip_leaves_the_picture_and_nothing_else(hostile: ModuleType) -> None:
    secret = b"GPS 12.34 N by Dr Doe"
    noted = b"Exif\0\0" + hostile.exif(6) + secret
    data = hostile.encode(
        hostile.picture(), "JPEG", quality=95, exif=noted, comment=secret, icc_profile=_wide_gamut_profile()
    )
    assert secret in data
    out = strip(data, quality=95)
    assert secret not in out
    image = Image.open(io.BytesIO(out))
    assert image.size == (hostile.HEIGHT, hostile.WIDTH)
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert len(image.getexif()) == 0
    assert np.abs(np.asarray(image).astype(int) - decode(data).pixels.astype(int)).mean() < 3
    with pytest.raises(ValueError, match="quality"):
        strip(data, quality=0)


def test_a_photo_holds_no_more_than_pixels(hostile: ModuleType) -> None:
    photo = decode(hostile.encode(hostile.picture(), "JPEG", exif=b"Exif\0\0" + hostile.exif(1)))
    assert set(vars(photo)) == {"pixels", "width", "height", "format"}
    assert photo.pixels.flags["C_CONTIGUOUS"]
    assert photo.pixels.base is None  # owns its memory, no file behind it


def test_heavy_modules_are_imported_only_when_needed(hostile: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(hostile.encode(hostile.picture(), "JPEG"))
    code = (
        "import sys\nfrom poxlens.photo.decode import decode\n"
        "import poxlens.photo.quality, poxlens.photo.skin, poxlens.photo.resize\n"
        f"decode({str(path)!r})\n"
        "print([m for m in ('pillow_heif', 'PIL.ImageCms', 'PIL.TiffImagePlugin', 'PIL.PngImagePlugin',"
        " 'onnxruntime', 'pydantic', 'ctypes.util') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
