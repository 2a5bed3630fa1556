"""The families of plain traits that a class may be known by."""

from __future__ import annotations

import numpy as np

from poxlens.audit.material import Floats, Ints, Material
from poxlens.data.scan import TRAITS

FAMILIES = {
    "resolution": "width, height, shape",
    "jpeg": "JPEG quality and compression",
    "file": "file size and format",
    "border": "frame and background",
    "sharpness": "blur and noise",
    "colour": "colour and lightness",
}
"""Family -> what is in it. The first four are of the source and never of a disease; the last two may be either."""

SOURCE_ONLY = ("resolution", "jpeg", "file", "border")
ALL, SOURCE = "all traits", "source"


def family_values(material: Material) -> dict[str, Floats]:
    """The numbers of each family, [N, T] each, NaN where unknown."""
    return {
        family: material.scan.traits[
            :, [place for place, trait in enumerate(TRAITS) if trait.family == family]
        ].astype(np.float64)
        for family in FAMILIES
    }


def trait(material: Material, name: str) -> Floats:
    """One trait of every row, [N], NaN where unknown."""
    place = [one.name for one in TRAITS].index(name)
    return material.scan.traits[:, place].astype(np.float64)


def source_columns(source: Ints) -> Floats:
    """A column of 0 and 1 for each source, [N, S]."""
    marks: Floats = (source[:, None] == np.unique(source)[None]).astype(np.float64)
    return marks
