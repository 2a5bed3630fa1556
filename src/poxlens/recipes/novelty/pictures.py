"""Pictures that are not skin at all: drawn in code, and the sample photos of three libraries.

A group is one scene: crops of one photo are not independent of each other, drawings each are.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Pixels = NDArray[np.uint8]
Random = np.random.Generator

SIDE = 320  # px, of what is drawn
_CROPS = 3  # of each sample photo, beside the whole
_PHOTOS = (
    *(
        "astronaut",
        "brick",
        "camera",
        "cat",
        "cell",
        "clock",
        "coffee",
        "coins",
        "colorwheel",
        "grass",
        "gravel",
    ),
    *("hubble_deep_field", "immunohistochemistry", "logo", "moon", "page", "retina", "rocket", "text"),
)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a kind."""

    name: str
    kind: str
    group: str
    pixels: Pixels  # [H, W, 3]


def drawn(count: int, seed: int = 0) -> list[Picture]:
    """`count` pictures of each kind that is made in code; the same seed gives the same pixels."""
    found = []
    for number, (kind, draw) in enumerate(KINDS.items()):
        for place in range(count):
            name = f"{kind}-{place:03d}"
            pixels = draw(np.random.default_rng([seed, number, place]))
            found.append(Picture(name, kind, name, np.ascontiguousarray(pixels, np.uint8)))
    return found


def sample_photos(seed: int = 0) -> tuple[list[Picture], list[str]]:
    """The sample photos of scikit-image, scikit-learn and SciPy with crops of each; and what is not installed."""
    found: dict[str, Pixels] = {}
    missing = []
    for library, load in (("scikit-image", _of_skimage), ("scikit-learn", _of_sklearn), ("SciPy", _of_scipy)):
        try:
            found |= load()
        except Exception as fault:  # not installed, or its photos are fetched from where nothing is reached
            missing.append(f"sample photos of {library}: {type(fault).__name__}")
    pictures = []
    for number, (name, values) in enumerate(found.items()):
        whole = _in_colours(values)
        pictures.append(Picture(name, "photo", name, whole))
        random = np.random.default_rng([seed, 100, number])
        for place in range(_CROPS):
            part = _crop(whole, random)
            pictures.append(Picture(f"{name}-crop{place}", "photo", name, part))
    return pictures, missing


def document(random: Random) -> Pixels:
    """A page of print: paper, a title, paragraphs, sometimes a table; a little turned and lit from a side."""
    paper = int(random.integers(200, 256))
    ink = int(random.integers(0, 90))
    tint = random.integers(-15, 1, 3)
    image = Image.new("RGB", (SIDE, SIDE), tuple(int(max(0, paper + t)) for t in tint))
    pen = ImageDraw.Draw(image)
    size = int(random.integers(7, 18))
    font = ImageFont.load_default(size)
    top = int(random.integers(5, 40))
    while top < SIDE - size:
        if random.random() < 0.1:
            top = _table(pen, random, top, ink)
            continue
        words = _words(random, int(random.integers(2, 16)))
        pen.text((int(random.integers(8, 30)), top), words, fill=(ink, ink, ink), font=font)
        top += int(size * random.choice([1.3, 1.3, 1.3, 2.4]))
    turned = image.rotate(float(random.normal(0, 4)), fillcolor=(paper, paper, paper))
    return _lit(np.asarray(turned), random)


def screen(random: Random) -> Pixels:
    """A screen shot: panels, buttons, lines of text, a chart, in the colours of a light or a dark theme."""
    dark = random.random() < 0.5
    back = tuple(int(v) for v in (random.integers(10, 50, 3) if dark else random.integers(225, 256, 3)))
    fore = (230, 230, 230) if dark else (40, 40, 40)
    image = Image.new("RGB", (SIDE, SIDE), back)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SIDE, int(random.integers(15, 40))), fill=_colour(random))
    font = ImageFont.load_default(int(random.integers(8, 14)))
    for _ in range(int(random.integers(3, 9))):
        left, top = (int(v) for v in random.integers(0, SIDE - 60, 2))
        wide, high = (int(v) for v in random.integers(40, 160, 2))
        pen.rounded_rectangle((left, top, left + wide, top + high), 6, fill=_colour(random), outline=fore)
        pen.text((left + 6, top + 6), _words(random, 3), fill=fore, font=font)
    if random.random() < 0.6:
        values = np.cumsum(random.normal(0, 12, 24)) + SIDE / 2
        points = [(int(10 + 12 * i), int(np.clip(v, 0, SIDE))) for i, v in enumerate(values)]
        pen.line(points, fill=_colour(random), width=3)
    return np.asarray(image)


def noise(random: Random) -> Pixels:
    """Noise without a scene: white, of one colour, or smooth at some scale."""
    kind = int(random.integers(3))
    if kind == 0:
        return random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    base = random.integers(40, 216, 3)
    if kind == 1:
        values = base + random.normal(0, random.uniform(10, 70), (SIDE, SIDE, 3))
        return np.clip(values, 0, 255).astype(np.uint8)
    cells = int(random.integers(3, 40))
    coarse = random.integers(0, 256, (cells, cells, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def uniform(random: Random) -> Pixels:
    """One colour, of walls, cloth or covered lenses: any, often that of skin; with a little of a camera's noise."""
    if random.random() < 0.4:  # skin's hue at any lightness, so that colour alone does not give it away
        light = random.uniform(0.2, 1.0)
        colour = light * np.array([235.0, 190.0, 160.0]) + random.normal(0, 8, 3)
    else:
        colour = random.uniform(0, 255, 3)
    values = np.tile(colour, (SIDE, SIDE, 1)) + random.normal(
        0, random.choice([0.0, 2.0, 5.0]), (SIDE, SIDE, 3)
    )
    return _lit(np.clip(values, 0, 255).astype(np.uint8), random)


def drawing(random: Random) -> Pixels:
    """Shapes and strokes as a hand or a program draws them, spots on the colour of skin among them."""
    spots = random.random() < 0.3
    back = (224, 172, 140) if spots else _colour(random)
    image = Image.new("RGB", (SIDE, SIDE), back)
    pen = ImageDraw.Draw(image)
    for _ in range(int(random.integers(4, 25))):
        left, top = (int(v) for v in random.integers(-20, SIDE, 2))
        wide, high = (int(v) for v in random.integers(6, 30 if spots else 120, 2))
        box = (left, top, left + wide, top + (wide if spots else high))
        colour = (
            (int(random.integers(120, 220)), int(random.integers(20, 80)), 60) if spots else _colour(random)
        )
        if spots or random.random() < 0.4:
            pen.ellipse(box, fill=colour, outline=(0, 0, 0))
        elif random.random() < 0.5:
            pen.rectangle(box, fill=colour, outline=(0, 0, 0))
        else:
            points = [tuple(int(v) for v in random.integers(0, SIDE, 2)) for _ in range(4)]
            pen.line(points, fill=colour, width=int(random.integers(1, 9)))
    return np.asarray(image)


KINDS: Mapping[str, Callable[[Random], Pixels]] = {
    "document": document,
    "screen": screen,
    "noise": noise,
    "uniform": uniform,
    "drawing": drawing,
}
"""Kinds that are made in code, in the order of their seeds."""


def _of_skimage() -> dict[str, Pixels]:
    from skimage import data

    return {name: getattr(data, name)() for name in _PHOTOS}


def _of_sklearn() -> dict[str, Pixels]:
    from sklearn.datasets import load_sample_image

    return {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}


def _of_scipy() -> dict[str, Pixels]:
    from scipy.datasets import face

    return {"raccoon": face()}


def _in_colours(values: NDArray[np.generic]) -> Pixels:
    if values.dtype != np.uint8:
        values = np.asarray(255 * np.asarray(values, float) / max(float(np.max(values)), 1e-9))
    image = Image.fromarray(np.asarray(values, np.uint8)).convert("RGB")
    return np.asarray(image)


def _crop(pixels: Pixels, random: Random) -> Pixels:
    high, wide = pixels.shape[:2]
    side = int(min(high, wide) * random.uniform(0.35, 0.8))
    top, left = int(random.integers(0, high - side + 1)), int(random.integers(0, wide - side + 1))
    return pixels[top : top + side, left : left + side]


def _table(pen: ImageDraw.ImageDraw, random: Random, top: int, ink: int) -> int:
    rows, step = int(random.integers(2, 6)), int(random.integers(12, 24))
    for row in range(rows + 1):
        pen.line((15, top + row * step, SIDE - 15, top + row * step), fill=(ink, ink, ink))
    for column in range(4):
        x = 15 + column * (SIDE - 30) // 3
        pen.line((x, top, x, top + rows * step), fill=(ink, ink, ink))
    return top + rows * step + 12


def _words(random: Random, count: int) -> str:
    letters = list(string.ascii_lowercase)
    return " ".join("".join(random.choice(letters, int(random.integers(1, 10)))) for _ in range(count))


def _colour(random: Random) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in random.integers(0, 256, 3))
    return red, green, blue


def _lit(pixels: Pixels, random: Random) -> Pixels:
    """Light that falls off towards one side, and a little blur, as on a photo of paper or of a wall."""
    x, y = np.meshgrid(np.linspace(-1, 1, pixels.shape[1]), np.linspace(-1, 1, pixels.shape[0]))
    angle = random.uniform(0, 2 * np.pi)
    light = 1 + random.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    lit = Image.fromarray(np.clip(pixels * light[..., None], 0, 255).astype(np.uint8))
    return np.asarray(lit.filter(ImageFilter.GaussianBlur(float(random.uniform(0, 1.2)))))
