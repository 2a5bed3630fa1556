"""The tables of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.comparison_tables import comparison_tables
from poxlens.recipes.compare.report.paper_tables import paper_tables
from poxlens.recipes.compare.report.pooled import DECISIONS, PROBABILITIES
from poxlens.recipes.compare.report.table import Cell, PValue, Signed, Table
from poxlens.recipes.compare.report.usefulness import Useful

NOTHING = Estimate(math.nan, math.nan, math.nan, 0, 0)
ECE_TOLD = (
    "ECE over ten bins of equal numbers of images. 95 % intervals: whole groups are drawn with replacement."
)
SHOWN_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)


def tables(found: Analysis) -> tuple[Table, ...]:
    """All tables in the order of the report, those left out that have no row."""
    every = [
        _pooled(found, "decisions", DECISIONS, "what is decided"),
        _pooled(found, "probabilities", PROBABILITIES, f"the probability of {found.tested.target}"),
        _recalls(found),
        *paper_tables(found),
        *comparison_tables(found),
        _calibration(found),
        _tones(found),
        _benefit(found),
        _prevalence(found),
        _left_out(found),
        _learning(found),
    ]
    return tuple(table for table in every if table.rows)


def _pooled(found: Analysis, name: str, figures: Sequence[str], of: str) -> Table:
    repeats = found.tested.repeats
    averaged = f", averaged over {repeats} repeats" if repeats > 1 else ""
    return Table(
        name,
        f"All images out-of-fold{averaged}: {of}",
        ("network", "setting", *figures),
        tuple(
            (one.model.network, one.model.setting, *(one.figures[figure] for figure in figures))
            for one in found.pooled
        ),
        ECE_TOLD
        if "ECE" in figures
        else f"The decision is the most probable class; sensitivity and specificity are of {found.tested.target} at"
        f" probability .5. 95 % intervals: whole groups are drawn with replacement ({found.resamples} resamples);"
        " repeats are averaged, not counted as new images.",
    )


def _recalls(found: Analysis) -> Table:
    return Table(
        "recall",
        "Share of each class decided right",
        ("network", "setting", *found.tested.classes),
        tuple((one.model.network, one.model.setting, *one.recalls.values()) for one in found.pooled),
        "95 % intervals over groups.",
    )


def _calibration(found: Analysis) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found.calibrated.values():
        least, most = float(one.temperatures.min()), float(one.temperatures.max())
        rows.append(
            (
                one.model.network,
                one.model.setting,
                one.before["ECE"],
                one.after["ECE"],
                Signed(one.change["ECE"]),
                one.before["Brier score"],
                one.after["Brier score"],
                f"{least:.2f} to {most:.2f}",
            )
        )
    return Table(
        "calibration",
        f"Calibration of the probability of {found.tested.target}, before and after temperature scaling",
        ("network", "setting", "ECE", "ECE after", "change", "Brier", "Brier after", "temperature"),
        tuple(rows),
        "The temperature of a fold is fitted on the predictions of the other folds, never on its own images. Ten bins"
        " of equal numbers of images; of equal n only can ECEs be compared.",
    )


def _tones(found: Analysis) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in found.tones.items():
        rows.append(
            (
                name,
                one.light.folds,
                one.dark.folds,
                PValue(math.nan if one.t_test is None else one.t_test.p),
                one.light.accuracy,
                one.dark.accuracy,
                Signed(one.difference),
                one.verdict,
            )
        )
    first = next(iter(found.tones.values()))
    return Table(
        "skin-tone",
        "Accuracy on light and on dark skin",
        (
            "model",
            "light, folds",
            "dark, folds",
            "p, t-test",
            "light",
            "dark",
            "light − dark",
            "verdict",
        ),
        tuple(rows),
        f"Light: {first.light.n} images of {first.light.groups} groups; dark: {first.dark.n} of {first.dark.groups}."
        " Skin tone is an estimate from the photo (ITA above 10° is light), moved by light and camera. The first"
        " columns are as in the paper (mean and SD over folds, t-test); the interval and the verdict allow for"
        " groups. Verdicts are not adjusted for the number of models.",
        told=True,
    )


def _benefit(found: Analysis) -> Table:
    def at(one: Useful, threshold: float, of: Sequence[Estimate]) -> Estimate:
        return of[one.thresholds.index(threshold)]

    rows: list[tuple[Cell, ...]] = []
    for leader in found.leaders:
        one = leader.useful
        rows.append((one.model.name, *(at(one, t, one.benefit) for t in SHOWN_THRESHOLDS)))
    if found.leaders:
        first = found.leaders[0].useful
        rows.append(("refer everybody", *(at(first, t, first.everybody) for t in SHOWN_THRESHOLDS)))
    share = float(np.mean(found.tested.positive))
    return Table(
        "net-benefit",
        "Net benefit of referring at a probability, calibrated (Vickers and Elkin 2006)",
        ("model", *(f"at {threshold:g}" for threshold in SHOWN_THRESHOLDS)),
        tuple(rows),
        f"Of the prevalence of this sample, {100 * share:.0f} % {found.tested.target}, which is not that of a clinic. A"
        " model is of use at a threshold where it lies above 0 (refer nobody) and above referring everybody.",
    )


def _prevalence(found: Analysis) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for leader in found.leaders:
        one = leader.useful
        for share, ppv, npv in zip(one.prevalences, one.ppv, one.npv, strict=True):
            rows.append((one.model.name, f"{100 * share:g} %", ppv, npv))
    return Table(
        "prevalence",
        "PPV and NPV over prevalence, referring at probability .5",
        ("model", "prevalence", "PPV", "NPV"),
        tuple(rows),
        "From this sample's sensitivity and specificity by Bayes' rule, which holds only where patients and their"
        " photos are like these.",
    )


def _left_out(found: Analysis) -> Table:
    names = tuple(dict.fromkeys(name for one in found.left_out for name in one.figures))
    return Table(
        "leave-one-out",
        "Leave-one-out",
        ("network", "setting", "way", *names),
        tuple(
            (one.network, one.setting, one.value, *(one.figures.get(name, NOTHING) for name in names))
            for one in found.left_out
        ),
        "Each group (each image, in an ungrouped study) is tested by what learnt from all others. best-fold: with the"
        " hyper-parameters of the fold that tested best, as Campana 2024, which leaks, as test images chose them;"
        " nested: chosen anew without what is left out. Micro F1 is the accuracy.",
    )


def _learning(found: Analysis) -> Table:
    names = tuple(dict.fromkeys(name for one in found.learning for name in one.figures))
    return Table(
        "learning-curve",
        "Figures over the number of images learnt from",
        ("network", "setting", "images", *names),
        tuple(
            (one.network, one.setting, one.size, *(one.figures.get(name, NOTHING) for name in names))
            for one in found.learning
        ),
        "95 % intervals over groups.",
    )
