"""The public sets of images that poxlens knows: layout, counts, classes, groups, licence, citation, known faults."""

from __future__ import annotations

from poxlens.data.catalogue.dermatology import ACNE04, DERMNET, DERMNET_NZ
from poxlens.data.catalogue.dermoscopy import HAM10000, ISIC2019
from poxlens.data.catalogue.generic import CSV, FOLDER
from poxlens.data.catalogue.mpox import MCSI, MSID, MSLD, MSLD2
from poxlens.data.catalogue.spec import NOT_STATED, Class, SetSpec, SideTable

__all__ = ["NOT_STATED", "SETS", "Class", "SetSpec", "SideTable"]

SETS: dict[str, SetSpec] = {
    spec.name: spec
    for spec in (MSLD, MSLD2, MSID, MCSI, DERMNET, DERMNET_NZ, HAM10000, ISIC2019, ACNE04, FOLDER, CSV)
}
"""Every set by its name."""
