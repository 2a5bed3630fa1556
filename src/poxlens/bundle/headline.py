"""Which of a bundle's figures are told first; all of them stand in its model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Figure, Manifest

_DETAILS = ("source ", "class ", "shortcut", "grouped filter", "random filter", "loose filter")


def headline(manifest: Manifest) -> list[Figure]:
    """Figures of all photos, of each skin tone and of sources never seen; not those by class or source, nor the
    comparisons with laxer protocols and spoilt images.
    """
    return [
        figure
        for figure in manifest.evidence.figures
        if not any(detail in f"{figure.group} " for detail in _DETAILS)
    ]
