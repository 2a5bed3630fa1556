"""A small table of tinted pictures in three classes and a study of it, on a network without pretrained weights."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from poxlens.recipes.aism.study import study_of

TINTS = {"mpox": (45, 0, -45), "acne": (-45, 0, 45), "normal": (0, 45, 0)}
GROUPS, EACH = 6, 2  # groups a class, photos a group


def picture(seed, tint):
    """[40, 40, 3] uint8, noise with a tint."""
    random = np.random.default_rng(seed)
    values = random.normal(120, 25, (10, 10, 3)) + np.array(tint)
    return np.clip(values, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)


@pytest.fixture
def photos(tmp_path):
    """A folder of 36 pictures with its table; two photos of each patient."""
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["file,label,dataset,patient,body_site,stage"]
    for label, tint in TINTS.items():
        for number in range(GROUPS * EACH):
            name = f"{label}{number:02d}.png"
            Image.fromarray(picture(len(lines), tint)).save(folder / name)
            site, stage = ("hand", "earlier") if number % 2 else ("close", "later")
            where = f"{site},{stage}" if label == "mpox" else ","
            lines.append(f"{name},{label},home,{label}{number // EACH},{where}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def entries():
    """A function: entries to change -> the entries of a study."""

    def make(**changes):
        arm = {"name": "small", "network": "mobilenet-v3-small", "start": "random", "recipe": "tiny"}
        return {
            "name": "test",
            "images": {
                "manifest": "photos/manifest.csv",
                "target": "mpox",
                "side": 32,
                "classes": {name: [name] for name in TINTS},
            },
            "protocol": {"folds": 3, "validation": 0.3},
            "recipes": {"tiny": {"epochs": 1, "batch": 8, "mixed": 0.0}},
            "arms": [{**arm, "shares": [1.0, 0.5]}, {**arm, "name": "other", "recipe": "tiny"}],
            "pairs": [["other", "small"]],
        } | changes

    return make


@pytest.fixture
def study(entries, photos):
    """The study."""
    return study_of(entries(), "a test")
