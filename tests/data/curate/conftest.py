"""A finder that needs no network, and small tables of drawn images."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from PIL import Image

from poxlens.data.curate.finder import CELL
from poxlens.data.manifest import read_manifest
from poxlens.data.phantom import PhantomSpec, draw


class ColourFinder:
    """Blue is background, yellow is drawn over the photo; the map has a cell for 8 px of the photo."""

    sha256 = "c" * 64

    def __init__(self):
        self.calls = 0

    def maps(self, pixels):
        self.calls += 1
        height, width = pixels.shape[:2]
        cells = Image.fromarray(pixels).resize(
            (max(1, width // CELL), max(1, height // CELL)), Image.Resampling.BOX
        )
        red, green, blue = np.asarray(cells).astype(np.float32).transpose(2, 0, 1)
        drawn = ((red > 180) & (green > 180) & (blue < 120)).astype(np.float32)
        return np.maximum((blue > red + 20).astype(np.float32), drawn), drawn


@pytest.fixture
def colour_finder():
    return ColourFinder()


SKIN, BLUE, YELLOW = (200, 150, 120), (30, 60, 200), (250, 240, 20)


def picture(width=512, height=384, skin=(0, 0, 512, 384), letters=None):
    """A blue image, lit from one corner, with a noisy rectangle of skin in it: left, top, right, bottom."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = BLUE
    left, top, right, bottom = skin
    pixels[top:bottom, left:right] = SKIN
    if letters:
        left, top, right, bottom = letters
        pixels[top:bottom, left:right] = YELLOW
    noise = np.random.default_rng(0).integers(-9, 10, pixels.shape)
    light = np.linspace(-15, 15, width)[None, :, None] + np.linspace(-12, 12, height)[:, None, None]
    return np.clip(pixels + noise + light, 0, 255).astype(np.uint8)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def encode():
    return png


@pytest.fixture
def blue_picture():
    return picture


@pytest.fixture
def small_table(tmp_path):
    """Seven rows: three crops, one of each other reason."""
    root = tmp_path / "images"
    root.mkdir()
    shown = {
        "a/left.png": png(picture(skin=(0, 0, 300, 384))),
        "a/whole.png": png(picture()),
        "b/left.png": png(picture(skin=(0, 0, 256, 384), letters=(0, 0, 512, 64))),
        "b/strip.png": png(picture(skin=(0, 0, 100, 384))),
        "b/wall.png": png(picture(skin=(0, 0, 0, 0))),
        "b/small.png": png(picture(150, 140, skin=(0, 0, 150, 140))),
        "b/torn.png": png(picture())[:2000],
    }
    for name, data in shown.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    with (tmp_path / "table.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "label", "patient"])
        writer.writerows([name, name[0], f"p{place}"] for place, name in enumerate(shown))
    return read_manifest(tmp_path / "table.csv", root=root)


@pytest.fixture(scope="session")
def phantom():
    """A drawn close-up of skin with papules, 512 px."""
    return draw(PhantomSpec(seed=5, size=512, lesion="papule", count=8)).image
