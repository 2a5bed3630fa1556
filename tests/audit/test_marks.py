import numpy as np
import pytest
from PIL import Image, ImageDraw

from poxlens.audit import marks
from poxlens.audit.marks import SIDE, agreement, check_marks, detail, find_marks, frames, repeated
from poxlens.data.phantom import draw, random_spec


def skin(seed, size=(240, 220)):
    """A drawn close-up, with lesions, of its own in every way."""
    image = Image.fromarray(draw(random_spec(seed, size=256)).image)
    return image.resize(size)


def stamped(image, corner="bottom left"):
    drawn = image.copy()
    width, height = image.size
    x = 12 if "left" in corner else width - 92
    ImageDraw.Draw(drawn).text((x, height - 30), "CLINIC PHOTO", fill="white")
    return drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`clinic` stamps 30 of its 36 photos, of many sizes, bottom right; `web` stamps none, but stole two."""
    root = tmp_path_factory.mktemp("marks")
    for n in range(36):
        image = skin(n, (220 + 7 * (n % 9), 200 + 5 * (n % 7)))
        (stamped(image, "bottom right") if n % 6 else image).save(root / f"clinic{n}.png")
    for n in range(36, 66):
        image = skin(n, (240, 220))
        (stamped(image, "bottom right") if n in (40, 50) else image).save(root / f"web{n}.png")
    return root


@pytest.fixture(scope="module")
def material(folder, make, a_row):
    from dataclasses import replace

    names = sorted(path.name for path in folder.iterdir())
    rows = [a_row(name, "ab"[name.startswith("w")], dataset=name.rstrip("0123456789.png")) for name in names]
    return make([replace(row, path=folder / row.file) for row in rows])


def test_a_stamp_is_found_with_its_carriers_and_the_stolen_photos(material):
    calls = []
    found = find_marks(material, advance=lambda: calls.append(1))
    assert len(calls) <= marks.photos_read(material)
    (one,) = found
    assert (one.source, one.mark.frame) == ("clinic", "bottom right")
    left, _, _, bottom = one.mark.box
    assert left >= SIDE / 2
    assert bottom > SIDE - 40
    carriers = {material.rows[row].file for row in one.carriers}
    assert carriers == {f"clinic{n}.png" for n in range(36) if n % 6}
    assert {material.rows[row].file for row in one.elsewhere} == {"web40.png", "web50.png"}
    (finding,) = check_marks(material, found)
    assert finding.numbers["share"] == pytest.approx(30 / 36)
    assert finding.title.startswith("clinic: the same mark at the bottom right of 83%")
    assert "2 files of web carry it too" in finding.advice


def test_a_source_that_changed_its_logo_has_two_marks():
    """Thirty photos with a stamp below, twenty with another above, five with none."""
    photos = [skin(seed) for seed in range(55)]
    stack = {name: [] for name in marks.FRAMES}
    for number, photo in enumerate(photos):
        if number < 50:
            place, text = ((12, 190), "CLINIC") if number < 30 else ((150, 12), "Other House")
            ImageDraw.Draw(photo).text(place, text, fill="white")
        for name, signs in frames(np.asarray(photo)).items():
            stack[name].append(signs)
    (first, carry), (second, rest) = marks.peel({name: np.stack(signs) for name, signs in stack.items()})
    assert np.flatnonzero(carry).tolist() == list(range(30))
    assert np.flatnonzero(rest).tolist() == list(range(30, 50))
    assert first.pixels >= 20
    assert second.pixels >= 20


def test_photos_without_a_mark_have_none():
    stack = {name: [] for name in marks.FRAMES}
    for seed in range(40):
        for name, signs in frames(np.asarray(skin(seed))).items():
            stack[name].append(signs)
    assert [mark for name, signs in stack.items() for mark in repeated(name, np.stack(signs))] == []


def test_chance_makes_no_mark():
    rng = np.random.default_rng(0)
    for photos in (20, 200):
        assert repeated("whole", rng.integers(-1, 2, (photos, SIDE, SIDE)).astype(np.int8)) == []


def test_detail_is_light_dark_or_neither():
    grey = np.full((60, 60), 100, np.uint8)
    grey[30, 30] = 140
    grey[10, 10] = 60
    signs = detail(grey)
    assert signs[30, 30] == 1
    assert signs[10, 10] == -1
    assert np.count_nonzero(signs) == 2
    assert agreement(signs[None], signs).tolist() == [1.0]
    assert agreement(-signs[None], signs).tolist() == [-1.0]


def test_a_small_source_is_not_judged_and_a_lost_file_is_no_error(material, make, a_row):
    few = make([a_row(f"gone{n}", dataset="x") for n in range(19)])
    assert find_marks(few) == ()
    lost = make([a_row(f"gone{n}", dataset="x") for n in range(30)])
    assert find_marks(lost) == ()
