"""Which of a bundle's figures are told first; all of them stand in its model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Figure, Manifest

_DETAILS = ("source ", "class ", "shortcut", "grouped filter", "random filter", "loose filter")
_NAMES = (
    "AUROC",
    "accuracy",
    "macro F1",
    "ECE",
    "sensitivity, rule-out",
    "specificity, rule-out",
    "sensitivity, rule-in",
    "specificity, rule-in",
    "refer or not_suspected",
    "novelty AUROC",
)


def headline(manifest: Manifest) -> list[Figure]:
    """The figures that say how good a bundle is: ranking, calibration, operating points, how many get an answer
    and how many of the target are called not suspected; over all photos, for each skin tone and in sources never
    seen. Not those by class or source, nor the comparisons with laxer protocols and spoilt images.
    """
    return [
        figure
        for figure in manifest.evidence.figures
        if not any(detail in figure.group for detail in _DETAILS)
        and (
            (figure.name in _NAMES and not figure.group.endswith(f", {manifest.target}"))
            or (figure.name == "not_suspected" and figure.group.endswith(f", {manifest.target}"))
        )
        and not figure.group.endswith(f", not {manifest.target}")
    ]
