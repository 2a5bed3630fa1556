"""How figures are written, the same in the terminal and on the page."""

from __future__ import annotations

import math

from poxlens.evaluate.intervals import FEW, Estimate
from poxlens.evaluate.slices import Slice
from poxlens.evaluate.study import Point

TOO_FEW = "too few cases"
SCORES = ("AUROC", "average precision", "Brier score", "ECE")  # written as 0.987; all others in per cent

# Heading, then figures with the sentence that says what each is.
FINDING = {
    "sensitivity, uncertain found": "of {target} photos answered refer or uncertain",
    "sensitivity, uncertain missed": "of {target} photos answered refer",
    "missed": "of {target} photos answered not suspected",
    "specificity, uncertain cleared": "of other photos answered not suspected or uncertain",
    "specificity, uncertain flagged": "of other photos answered not suspected",
    "falsely referred": "of other photos answered refer",
    "sensitivity of assessed, uncertain found": "the same, of the assessed {target} photos",
    "sensitivity of assessed, uncertain missed": "the same, of the assessed {target} photos",
    "specificity of assessed, uncertain cleared": "the same, of the other assessed photos",
    "specificity of assessed, uncertain flagged": "the same, of the other assessed photos",
}
OUTCOME_NAMES = {
    "refer": "refer",
    "uncertain": "uncertain",
    "not_suspected": "not suspected",
    "cannot_assess": "cannot assess",
}
REFUSED_RULE = (
    "A photo that is refused (cannot assess) counts as sent to a person, never as found and never as cleared:"
    " it stays in the denominator unless a line says “of assessed”."
)
AID = "A screening aid, not a diagnosis. PCR decides."


def percent(estimate: Estimate | None) -> str:
    """A share with its interval: "62 % [50-72]"; with few cases the count instead of an interval."""
    if estimate is None or estimate.n == 0 or math.isnan(estimate.value):
        return "–"
    if estimate.too_few:
        return f"{round(estimate.value * estimate.n)} of {estimate.n}"
    return f"{_whole(estimate.value)} % [{_whole(estimate.low)}–{_whole(estimate.high)}]"


def score(estimate: Estimate | None) -> str:
    """A figure of 0..1 with its interval: "0.981 [0.970-0.990]"."""
    if estimate is None or estimate.n == 0 or math.isnan(estimate.value):
        return "–"
    if estimate.too_few:
        return TOO_FEW
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f} [no interval]"
    return f"{estimate.value:.3f} [{estimate.low:.3f}–{estimate.high:.3f}]"


def verdict(promised: Estimate, measured: Estimate | None) -> str:
    """Whether a bundle keeps on these photos what it promises, or why that cannot be said."""
    if measured is None or measured.n == 0:
        return "no cases"
    if measured.too_few:
        return f"{TOO_FEW} ({measured.cases}, {FEW} are needed)"
    if measured.high < promised.value:
        return "below the promise"
    if measured.low > promised.value:
        return "above the promise"
    return "as promised"


def point_rows(points: tuple[Point, ...]) -> list[tuple[str, str, str, str, str]]:
    """One row for each side of each operating point: point, side, promised, measured, verdict."""
    return [
        (f"{point.name} (p ≥ {point.threshold:.3g})", side, percent(promised), percent(measured), said)
        for point in points
        for side, promised, measured in zip(
            ("sensitivity", "specificity"), point.promised, point.measured, strict=True
        )
        for said in (verdict(promised, measured),)
    ]


def slice_name(one: Slice) -> str:
    """The name of a slice in a table."""
    forms = {"skin tone": "{} skin", "ITA class": "ITA {}", "body site": "site {}", "stage": "stage {}"}
    return forms.get(one.kind, "{}").format(one.name)


def _whole(value: float) -> str:
    # 99.6 % must not read 100 %, nor 0.4 % read 0 %.
    if 0 < value < 0.01 or 0.99 < value < 1:
        return f"{value * 100:.1f}"
    return f"{value * 100:.0f}"
