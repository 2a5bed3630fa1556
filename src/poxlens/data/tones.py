"""Skin tone of the images of a table: light or dark, and how each class is made up of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode
from poxlens.photo.quality import canonical
from poxlens.photo.skin import ITA_CLASSES, ita_class, skin_mask, skin_tone

TONES = ("light", "dark", "unknown")
DEL_BINO = (*(name for _, name in ITA_CLASSES), "dark")
"""The six classes of ITA, from very light to dark (Chardon 1991; Del Bino 2006)."""

CAMPANA_MCSI = {"mpox": (57, 43), "chickenpox": (78, 22), "acne": (73, 27), "healthy": (69, 31)}
"""Label -> light and dark images of MCSI, as Campana 2024, section 4.4.4, counted them with derm_ita."""

_LIGHT = 10.0  # degrees of ITA, exclusive; Campana 2024, section 4.4.4
_NUMBER = re.compile(r"[+-]?[0-9]{1,2}(\.[0-9]+)?")
_FITZPATRICK = re.compile(r"(?:fitzpatrick|type|fst)?[ _-]*(iv|v?i{0,3})")
_ROMAN = {"i": "light", "ii": "light", "iii": "light", "iv": "light", "v": "dark", "vi": "dark"}
_WORDS = {name: "light" if limit >= _LIGHT else "dark" for limit, name in ITA_CLASSES}
_WORDS |= {"light": "light", "dark": "dark"}


@dataclass(frozen=True, eq=False)
class Tones:
    """Skin tone of the N images of a table, in its order. An estimate from colour: light and camera move it."""

    tone: tuple[str, ...]  # [N], one of TONES each
    ita: NDArray[np.float32]  # [N], degrees, NaN where none was measured
    unreadable: tuple[tuple[str, str], ...] = ()  # file and why, for what had to be opened and could not be


@dataclass(frozen=True)
class ToneRow:
    """One class (or all images) by skin tone."""

    label: str  # "" for all images
    light: int  # ITA > 10 degrees
    dark: int
    unknown: int  # too little skin, unreadable, or a word nobody knows
    del_bino: tuple[int, ...]  # [6], in the order of DEL_BINO, of those with an ITA

    @property
    def light_share(self) -> float:
        """Light ones among those with a known tone, 0-1; NaN when there are none."""
        known = self.light + self.dark
        return self.light / known if known else math.nan


def tone_of_ita(ita: float) -> str:
    """One of TONES: above 10 degrees is light, NaN is unknown (Campana 2024, section 4.4.4)."""
    if math.isnan(ita):
        return "unknown"
    return "light" if ita > _LIGHT else "dark"


def tone_of_cell(cell: str) -> str:
    """The tone that a `skin_tone` cell of a table means.

    Args:
        cell: "light" or "dark"; a class of Del Bino ("tan"); an ITA in degrees; a Fitzpatrick type in Roman
            digits (I-IV are light, V and VI dark: Campana 2024, section 4.4.4). Upper case is lower case.

    Returns:
        One of TONES; "unknown" for an empty cell or another word.
    """
    word = cell.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word):
        return tone_of_ita(float(word))
    roman = _FITZPATRICK.fullmatch(word)
    return _ROMAN.get(roman[1], "unknown") if roman else "unknown"


def table_tones(manifest: Manifest) -> Tones:
    """The tones that the table's own `skin_tone` column gives; no file is opened."""
    tones = tuple(tone_of_cell(row.skin_tone) for row in manifest.rows)
    return Tones(tones, np.full(len(tones), np.nan, np.float32))


def estimate_tones(
    manifest: Manifest,
    *,
    ita: NDArray[np.float32] | None = None,
    workers: int = 2,
    advance: Callable[[int], None] | None = None,
) -> Tones:
    """The tone of every image: from the table where its column is filled, else from the photo.

    Args:
        manifest: the table.
        ita: [N] degrees, NaN where unknown, if they are known already (of a scan): no file is then opened.
        workers: photos opened at once.
        advance: called with 1 after each photo.
    """
    said = table_tones(manifest).tone
    if ita is not None:
        told = [
            cell if cell != "unknown" else tone_of_ita(float(own))
            for cell, own in zip(said, ita, strict=True)
        ]
        return Tones(tuple(told), np.asarray(ita, np.float32))
    found = np.full(len(said), np.nan, np.float32)
    asked = [place for place, row in enumerate(manifest.rows) if not row.skin_tone]
    unreadable: list[tuple[str, str]] = []
    tone = list(said)
    with ThreadPoolExecutor(workers) as pool:
        for place, one in zip(
            asked, pool.map(_measure, (manifest.rows[place] for place in asked)), strict=True
        ):
            if isinstance(one, str):
                unreadable.append((manifest.rows[place].file, one))
            else:
                found[place], tone[place] = one, tone_of_ita(one)
            if advance:
                advance(1)
    return Tones(tuple(tone), found, tuple(unreadable))


def tone_table(label: Sequence[str], tones: Tones) -> tuple[ToneRow, ...]:
    """Each class by skin tone, then all images: the table behind Campana 2024, section 4.4.4.

    Args:
        label: [N], the class of each image.
        tones: of the same images.
    """
    classes = np.asarray(label, dtype=str)
    every = [(name, classes == name) for name in sorted(set(label))]
    return tuple(_row(name, rows, tones) for name, rows in [*every, ("", np.ones(len(classes), bool))])


def _row(label: str, rows: NDArray[np.bool_], tones: Tones) -> ToneRow:
    tone = np.asarray(tones.tone, dtype=str)[rows]
    measured = tones.ita[rows]
    fine = [ita_class(float(ita)) for ita in measured[~np.isnan(measured)]]
    light, dark, unknown = (int(np.count_nonzero(tone == name)) for name in TONES)
    return ToneRow(label, light, dark, unknown, tuple(fine.count(name) for name in DEL_BINO))


def _measure(row: Row) -> float | str:
    """ITA in degrees (NaN: too little skin), or why the file could not be read."""
    try:
        pixels = canonical(decode(row.path).pixels)
    except PhotoError as fault:
        return f"{fault.reason}: {fault}"
    ita = skin_tone(pixels, skin_mask(pixels)).ita
    return math.nan if ita is None else ita
