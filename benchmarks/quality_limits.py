"""How many photos of each set the quality limits refuse, and how many that they should.

    python benchmarks/quality_limits.py [--data ../shared/data]

Prints numbers only. Without the data it prints the photos of things alone (scikit-image, scikit-learn).
"""

from __future__ import annotations

import argparse
import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from poxlens.photo.decode import Photo, decode
from poxlens.photo.quality import QualityLimits, canonical, check_quality
from poxlens.photo.skin import skin_mask

CHECKS = ("short_side", "aspect", "dark", "bright", "blur", "skin")
DERMOSCOPY = "ham10000"  # no photos of a rash; shown because a dermatoscope is skin too
SPOILED = 6  # every sixth rash photo is spoiled on purpose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    root = parser.parse_args().data
    head = "| set | n | refused | " + " | ".join(CHECKS) + " | skin: 5th percentile | median |"
    print(head, "|" + "---|" * (len(CHECKS) + 5), sep="\n")
    rash: list[Photo] = []
    if (root / "manifest.csv").exists():
        for name, photos in _sets(root):
            print(_row(name, photos))
            rash += [] if name.startswith(DERMOSCOPY) or name == "msid normal" else photos[::SPOILED]
    for name, spoil in _spoilers().items() if rash else ():
        print(_row(f"spoiled: {name}", [_spoiled(photo, spoil) for photo in rash]))
    print(_row("photos of things", list(things().values())))
    skin = {name: skin_mask(canonical(photo.pixels)).mean() for name, photo in things().items()}
    print("skin:", ", ".join(f"{name} {share:.2f}" for name, share in skin.items()))


def _row(name: str, photos: list[Photo]) -> str:
    failed = dict.fromkeys(CHECKS, 0)
    refused, skin = 0, []
    for photo in photos:
        small = canonical(photo.pixels)
        checks = check_quality(photo, QualityLimits(), skin_mask(small))
        for check in checks:
            failed[check.name] += not check.passed
        refused += not all(check.passed for check in checks)
        skin.append(checks[-1].value)
    shares = " | ".join(f"{100 * failed[check] / len(photos):.1f} %" for check in CHECKS)
    low, median = np.percentile(skin, [5, 50])
    refusal = f"{100 * refused / len(photos):.1f} %"
    return f"| {name} | {len(photos)} | {refusal} | {shares} | {low:.2f} | {median:.2f} |"


def _sets(root: Path) -> Iterator[tuple[str, list[Photo]]]:
    files: dict[str, list[Path]] = defaultdict(list)
    with (root / "manifest.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            name = (
                row["dataset"]
                if row["dataset"] in ("dermnet", DERMOSCOPY)
                else f"{row['dataset']} {row['label']}"
            )
            files[name].append(root / row["file"])
    for name, paths in files.items():
        yield name, [decode(path) for path in paths]


def _spoilers() -> dict[str, Callable[[Image.Image], Image.Image]]:
    """Faults a phone makes, on a photo with a short side of 256 px."""
    return {
        "out of focus, sigma 2 px of 256": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        "out of focus, sigma 3 px of 256": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
        "4 stops too dark": lambda image: _exposed(image, -4),
        "5 stops too dark": lambda image: _exposed(image, -5),
        "3 stops too bright": lambda image: _exposed(image, 3),
        "grey, no colour": lambda image: image.convert("L").convert("RGB"),
    }


def _exposed(image: Image.Image, stops: float) -> Image.Image:
    linear = (np.asarray(image) / 255.0) ** 2.2 * 2.0**stops
    return Image.fromarray(np.rint(255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8))


def _spoiled(photo: Photo, spoil: Callable[[Image.Image], Image.Image]) -> Photo:
    height, width = photo.pixels.shape[:2]
    scale = min(1.0, 256 / min(height, width))
    image = Image.fromarray(photo.pixels).resize((round(width * scale), round(height * scale)))
    pixels = np.asarray(spoil(image))
    return Photo(pixels, photo.width, photo.height, photo.format)


def things() -> dict[str, Photo]:
    """Twenty photos of things that are not skin, by name."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    names = (
        *("brick", "camera", "cat", "cell", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
        *("hubble_deep_field", "immunohistochemistry", "logo", "moon", "page", "retina", "rocket", "text"),
    )
    things: dict[str, NDArray[np.uint8]] = {name: getattr(data, name)() for name in names}
    things |= {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    return {name: _decoded(pixels) for name, pixels in things.items()}


def _decoded(pixels: NDArray[np.uint8]) -> Photo:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return decode(out.getvalue())


if __name__ == "__main__":
    main()
