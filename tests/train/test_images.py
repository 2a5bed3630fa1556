import io

import numpy as np
from PIL import Image

from poxlens.data.patches import Patch
from poxlens.photo.resize import InputRule, prepare
from poxlens.train.images import WATERMARK_STRIPS, Harmonise

RULE = InputRule(size=64)
HARMONISE = Harmonise(RULE, jpeg_quality=90)


def photo(height=200, width=160, seed=0):
    small = np.random.default_rng(seed).integers(40, 220, (height // 20, width // 20, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR))


def once_more(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, subsampling=2)
    return np.asarray(Image.open(buffer).convert("RGB"))


def test_the_runtimes_rule_and_one_compression():
    found = HARMONISE.image(photo())
    assert np.array_equal(found, once_more(prepare(photo(), RULE)))
    assert np.abs(found.astype(int) - prepare(photo(), RULE)).mean() < 4


def test_only_a_source_with_a_watermark_loses_its_strip():
    marked = photo().copy()
    marked[160:] = (255, 0, 255)  # the lowest fifth
    assert WATERMARK_STRIPS == {"dermnet": 0.2}
    clean = HARMONISE.image(marked, "dermnet")
    assert np.array_equal(clean, HARMONISE.image(marked[:160], "other"))
    assert not np.array_equal(clean, HARMONISE.image(marked, "other"))


def test_a_patch_is_cut_before_everything_else():
    found = HARMONISE.image(photo(), "msid", Patch(left=30, top=40, side=90))
    assert np.array_equal(found, HARMONISE.image(photo()[40:130, 30:120]))
