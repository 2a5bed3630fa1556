"""A small table of tinted pictures, networks that need no weights, and studies over them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from poxlens.recipes.compare import extra, features, plan, run
from poxlens.recipes.compare.study import Study
from poxlens.recipes.compare.work import Hands
from poxlens.train.features import Extractor, FeatureCache

SIDE = 32


class TintExtractor(Extractor):
    """64 fixed mixtures of the mean colours of 4 x 4 parts of a picture; the mixtures depend on the name."""

    def __init__(self, name, cache):
        self.identity = f"tint-{name}"
        self.cache = cache
        seed = int.from_bytes(name.encode()[:6], "big")
        self._mixture = np.random.default_rng(seed).normal(size=(48, 64)).astype(np.float32)

    def pooled(self, images):
        count, side = images.shape[0], images.shape[1] // 4
        parts = images.reshape(count, 4, side, 4, side, 3).mean((2, 4), dtype=np.float64)
        return (parts.reshape(count, 48) / 255).astype(np.float32) @ self._mixture


@pytest.fixture
def tinted(monkeypatch):
    """Any name is a network; a function from a name to its extractor."""

    def known(networks, side, source):
        return None

    def extractor_of(name, side, source, *, eight_bits=False):
        return TintExtractor(f"{name}-w8" if eight_bits else name, FeatureCache(source.cache))

    for module in (features, extra, plan):
        monkeypatch.setattr(module, "extractor_of", extractor_of)
    for module in (run, plan):
        monkeypatch.setattr(module, "require_networks", known)
    return lambda name: TintExtractor(name, None)


def picture(seed, tint):
    """[48, 48, 3] uint8, noise with a tint."""
    random = np.random.default_rng(seed)
    values = random.normal(120, 40, (12, 12, 3)) + np.array(tint)
    return np.clip(values, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)


@pytest.fixture
def photos(tmp_path):
    """A folder of pictures: 8 patients a class with two each in "home", 8 pictures without patients in "away"."""
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = ["file,label,dataset,patient"]
    for number in range(40):
        label = ("mpox", "acne")[number % 2]
        away = number >= 32
        name = f"{number:02d}.png"
        Image.fromarray(picture(number, (18, 0, -18) if label == "mpox" else (-18, 0, 18))).save(
            folder / name
        )
        lines.append(
            f"{name},{label},{'away' if away else 'home'},{'' if away else f'P{number // 4}{label}'}"
        )
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def study_of(photos):
    """A function: entries of the study to change -> the study."""

    def make(**changes):
        told = {
            "name": "tints",
            "networks": ["one"],
            "heads": ["logistic"],
            "images": {
                "manifest": "manifest.csv",
                "datasets": ["home"],
                "classes": {"mpox": ["mpox"], "acne": ["acne"]},
                "target": "mpox",
                "side": SIDE,
            },
            "protocol": {"folds": 4},
            "tuning": {"configurations": 2, "epochs": 2, "views": 4},
        }
        for name, value in changes.items():
            told[name] = {**told[name], **value} if isinstance(told.get(name), dict) else value
        return Study.model_validate(told)

    return make


@pytest.fixture
def where(tmp_path, photos, tinted):
    """A function: jobs -> folders and hands of a run in its own folder of that name."""

    def make(name="run", **hands):
        return run.Where(out=tmp_path / name, base=photos, hands=Hands(**{"jobs": 1, **hands}))

    return make
