"""What Python gives for small inputs, for the tests of the page's own code: `python tests/web/vectors.py`.

Each file of web/tests/vectors holds inputs and the answers of poxlens (or of Pillow, where poxlens leaves the work
to it); tests/web/test_vectors.py holds the files to what this machine gives today.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from poxlens.photo.decode import Photo
from poxlens.photo.quality import QualityCheck, QualityLimits, canonical, check_quality
from poxlens.photo.resize import InputRule, prepare
from poxlens.photo.skin import skin_mask, skin_tone
from poxlens.screen.decision import Context, combine, decide, with_context
from poxlens.screen.engine import prediction_set, probabilities

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


def jpegs() -> Any:
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
    for width, height, factor in (
        (20, 14, 2),
        (21, 16, 3),
        (23, 17, 4),
        (40, 33, 5),
        (37, 50, 7),
        (64, 70, 11),
    ):
        pixels = picture(width, height, factor)
        reduced = np.asarray(Image.fromarray(pixels).reduce(factor))
        cases.append({
            "width": width, "height": height, "factor": factor, "rgb": base64_of(pixels),
            "size": [reduced.shape[1], reduced.shape[0]], "expected": base64_of(reduced),
        })  # fmt: skip
    return cases


def photos() -> list[dict[str, Any]]:
    """The model's input (a CRC), each quality check and the skin tone of small pictures."""
    cases = []
    for seed, (width, height, size) in enumerate(
        ((180, 150, 224), (151, 290, 96), (270, 64, 64), (140, 140, 140))
    ):
        pixels = picture(width, height, seed)
        if seed % 2:  # the colours of skin, so that there is a tone
            pixels = (pixels.astype(np.uint16) * np.array([220, 160, 120]) // 255 + [30, 15, 0]).astype(
                np.uint8
            )
        photo = Photo(pixels, width, height, "png")
        small = canonical(pixels)
        mask = skin_mask(small)
        checks = check_quality(photo, QualityLimits(), mask)
        tone = skin_tone(small, mask)
        cases.append({
            "width": width, "height": height, "size": size, "rgb": base64_of(pixels),
            "input": zlib.crc32(prepare(pixels, InputRule(size=size)).tobytes()),
            "checks": [[check.name, check.value, check.passed] for check in checks],
            "ita": tone.ita, "group": tone.group,
        })  # fmt: skip
    return cases


CLASSES = ["mpox", "chickenpox", "healthy"]


def decisions() -> dict[str, Any]:
    """The rule on random measurements, and persons of several photos, with their contexts."""
    point = {"class": "mpox", "sensitivity": None, "specificity": None}
    said = {
        "classes": CLASSES,
        "target": "mpox",
        "calibration": {"temperature": 0.8},
        "rule_out": {**point, "threshold": 0.1},
        "rule_in": {**point, "threshold": 0.7},
        "conformal": {
            "mpox": {"quantile": 0.85},
            "chickenpox": {"quantile": 0.5},
            "healthy": {"quantile": 0.4},
        },
        "gate": {"novelty_limit": 2.0, "not_skin_fraction": 0.5, "top_probability": 0.6},
    }
    manifest: Any = json.loads(json.dumps(said), object_hook=lambda fields: SimpleNamespace(**fields))
    manifest.conformal = {name: manifest.conformal.__dict__[name] for name in CLASSES}
    rng = np.random.default_rng(5)
    cases = []
    for n in range(400):
        logits = np.round(rng.normal(0, 2.5, 3), 3).tolist()
        calibrated = dict(zip(CLASSES, probabilities(np.array(logits), 0.8).tolist(), strict=True))
        inside = prediction_set(calibrated, manifest)
        failed = [name for name in ("blur", "skin") if rng.random() < 0.08]
        checks = [
            QualityCheck(name, 1.0, 2.0, name not in failed, f"quality.{name}", "-")
            for name in ("blur", "skin")
        ]
        novelty = float(np.round(rng.uniform(0, 2.3), 3)) if n % 10 else 2.0
        skin = float(np.round(rng.random(), 2))
        yes = lambda: [None, True, False][rng.integers(3)]  # noqa: E731
        context = {
            name: value
            for name in ("contact_with_case_21d", "fever", "swollen_lymph_nodes", "exposure")
            if (value := yes()) is not None and rng.random() < 0.5
        }
        decided = decide(
            manifest, quality=checks, novelty=novelty, skin_fraction=skin,
            probabilities=calibrated, prediction_set=inside,
        )  # fmt: skip
        alone = with_context(decided, Context(**context))
        cases.append({
            "logits": logits, "failed": failed, "novelty": novelty, "skin": skin, "context": context,
            "p": [calibrated[name] for name in CLASSES], "set": list(inside),
            "outcome": alone.outcome.value, "reasons": [reason.code for reason in alone.reasons],
            "decided": decided,
        })  # fmt: skip
    persons = []
    for _ in range(150):
        chosen = rng.choice(len(cases), rng.integers(1, 5), replace=False).tolist()
        context = cases[chosen[0]]["context"]
        person = combine([cases[i]["decided"] for i in chosen], context=Context(**context))
        persons.append({
            "photos": chosen, "context": context, "outcome": person.outcome.value,
            "reasons": [reason.code for reason in person.reasons],
            "p": person.probabilities["mpox"],
        })  # fmt: skip
    for case in cases:
        del case["decided"]
    return {"manifest": said, "photos": cases, "persons": persons}


MADE = {"jpegs": jpegs, "reductions": reductions, "photos": photos, "decisions": decisions}


def text(name: str) -> str:
    return json.dumps(MADE[name](), ensure_ascii=False, allow_nan=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for made in MADE:
        (FOLDER / f"{made}.json").write_text(text(made), encoding="utf-8")
