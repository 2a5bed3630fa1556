"""The report's conclusions in sentences, each from the numbers beside it."""

from __future__ import annotations

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.table import text

AID = "A screening aid, not a diagnosis. PCR decides."


def result_told(found: Analysis) -> str:
    """The first thing a reader wants to know."""
    best = found.best
    figures = best.figures
    others = [one for one in found.comparisons.against if not _apart(one.differences["accuracy"])]
    same = (
        f" {len(others)} of the {len(found.comparisons.against)} other models cannot be told from it."
        if others
        else " All other models are less accurate by more than chance."
    )
    return (
        f"Most accurate: {best.model.name}, with accuracy {text(figures['accuracy'])}, macro F1"
        f" {text(figures['macro F1'])} and an AUROC of {text(figures['AUROC'])} for {found.tested.target}."
        + same
        * bool(found.comparisons.against)
    )


def pairs_told(found: Analysis) -> str:
    """What the corrected tests over all pairs say."""
    pairs = found.comparisons.pairs
    clear = sum(pair.adjusted < 0.05 for pair in pairs)
    if not pairs:
        return "There is one model, so nothing to compare it with."
    return (
        f"{clear} of {len(pairs)} pairs of models differ in accuracy by a test that allows for folds with common"
        " training images (Nadeau and Bengio 2003) after Holm's adjustment for their number."
    )


def augmentation_told(found: Analysis) -> str:
    """What the paper's tree of tests says of augmentation."""
    tests = found.comparisons.augmentation
    if not tests:
        return "No network was run both with and without augmentation."
    clear = [one.network for one in tests if one.tests[-1].significant]
    if not clear:
        return f"Augmentation changes the accuracy of none of {len(tests)} networks (p under .05)."
    return f"Augmentation changes the accuracy of {', '.join(clear)} (p under .05), of {len(tests)} networks tested."


def calibration_told(found: Analysis) -> str:
    """What temperature scaling does."""
    every = list(found.calibrated.values())
    better = sum(_below(one.change["ECE"]) for one in every)
    worse = sum(_above(one.change["ECE"]) for one in every)
    return (
        f"Temperature scaling, fitted on the other folds, lowers the ECE of {better} of {len(every)} models by more"
        f" than chance and raises that of {worse}. A dot on the diagonal: the stated probability is what happens."
    )


def tones_told(found: Analysis) -> str:
    """What can be said of light and dark skin."""
    every = list(found.tones.values())
    few = [one.few for one in every if one.few]
    if len(few) == len(every):
        return f"No verdict: {few[0]}."
    light = sum(one.verdict == "better on light skin" for one in every)
    dark = sum(one.verdict == "better on dark skin" for one in every)
    return (
        f"Of {len(every)} models {light} are more accurate on light skin and {dark} on dark skin (95 % interval of the"
        " difference, over groups). Where no difference is shown there may be one: the intervals say how large. Classes"
        " are not equally frequent on light and dark skin, which moves these figures too."
    )


def _apart(one: Estimate) -> bool:
    return _above(one) or _below(one)


def _above(one: Estimate) -> bool:
    return bool(one.low > 0) and not one.too_few


def _below(one: Estimate) -> bool:
    return bool(one.high < 0) and not one.too_few
