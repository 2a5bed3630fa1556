from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image, ImageFilter

from poxlens.data.manifest import Row
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.recipes.novelty.closeups import choose, write_list


@pytest.fixture
def photos(tmp_path):
    """Sharp skin, the same mirrored, the same blurred, skin before a blue wall, a small patch of skin, no image."""
    close = Image.fromarray(draw(random_spec(1, size=256, ita=40)).image)
    other = Image.fromarray(draw(random_spec(2, size=256, ita=20)).image)
    wall = Image.new("RGB", (256, 256), (30, 60, 200))
    wall.paste(close.resize((200, 200)), (28, 28))
    far = Image.new("RGB", (256, 256), (30, 60, 200))
    far.paste(close.resize((90, 90)), (80, 80))
    made = {
        "close.png": close,
        "other.png": other,
        "mirrored.png": close.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "blurred.png": close.filter(ImageFilter.GaussianBlur(9)),
        "wall.png": wall,
        "far.png": far,
    }
    for name, image in made.items():
        image.save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"no image")
    return [Row(name, tmp_path / name, "mpox") for name in [*made, "broken.png"]]


def test_the_rule(photos):
    found = {one.file: one.reason for one in choose(photos, 220)}
    assert found["other.png"] == "kept"
    assert sorted([found["close.png"], found["mirrored.png"]]) == ["kept", "repeated"]
    assert found["blurred.png"] == "blurred"
    assert found["wall.png"] == "busy background"
    assert found["far.png"] == "too far away"
    assert found["broken.png"].startswith("unreadable.")


def test_no_more_than_asked_for_and_the_list(photos, tmp_path):
    found = choose(photos, 1)
    assert sum(one.kept for one in found) == 1
    assert "not among the best 1" in {one.reason for one in found}
    write_list(tmp_path / "list.csv", found)
    with (tmp_path / "list.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == [row.file for row in photos]
    assert sum(int(row["kept"]) for row in rows) == 1
    assert 0.5 < float(rows[0]["skin"]) <= 1


def test_none_passes(photos):
    with pytest.raises(TrainingError, match="none of 2 photos"):
        choose(photos[5:], 220)


def test_skin_of_every_tone_is_skin(tmp_path):
    rows = []
    for number, ita in enumerate((-45, -10, 25, 60)):
        name = tmp_path / f"{number}.png"
        Image.fromarray(draw(random_spec(number, size=256, ita=ita)).image).save(name)
        rows.append(Row(name.name, name, "mpox"))
    assert np.mean([one.kept for one in choose(rows, 4)]) == 1
