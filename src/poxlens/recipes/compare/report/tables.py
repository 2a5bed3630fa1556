"""The tables of a report."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.pooled import POOLED
from poxlens.recipes.compare.report.table import Cell, PValue, Signed, Table
from poxlens.recipes.compare.report.usefulness import Useful

SHOWN_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)


def tables(found: Analysis) -> tuple[Table, ...]:
    """All tables in the order of the report, those left out that have no row."""
    from poxlens.recipes.compare.report.paper_tables import paper_tables

    every = [
        _pooled(found),
        _recalls(found),
        *paper_tables(found),
        _anova(found),
        _tukey(found),
        _augmentation(found),
        _pairs(found),
        _against(found),
        _calibration(found),
        _tones(found),
        _benefit(found),
        _prevalence(found),
        _learning(found),
    ]
    return tuple(table for table in every if table.rows)


def _pooled(found: Analysis) -> Table:
    repeats = found.tested.repeats
    averaged = f", averaged over {repeats} repeats" if repeats > 1 else ""
    return Table(
        "pooled",
        f"All images out-of-fold{averaged}, with 95 % intervals over groups",
        ("network", "setting", *POOLED),
        tuple(
            (one.model.network, one.model.setting, *(one.figures[name] for name in POOLED))
            for one in found.pooled
        ),
        f"The decision is the most probable class; AUROC, average precision, sensitivity, specificity, ECE and Brier"
        f" score are of the probability of {found.tested.target}. Whole groups are drawn with replacement"
        f" ({found.resamples} resamples); repeats are averaged, not counted as new images.",
    )


def _recalls(found: Analysis) -> Table:
    return Table(
        "recall",
        "Share of each class decided right",
        ("network", "setting", *found.tested.classes),
        tuple((one.model.network, one.model.setting, *one.recalls.values()) for one in found.pooled),
        "95 % intervals over groups.",
    )


def _anova(found: Analysis) -> Table:
    rows = []
    for one in found.comparisons.settings:
        tested, sphericity = one.anova.anova, one.anova.sphericity
        odd = [name for name, test in one.anova.normality.items() if not test.p > 0.05]
        rows.append(
            (
                one.setting,
                len(one.networks),
                float(tested.statistic),
                f"{tested.df[0]:.0f}, {tested.df[1]:.0f}",
                PValue(tested.p),
                PValue(math.nan if sphericity is None else sphericity.p),
                float(one.anova.epsilon),
                PValue(one.anova.corrected_p),
                ", ".join(odd) or "none",
            )
        )
    return Table(
        "anova",
        "Do the networks differ? Repeated-measures ANOVA of the accuracy of folds",
        (
            "setting",
            "networks",
            "F",
            "df",
            "p",
            "p, Mauchly",
            "ε",
            "p, Greenhouse-Geisser",
            "not normal (Shapiro-Wilk, p ≤ .05)",
        ),
        tuple(rows),
        "As in Campana 2024, section 4.2. Mauchly's p under .05: the variances of differences differ, read the"
        " Greenhouse-Geisser column. Folds share training images, so all these p are too small.",
        told=True,
    )


def _tukey(found: Analysis) -> Table:
    rows = [
        (one.setting, pair.first, pair.second, pair, PValue(pair.p))
        for one in found.comparisons.settings
        for pair in one.tukey
    ]
    return Table(
        "tukey",
        "Which networks differ: Tukey's HSD of the accuracy of folds",
        ("setting", "network", "minus", "difference", "p"),
        tuple(rows),
        "As in the paper. It takes folds of two networks for independent samples, which they are not.",
    )


def _augmentation(found: Analysis) -> Table:
    rows = [
        (
            one.network,
            one.without,
            one.with_it,
            one.tests[-1].name,
            PValue(one.tests[-1].p),
            "; ".join(f"{test.name} p = {test.p:.3f}" for test in one.tests[:-1]),
        )
        for one in found.comparisons.augmentation
    ]
    return Table(
        "augmentation",
        "Does augmentation change the accuracy of folds? The paper's tree of tests",
        ("network", "without", "with", "test", "p", "tests before it"),
        tuple(rows),
        "Shapiro-Wilk of both; not normal: Wilcoxon's rank-sum test; else Bartlett, then the t-test with equal"
        " variances or Welch's. All take the folds for independent.",
        told=True,
    )


def _pairs(found: Analysis) -> Table:
    return Table(
        "pairs",
        "All pairs: corrected paired t-test of the accuracy of folds (Nadeau and Bengio 2003)",
        ("model", "minus", "difference", "p", "p, Holm"),
        tuple(
            (pair.first, pair.second, pair, PValue(pair.p), PValue(pair.adjusted))
            for pair in found.comparisons.pairs
        ),
        "The variance is s² (1/J + tested/learnt from), which allows for folds that share training images; Holm's"
        " adjustment is over all pairs of this table.",
    )


def _against(found: Analysis) -> Table:
    heads = ("accuracy", "macro F1", "AUROC")
    return Table(
        "against-best",
        f"{found.comparisons.best} minus each other model, paired on the same images",
        ("model", *heads),
        tuple(
            (one.name, *(Signed(one.differences[name]) for name in heads))
            for one in found.comparisons.against
        ),
        f"95 % intervals of the paired difference, whole groups drawn. {found.comparisons.best} was chosen as the most"
        " accurate on these very images, so differences are somewhat too large; an interval with 0 in it shows none.",
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
        rows.append((one.model.name, *(Signed(at(one, t, one.benefit)) for t in SHOWN_THRESHOLDS)))
    if found.leaders:
        first = found.leaders[0].useful
        rows.append(("refer everybody", *(Signed(at(first, t, first.everybody)) for t in SHOWN_THRESHOLDS)))
    share = float(np.mean(found.tested.positive))
    return Table(
        "net-benefit",
        "Net benefit of referring at a probability, calibrated (Vickers and Elkin 2006)",
        ("model", *(f"at {threshold:g}" for threshold in SHOWN_THRESHOLDS)),
        tuple(rows),
        f"Of the prevalence of this sample, {share:.0%} {found.tested.target}, which is not that of a clinic. A model"
        " is of use at a threshold where it lies above 0 (refer nobody) and above referring everybody.",
    )


def _prevalence(found: Analysis) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for leader in found.leaders:
        one = leader.useful
        for share, ppv, npv in zip(one.prevalences, one.ppv, one.npv, strict=True):
            rows.append((one.model.name, f"{share:.1%}", ppv, npv))
    return Table(
        "prevalence",
        "PPV and NPV over prevalence, referring at probability .5",
        ("model", "prevalence", "PPV", "NPV"),
        tuple(rows),
        "From this sample's sensitivity and specificity by Bayes' rule, which holds only where patients and their"
        " photos are like these.",
    )


def _learning(found: Analysis) -> Table:
    names = tuple(dict.fromkeys(name for one in found.learning for name in one.figures))
    nothing = Estimate(math.nan, math.nan, math.nan, 0, 0)
    return Table(
        "learning-curve",
        "Figures over the number of images learnt from",
        ("network", "setting", "images", *names),
        tuple(
            (one.network, one.setting, one.size, *(one.figures.get(name, nothing) for name in names))
            for one in found.learning
        ),
        "95 % intervals over groups.",
    )
