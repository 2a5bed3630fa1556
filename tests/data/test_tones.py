"""Skin tone of a table: what its cells mean, what photos give, and the table of Campana 2024, section 4.4.4."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from poxlens.data.manifest import Manifest, Row
from poxlens.data.phantom import PhantomSpec, draw
from poxlens.data.tones import (
    CAMPANA_MCSI,
    DEL_BINO,
    ToneRow,
    Tones,
    estimate_tones,
    table_tones,
    tone_of_cell,
    tone_of_ita,
    tone_table,
)


@pytest.mark.parametrize(
    ("cell", "tone"),
    [
        ("light", "light"),
        (" Dark ", "dark"),
        ("very light", "light"),
        ("intermediate", "light"),
        ("tan", "light"),  # ITA over 10 degrees up to 28
        ("brown", "dark"),
        ("10.1", "light"),
        ("10", "dark"),
        ("-31.5", "dark"),
        ("IV", "light"),
        ("V", "dark"),
        ("Fitzpatrick VI", "dark"),
        ("type-iii", "light"),
        ("", "unknown"),
        ("type", "unknown"),
        ("olive", "unknown"),
        ("viii", "unknown"),
        ("fitzpatrick 3", "unknown"),
    ],
)
def test_what_a_cell_means(cell, tone):
    assert tone_of_cell(cell) == tone


def test_the_limit_is_ten_degrees_exclusive():
    assert [tone_of_ita(ita) for ita in (10.001, 10.0, -60.0, 80.0, math.nan)] == [
        "light", "dark", "dark", "light", "unknown",
    ]  # fmt: skip


def test_the_table_of_each_class_counted_by_hand():
    ita = np.array([60, 50, 30, 12, 10, -31, np.nan, 5], np.float32)
    tones = Tones(tuple(map(tone_of_ita, ita.tolist())), ita)
    label = ["mpox", "mpox", "mpox", "mpox", "mpox", "acne", "acne", "acne"]
    assert tone_table(label, tones) == (
        ToneRow("acne", 0, 2, 1, (0, 0, 0, 0, 1, 1)),
        ToneRow("mpox", 4, 1, 0, (1, 1, 1, 1, 1, 0)),
        ToneRow("", 4, 3, 1, (1, 1, 1, 1, 2, 1)),
    )
    assert DEL_BINO == ("very light", "light", "intermediate", "tan", "brown", "dark")
    shares = [row.light_share for row in tone_table(label, tones)]
    assert shares == pytest.approx([0.0, 0.8, 4 / 7])
    assert math.isnan(ToneRow("x", 0, 0, 3, (0,) * 6).light_share)


def test_the_published_counts():
    assert CAMPANA_MCSI["mpox"] == (57, 43)
    assert all(light + dark == 100 for light, dark in CAMPANA_MCSI.values())
    assert sum(light for light, _ in CAMPANA_MCSI.values()) == 277


@pytest.fixture
def photos(tmp_path: Path) -> Manifest:
    rows = []
    for number, ita in enumerate((55.0, 30.0, -30.0)):
        Image.fromarray(draw(PhantomSpec(seed=number, size=128, ita=ita, light=0.1)).image).save(
            tmp_path / f"{number}.png"
        )
        rows.append(Row(f"{number}.png", tmp_path / f"{number}.png", "skin"))
    Image.new("RGB", (128, 128), (60, 110, 190)).save(tmp_path / "sky.png")
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    rows += [Row(name, tmp_path / name, "skin") for name in ("sky.png", "broken.png", "absent.png")]
    return Manifest(tuple(rows), tmp_path, "0" * 64)


def test_photos_are_measured_where_the_table_says_nothing(photos):
    counted = []
    found = estimate_tones(photos, advance=counted.append)
    assert found.tone == ("light", "light", "dark", "unknown", "unknown", "unknown")
    assert found.ita[:3] == pytest.approx([55, 30, -30], abs=3)
    assert np.isnan(found.ita[3:]).all()
    assert [file for file, _ in found.unreadable] == ["broken.png", "absent.png"]
    assert all(fault.startswith("unreadable.") for _, fault in found.unreadable)
    assert sum(counted) == 6


def test_what_the_table_says_is_believed_and_its_files_stay_shut(photos):
    rows = [
        replace(row, skin_tone=cell)
        for row, cell in zip(photos.rows, ["V", "", "I", "", "dark", "tan"], strict=True)
    ]
    table = replace(photos, rows=tuple(rows))
    found = estimate_tones(table)
    assert found.tone == ("dark", "light", "light", "unknown", "dark", "light")
    assert np.isnan(found.ita[[0, 2]]).all()
    assert found.unreadable == ()  # the two that cannot be read were not asked
    assert table_tones(table).tone == ("dark", "unknown", "light", "unknown", "dark", "light")


def test_angles_that_are_known_already_are_used(photos):
    known = np.array([12, 9, np.nan, 50, -20, np.nan], np.float32)
    rows = (replace(photos.rows[0], skin_tone="dark"), *photos.rows[1:])
    found = estimate_tones(replace(photos, rows=rows), ita=known)
    assert found.tone == ("dark", "dark", "unknown", "light", "dark", "unknown")
    assert found.unreadable == ()
