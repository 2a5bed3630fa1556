"""The tables of the tests between models."""

from __future__ import annotations

import math

from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.table import PValue, Signed, Table, text


def comparison_tables(found: Analysis) -> tuple[Table, ...]:
    """The paper's tests (section 4.2), then the sounder ones."""
    return _anova(found), _tukey(found), _augmentation(found), _pairs(found), _against(found)


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
            "; ".join(
                f"{test.name}{which}: {text(PValue(test.p))}"
                for test, which in zip(one.tests[:-1], (" without", " with", ""), strict=False)
            ),
        )
        for one in found.comparisons.augmentation
    ]
    return Table(
        "augmentation",
        "Does augmentation change the accuracy of folds? The paper's tree of tests",
        ("network", "without", "with", "test", "p", "p of the tests before it"),
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
