"""The forms that an export wrote, read again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.bundle.store import load
from poxlens.errors import ExportError
from poxlens.export.forms import KINDS, Kind, name_of
from poxlens.recipes.phone.ship import RECORD


@dataclass(frozen=True, eq=False)
class Written:
    """A bundle's forms, those in it and those beside it."""

    forms: dict[Kind, bytes]
    packed: frozenset[str]  # file names of those in the bundle
    images: tuple[str, ...]  # calibration images
    places: tuple[int, ...]  # of these among the run's images

    def calibrated(self, file: NDArray[np.str_]) -> NDArray[np.int64]:
        """Places of the calibration images among the run's.

        Raises:
            ExportError: the run's images are others now.
        """
        found = [str(file[place]) if place < len(file) else "" for place in self.places]
        if tuple(found) != self.images:
            raise ExportError("the run's images are not those that this bundle was made with")
        return np.array(self.places, np.int64)


def read_written(bundle: Path, beside: Path) -> Written:
    """The forms of a bundle, and those in the folder beside it.

    Raises:
        ExportError: the record of the export is missing or damaged.
        BundleError: the bundle is damaged.
    """
    found = load(bundle)
    forms: dict[Kind, bytes] = {}
    for kind in KINDS:
        path = beside / name_of(kind)
        if path.is_file():
            forms[kind] = path.read_bytes()
    for model in found.manifest.models:
        kind = (model.runtime, model.precision)
        data = found.read(model.file)
        if forms.setdefault(kind, data) != data:
            raise ExportError(f"{beside / model.file} is another file than the bundle's: export again")
    try:
        record = json.loads((beside / RECORD).read_text("utf-8"))
        calibration = record["calibration"]
        images, places = tuple(calibration["images"]), tuple(int(one) for one in calibration["places"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise ExportError(
            f"{beside / RECORD} cannot be read ({fault}): it stands beside a bundle of poxlens export, and names the "
            "images that are not to be tested on"
        ) from fault
    return Written(forms, frozenset(model.file for model in found.manifest.models), images, places)
