"""The tables of a run, each once: for the page, for tables.md and as CSV."""

from __future__ import annotations

from poxlens.recipes.aism.evidence import Evidence
from poxlens.recipes.aism.figures import OVERALL, PER_CLASS, Judged
from poxlens.recipes.aism.grades import NOTE
from poxlens.recipes.compare.report.table import Cell, Signed, Table

LEAKS = (
    "This protocol leaks: copies of the tested photos are learnt from. It is here to be compared with, and says "
    "nothing about photos that a model has not seen."
)
PAPER = (
    (
        "Mpox-AISM, ResNeXt101-64x4d + SimCLR (leaks, 4,831 images)",
        "0.945",
        "0.966",
        "0.993",
        "0.941",
        "0.999",
    ),
    ("EfficientNet-B0 + SimCLR (leaks)", "0.925", "", "", "", ""),
    ("EfficientNet-B0 (leaks)", "0.905", "", "", "", ""),
    ("ResNeXt101-64x4d (leaks)", "0.850", "", "", "", ""),
)
"""Yue 2024, section 2.2: accuracy over all classes, then F1, precision, recall and specificity of mpox."""


def tables(found: Evidence) -> list[Table]:
    """All tables that a run has something to put into."""
    made = [_arms(found), _targets(found), _differences(found), _classes(found), _referral(found)]
    if found.recalls:
        made.append(_grades(found))
    if found.leaks:
        made.append(_leak(found))
    return [one for one in made if one.rows]


def _row(one: Judged, target: str) -> tuple[Cell, ...]:
    own = one.classes[target]
    return (
        one.overall["accuracy"],
        one.overall["macro F1"],
        own["F1"],
        own["precision"],
        own["recall"],
        own["specificity"],
    )


def _heads(target: str) -> tuple[str, ...]:
    return (
        "accuracy",
        "macro F1",
        *(f"{target} {name}" for name in ("F1", "precision", "recall", "specificity")),
    )


def _arms(found: Evidence) -> Table:
    target = found.study.images.target
    ordered = sorted(found.judged, key=lambda one: (-one.said.share, -one.overall["accuracy"].value))
    rows = [
        (
            one.said.arm,
            f"{one.said.share:.0%}",
            len(set(one.said.folds.tolist())),
            len(one.said.truth),
            *_row(one, target),
        )
        for one in ordered
    ]
    return Table(
        "arms",
        "Every arm, out of fold",
        ("arm", "labels", "folds", "images tested", *_heads(target)),
        tuple(rows),
        "95 % intervals, whole groups drawn with replacement. Arms on fewer folds are tested on fewer images.",
    )


def _targets(found: Evidence) -> Table:
    rows = [
        (
            one.name,
            f"{one.wanted:.2f}",
            one.figure,
            "reached" if one.met else f"missed by {one.wanted - one.figure.value:.3f}",
        )
        for one in found.targets
    ]
    return Table(
        "targets",
        f"What was aimed at, and the most accurate arm: {found.best.said.arm}",
        ("figure", "aim", "reached", ""),
        tuple(rows),
        "The arm is picked by these very figures, so they are a little too good.",
    )


def _differences(found: Evidence) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{one.second} − {one.first}",
            f"{one.share:.0%}",
            one.n,
            *(Signed(value) for value in one.figures.values()),
        )
        for one in found.differences
    ]
    names = list(found.differences[0].figures) if found.differences else []
    return Table(
        "differences",
        "Paired differences on the same photos",
        ("difference", "labels", "images", *names),
        tuple(rows),
        "An interval that holds 0 shows no difference.",
    )


def _classes(found: Evidence) -> Table:
    """Eq. 4-8 per class, and their means, of the arms of figure 3 and the best."""
    rows: list[tuple[Cell, ...]] = []
    for one in found.shown:
        rows += [
            (one.said.arm, name, *(figures[what] for what in PER_CLASS))
            for name, figures in one.classes.items()
        ]
        means = [one.overall[name] for name in OVERALL]
        rows.append(
            (one.said.arm, "mean (accuracy: of all)", means[0], means[2], means[3], means[4], means[1])
        )
    return Table(
        "classes",
        "Accuracy, precision, recall, specificity and F1 of each class against the others (eq. 4-8)",
        ("arm", "class", *PER_CLASS),
        tuple(rows),
    )


def _referral(found: Evidence) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found.referrals:
        figures = one.at.figures
        names = ("answered", "accuracy of the answered", "accuracy of those sent", "target: found")
        more = ("target: sent to a person", "target: missed", "specificity of the answered")
        rows.append((one.arm, one.way, *(figures[name] for name in (*names, *more)), one.ece))
    target = found.study.images.target
    return Table(
        "referral",
        f"A person is asked below a top probability of {found.study.threshold:g}",
        (
            "arm", "probabilities", "answered", "accuracy of these", "accuracy of the rest", f"{target} found",
            f"{target} sent to a person", f"{target} missed", f"{target} specificity of the answered", "ECE",
        ),
        tuple(rows),
        "Yue 2024, section 2.5: 94 % answered, 95.9 % of these right; on a split that leaks.",
    )  # fmt: skip


def _grades(found: Evidence) -> Table:
    parts = list(dict.fromkeys(one.part for one in found.recalls))
    arms = list(dict.fromkeys(one.arm for one in found.recalls))
    known = {(one.arm, one.part): one.figure for one in found.recalls}
    rows: list[tuple[Cell, ...]] = [
        (part, known[arms[0], part].n, *(known.get((arm, part), "–") for arm in arms)) for part in parts
    ]
    return Table(
        "grades",
        f"Recall of {found.study.images.target} by body site and stage",
        ("part", "images", *arms),
        tuple(rows),
        f"{NOTE} Yue 2024: I 98.6 %, II 100 %, III 94.6 %, Others 99.3 %; earlier 100 %.",
    )


def _leak(found: Evidence) -> Table:
    target = found.study.images.target
    honest = {one.said.arm: one for one in found.whole}
    rows: list[tuple[Cell, ...]] = []
    for name, leaking in found.leaks.items():
        rows.append(
            (name, "Data_C, 8:2 over copies (LEAKS)", len(leaking.said.truth), *_row(leaking, target))
        )
        if name in honest:
            one = honest[name]
            rows.append((name, "group-disjoint folds", len(one.said.truth), *_row(one, target)))
    photo, group = found.seen
    return Table(
        "leak",
        "The same networks under the paper's protocol and without leak",
        ("arm", "protocol", "rows tested", *_heads(target)),
        tuple(rows),
        f"{LEAKS} Of its test rows {photo:.0%} have another copy of the photo in the training part, {group:.0%} "
        "a photo of their group.",
    )
