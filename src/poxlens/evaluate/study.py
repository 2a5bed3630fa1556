"""All figures of a bundle on a table of images, from its predictions.csv."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from poxlens.evaluate.calibration import Bin, ece, reliability
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, balanced_accuracy, confusion, macro_f1
from poxlens.evaluate.predictions import Prediction, Predictions
from poxlens.evaluate.ranking import roc
from poxlens.evaluate.slices import Question, Slice, slice_of
from poxlens.evaluate.statistic import share
from poxlens.screen.decision import CONCERN, Outcome

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Manifest as BundleManifest

ITA_CLASSES = ("very light", "light", "intermediate", "tan", "brown", "dark")


@dataclass(frozen=True)
class Point:
    """An operating point of the bundle: what it promises and what was measured on the assessed photos."""

    name: str  # "rule-out" or "rule-in"
    threshold: float
    promised: tuple[Estimate, Estimate]  # sensitivity, specificity
    measured: tuple[Estimate | None, Estimate | None]


@dataclass(frozen=True)
class Confusion:
    """Top class against truth, of assessed photos."""

    truths: tuple[str, ...]  # rows: classes that occur, then labels that are none of them
    classes: tuple[str, ...]  # columns
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Study:
    """Everything the report shows."""

    bundle: str
    target: str
    table_sha256: str
    n: int  # rows of the table
    unreadable: tuple[tuple[str, str], ...]  # file, reason code
    notes: tuple[str, ...]
    photos: tuple[Slice, ...]  # the first is of all
    persons: tuple[Slice, ...]  # empty without persons in the table
    points: tuple[Point, ...]
    confusion: Confusion
    classes: dict[str, Estimate]  # figures over all classes of the bundle
    reliability: tuple[Bin, ...]  # of the target's probability
    curve: tuple[tuple[float, float], ...]  # ROC: 1 - specificity, sensitivity; empty when not defined
    refusals: dict[str, int]  # reason code -> readable photos refused for it


def study(
    predictions: Predictions,
    bundle: BundleManifest,
    *,
    label: str,
    table_sha256: str,
    resamples: int = 2000,
    seed: int = 0,
) -> Study:
    """Compute every figure.

    Args:
        predictions: read back from predictions.csv.
        bundle: for its classes, thresholds and promises.
        label: how the bundle is named: name, version, digest.
        table_sha256: of the table of images.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    question = Question(
        predictions.classes,
        bundle.target,
        bundle.rule_out.threshold,
        bundle.rule_in.threshold,
        resamples,
        seed,
    )
    readable = [row for row in predictions.rows if row.readable]
    assessed = [row for row in readable if row.assessed]
    people = persons(readable, question)
    photos = tuple(_slices(readable, question))
    return Study(
        bundle=label,
        target=bundle.target,
        table_sha256=table_sha256,
        n=len(predictions.rows),
        unreadable=tuple((row.file, row.reasons[0]) for row in predictions.rows if not row.readable),
        notes=tuple(_notes(predictions, bundle.target)),
        photos=photos,
        persons=tuple(_slices(people, question)) if people else (),
        points=_points(bundle, photos[0]),
        confusion=_confusion(assessed, predictions.classes),
        classes=_class_figures(readable, question),
        reliability=_reliability(assessed, question),
        curve=_curve(assessed, question),
        refusals=dict(Counter(row.reasons[0] for row in readable if not row.assessed).most_common()),
    )


def persons(rows: Sequence[Prediction], question: Question) -> list[Prediction]:
    """One row a person, by the rule for several photos of one; empty when no person has a second photo.

    The outcome is the gravest of the photos'; the probabilities are those of the assessed photo with the
    highest for the target; a person with the target in any photo has it; the skin tone is the first photo's
    with one; body site and stage stand where all photos have the same.
    """
    members: dict[str, list[Prediction]] = {}
    for row in rows:
        members.setdefault(row.person, []).append(row)
    if len(members) == len(rows):
        return []
    return [_person(name, photos, question) for name, photos in members.items()]


def _person(name: str, photos: Sequence[Prediction], question: Question) -> Prediction:
    assessed = [row for row in photos if row.assessed]
    lead = max(assessed, key=lambda row: row.probabilities[question.place]) if assessed else photos[0]
    ill = next((row for row in photos if row.class_ == question.target), photos[0])
    toned = next((row for row in photos if row.tone), photos[0])
    return replace(
        lead,
        file=name,
        label=ill.label,
        class_=ill.class_,
        outcome=str(max((Outcome(row.outcome) for row in photos), key=CONCERN.index)),
        tone=toned.tone,
        ita=toned.ita,
        ita_class=toned.ita_class,
        body_site=_common([row.body_site for row in photos]),
        stage=_common([row.stage for row in photos]),
    )


def _common(values: Sequence[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""


def _slices(rows: Sequence[Prediction], question: Question) -> Iterator[Slice]:
    yield slice_of("all", "all", rows, question)
    order = {name: place for place, name in enumerate((*question.classes, *ITA_CLASSES))}
    cuts: tuple[tuple[str, Callable[[Prediction], str]], ...] = (
        ("class", lambda row: row.class_ or f"{row.label} (no class of the bundle)"),
        ("source", lambda row: row.dataset),
        ("skin tone", lambda row: row.tone),
        ("ITA class", lambda row: row.ita_class),
        ("body site", lambda row: row.body_site),
        ("stage", lambda row: row.stage),
    )
    for kind, of in cuts:
        names = {of(row) for row in rows} - {""}
        for name in sorted(names, key=lambda name: (order.get(name, len(order)), name)):
            yield slice_of(kind, name, [row for row in rows if of(row) == name], question)


def _points(bundle: BundleManifest, everything: Slice) -> tuple[Point, ...]:
    found = []
    for name, promise in (("rule-out", bundle.rule_out), ("rule-in", bundle.rule_in)):
        sides = (promise.sensitivity, promise.specificity)
        stated = tuple(Estimate(side.value, side.low, side.high, side.n, side.n) for side in sides)
        measured = tuple(everything.figures.get(f"{name} {side}") for side in ("sensitivity", "specificity"))
        found.append(Point(name, promise.threshold, (stated[0], stated[1]), (measured[0], measured[1])))
    return tuple(found)


def _confusion(rows: Sequence[Prediction], classes: tuple[str, ...]) -> Confusion:
    known = [name for name in classes if any(row.class_ == name for row in rows)]
    others = sorted({row.label for row in rows if not row.class_})
    names = [*classes, *(f"{label} (no class)" for label in others)]
    truth = [
        classes.index(row.class_) if row.class_ else len(classes) + others.index(row.label) for row in rows
    ]
    counts = confusion(truth, [int(np.argmax(row.probabilities)) for row in rows], len(names))
    shown = [names.index(name) for name in (*known, *names[len(classes) :])]
    return Confusion(
        tuple(names[place] for place in shown),
        classes,
        tuple(tuple(int(count) for count in counts[place, : len(classes)]) for place in shown),
    )


def _class_figures(rows: Sequence[Prediction], question: Question) -> dict[str, Estimate]:
    """Figures over the bundle's classes, of photos that show one; before the novelty gate too."""
    classes = question.classes
    run = [row for row in rows if row.class_ and row.probabilities]
    found: dict[str, Estimate] = {}
    for suffix, chosen in (("", [row for row in run if row.assessed]), (", before the novelty gate", run)):
        if not chosen:
            continue
        truth = np.array([classes.index(row.class_) for row in chosen])
        p = np.array([row.probabilities for row in chosen])
        top = p.argmax(axis=1)
        held = [row.class_ in row.prediction_set for row in chosen]
        figures = {
            "accuracy": accuracy(truth, top),
            "balanced accuracy": balanced_accuracy(truth, top, len(classes)),
            "macro-F1": macro_f1(truth, top, len(classes)),
            "ECE of the top class": ece(p.max(axis=1), top == truth),
            "prediction set holds the truth": share(held),
        }
        clusters = [row.cluster for row in chosen]
        for name, value in estimate(
            figures, clusters, resamples=question.resamples, seed=question.seed
        ).items():
            found[name + suffix] = value
    return found


def _reliability(rows: Sequence[Prediction], question: Question) -> tuple[Bin, ...]:
    stated = [row.probabilities[question.place] for row in rows]
    return reliability(stated, [row.class_ == question.target for row in rows])


def _curve(rows: Sequence[Prediction], question: Question) -> tuple[tuple[float, float], ...]:
    positive = [row.class_ == question.target for row in rows]
    if not any(positive) or all(positive):
        return ()
    found = roc([row.probabilities[question.place] for row in rows], positive)
    return tuple(zip(found.false_positive_rate.tolist(), found.sensitivity.tolist(), strict=True))


def _notes(predictions: Predictions, target: str) -> Iterator[str]:
    strangers: Mapping[str, int] = Counter(row.label for row in predictions.rows if not row.class_)
    for label, count in sorted(strangers.items()):
        yield (
            f'"{label}" ({count}) is no class of this bundle: counted as not {target}.'
            f" If it is one under another name, say --map {label}=CLASS."
        )
    if not any(row.class_ == target for row in predictions.rows):
        yield f"No photo is labelled {target}: there is no sensitivity, no AUROC."
    elif all(row.class_ == target for row in predictions.rows):
        yield f"Every photo is labelled {target}: there is no specificity, no AUROC."
    if any(row.tone for row in predictions.rows):
        yield "Skin tone is an estimate from the photo (Individual Typology Angle), not a measurement."
    if any(row.body_site or row.stage for row in predictions.rows):
        yield "Body site and stage are as the table says; read off photos by no clinician, they are not clinical."
