"""What Python gives for small inputs, for the tests of the page's own code: `python tests/web/vectors.py`.

Each file of web/tests/vectors holds inputs and the answers of poxlens (or of Pillow, where poxlens leaves the work
to it); tests/web/test_vectors.py holds the files to what this machine gives today.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "web" / "tests" / "vectors"


def base64_of(data: bytes | np.ndarray) -> str:
    return base64.b64encode(data if isinstance(data, bytes) else data.tobytes()).decode("ascii")


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """Smooth colour with hard edges and some noise: every coefficient of a JPEG is used."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([128 + 90 * np.sin(x / 5 + k) * np.cos(y / 7 - k) for k in range(3)], axis=-1)
    waves += rng.normal(0, 18, waves.shape)
    waves[height // 3 : height // 2, width // 4 : width // 2] = rng.integers(0, 256, 3)
    return np.clip(np.rint(waves), 0, 255).astype(np.uint8)


def jpegs() -> list[dict[str, Any]]:
    """JPEGs of every common kind with their pixels at 1, 1/2, 1/4 and 1/8."""
    kinds: dict[str, dict[str, Any]] = {
        "4:4:4": {"subsampling": 0},
        "4:2:2": {"subsampling": 1},
        "4:2:0": {"subsampling": 2},
        "4:2:0, poor": {"subsampling": 2, "quality": 25},
        "4:2:0, progressive": {"subsampling": 2, "progressive": True},
        "4:4:4, progressive": {"subsampling": 0, "progressive": True, "quality": 95},
        "4:2:2, restarts": {"subsampling": 1, "restart_marker_blocks": 2},
        "4:2:0, own tables": {"subsampling": 2, "optimize": True},
        "RGB": {"keep_rgb": True, "subsampling": 0},
        "grey": {"grey": True},
    }
    cases = []
    for n, (name, options) in enumerate(kinds.items()):
        for width, height in ((61, 43), (32, 48)):
            image = Image.fromarray(picture(width, height, n))
            options = {"quality": 85, **options}
            if options.pop("grey", False):
                image = image.convert("L")
            with io.BytesIO() as stream:
                image.save(stream, "JPEG", **options)
                data = stream.getvalue()
            scales = {}
            for scale in (1, 2, 4, 8):
                opened = Image.open(io.BytesIO(data))
                opened.draft(None, (max(1, width // scale), max(1, height // scale)))
                pixels = np.asarray(opened.convert("RGB"))
                scales[str(scale)] = {"size": [pixels.shape[1], pixels.shape[0]], "rgb": base64_of(pixels)}
            cases.append({"name": f"{name}, {width} x {height}", "file": base64_of(data), "scales": scales})
    return cases


def reductions() -> list[dict[str, Any]]:
    """Pillow's reduce, with edges that a factor does not divide."""
    cases = []
    for width, height, factor in ((20, 14, 2), (21, 16, 3), (23, 17, 4), (40, 33, 5), (37, 50, 7), (64, 70, 11)):
        pixels = picture(width, height, factor)
        reduced = np.asarray(Image.fromarray(pixels).reduce(factor))
        cases.append({
            "width": width, "height": height, "factor": factor, "rgb": base64_of(pixels),
            "size": [reduced.shape[1], reduced.shape[0]], "expected": base64_of(reduced),
        })  # fmt: skip
    return cases


MADE = {"jpegs": jpegs, "reductions": reductions}


def text(name: str) -> str:
    return json.dumps(MADE[name](), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for made in MADE:
        (FOLDER / f"{made}.json").write_text(text(made), encoding="utf-8")
