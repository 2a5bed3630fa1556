from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from poxlens.audit.lettering import check_letters, find_letters, photos_read


def bright(pixels):
    """Stands in for the network: letters are where it is white."""
    return (pixels[::8, ::8].min(2) > 250).astype(np.float32)


@pytest.fixture(scope="module")
def material(tmp_path_factory, make, a_row):
    """Of class a, 12 of 20 photos carry a white bar; of class b, one; one file is gone by now."""
    root = tmp_path_factory.mktemp("letters")
    rows = []
    for n in range(41):
        label = "a" if n < 20 else "b"
        image = Image.new("RGB", (96, 96), (190, 140, 120))
        if n < 12 or n == 25:
            image.paste((255, 255, 255), (10, 60, 80, 80))
        if n != 40:
            image.save(root / f"{n}.png")
        rows.append(replace(a_row(f"{n}.png", label, dataset="x"), path=root / f"{n}.png"))
    return make(rows)


def test_a_class_with_captions_is_named(material):
    calls = []
    found = find_letters(material, bright, resamples=200, advance=lambda: calls.append(1))
    assert len(calls) == photos_read(material) == 41
    a, b = found
    assert (a.label, a.seen, len(a.rows), a.share.value) == ("a", 20, 12, 0.6)
    assert (b.label, b.seen, b.rows) == ("b", 21, (25,))
    (finding,) = check_letters(material, found)
    assert finding.severity == "warning"
    assert "a of x 60%" in finding.title
    assert "b of x" not in finding.title
    assert finding.numbers["drawn_on"] == 13


def test_nothing_drawn_is_quiet(material):
    found = find_letters(material, lambda pixels: np.zeros((4, 4), np.float32), resamples=200)
    assert check_letters(material, found) == []
