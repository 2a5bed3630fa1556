"""Quality, subsampling and kind of a JPEG from its header, against what Pillow was asked for."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from poxlens.photo.jpeg_quality import compression
from poxlens.photo.jpeg_segments import segments


def jpeg(quality=80, mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, "JPEG", quality=quality, **options)
    return stream.getvalue()


@pytest.mark.parametrize("quality", [1, 5, 24, 25, 40, 49, 50, 51, 75, 85, 90, 95, 99, 100])
def test_the_quality_asked_for_is_found(quality):
    assert compression(jpeg(quality)).quality == quality


@pytest.mark.parametrize(("subsampling", "pixels"), [(0, 1), (1, 2), (2, 4)])
def test_subsampling(subsampling, pixels):
    assert compression(jpeg(subsampling=subsampling)).subsampling == pixels


def test_grey_and_progressive():
    grey = compression(jpeg(mode="L"))
    assert (grey.quality, grey.subsampling, grey.progressive) == (80, 1, False)
    assert compression(jpeg(progressive=True)).progressive


def test_a_foreign_table_gets_the_nearest_quality():
    stream = io.BytesIO()
    table = [min(255, 3 * k + 3) for k in range(64)]
    Image.new("RGB", (16, 16)).save(stream, "JPEG", qtables=[table, table])
    assert 20 <= compression(stream.getvalue()).quality <= 60


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xdb\x00\x03\x00", b"\xff\xd8" * 99]
)
def test_no_jpeg_no_quality(data):
    told = compression(data)
    assert math.isnan(told.quality)
    assert math.isnan(told.subsampling)
    assert not told.progressive


def test_a_cut_file_tells_what_came_before_the_cut():
    whole = jpeg(60)
    table = next(i for i, (marker, _) in enumerate(segments(whole)) if marker == 0xDB)
    assert table >= 1
    for length in range(0, 700, 7):
        quality = compression(whole[:length]).quality
        assert math.isnan(quality) or quality == 60


def test_segments_end_at_the_picture():
    markers = [marker for marker, _ in segments(jpeg())]
    assert markers[0] == 0xE0
    assert 0xDA not in markers
    assert set(markers) >= {0xDB, 0xC0, 0xC4}
