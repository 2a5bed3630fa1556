"""Which of a bundle's figures are told first; all of them stand in its model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Figure, Manifest

_DETAILS = ("source ", "class ", "shortcut", "grouped filter", "random filter", "loose filter")
_SHARES = ("refer", "uncertain", "cannot_assess", "refer or not_suspected")  # of outcomes


def headline(manifest: Manifest) -> list[Figure]:
    """The figures that say how good a bundle is: ranking, calibration, operating points, how many get an answer
    and how many of the target are called not suspected; over all photos, for each skin tone and in sources never
    seen. Not those by class or source, nor the comparisons with laxer protocols and spoilt images.
    """
    return [figure for figure in manifest.evidence.figures if _told_first(figure, manifest.target)]


def _told_first(figure: Figure, target: str) -> bool:
    if any(detail in figure.group for detail in _DETAILS) or figure.group.endswith(f", not {target}"):
        return False
    if figure.name == "not_suspected" or figure.group.endswith(f", {target}"):
        return figure.name == "not_suspected" and figure.group.endswith(f", {target}")
    return figure.name not in _SHARES or (figure.group == "all" and figure.name == "refer or not_suspected")
