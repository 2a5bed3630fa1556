"""Which image an augmented copy was made from, as far as its name tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from poxlens.data.importing.place import Place


def originals_of(copies: Sequence[Place], originals: Sequence[Place]) -> dict[PurePosixPath, Place | None]:
    """The original of each copy by the copy's file: of its class, the one whose name begins the copy's.

    The longest such name counts, cut where letters and digits end: "img_12_aug_3" is a copy of "img_12", not
    of "img_1". None where no name fits.
    """
    known = {(_label(one), one.image.lower()): one for one in originals}
    found: dict[PurePosixPath, Place | None] = {}
    for copy in copies:
        stem = copy.image.lower()
        while stem and (_label(copy), stem) not in known:
            stem = re.sub(r"(?:[\W_]+[^\W_]*|[^\W_]+)$", "", stem)
        found[copy.file] = known.get((_label(copy), stem))
    return found


def _label(one: Place) -> str:
    return one.source.label if one.source else ""
