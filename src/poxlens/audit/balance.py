"""How many images, independent units and skin tones each class has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.audit.confounding import cramers_v
from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.material import Material
from poxlens.evaluate.intervals import FEW, Estimate, estimate
from poxlens.evaluate.statistic import share


@dataclass(frozen=True)
class ClassCount:
    """One class in numbers."""

    label: str
    images: int
    units: int  # independent: persons, groups, photos
    light: int  # images with an Individual Typology Angle above 10 degrees (Campana 2024, section 3.3)
    dark: int
    untold: int  # too little skin for a tone
    dark_share: Estimate  # of those with a tone, 0-1; interval over units


_NONE = Estimate(float("nan"), float("nan"), float("nan"), 0, 0)


def count_classes(material: Material, *, resamples: int = 500, seed: int = 0) -> tuple[ClassCount, ...]:
    """The table light/dark by class of Campana 2024, section 4.4.4, with independent units beside images."""
    tone = np.asarray(material.tone, dtype=str)
    told, light = tone != "unknown", tone == "light"
    found = []
    for place, label in enumerate(material.labels):
        rows = material.label == place
        dark = rows & told & ~light
        within = rows & told
        units = material.unit[within]
        figure = _NONE
        if within.any():
            figure = estimate({"dark": share(dark[within])}, units, resamples=resamples, seed=seed)["dark"]
        found.append(
            ClassCount(
                label,
                int(rows.sum()),
                int(np.unique(material.unit[rows]).size),
                int((rows & told & light).sum()),
                int(dark.sum()),
                int((rows & ~told).sum()),
                figure,
            )
        )
    return tuple(found)


def check_balance(classes: Sequence[ClassCount], folds: Sequence[int]) -> list[Finding]:
    """Findings `balance.too_small`, `balance.few`, `balance.one_class`, `balance.uneven`, `balance.units`."""
    findings = []
    if len(classes) < 2:
        findings.append(
            Finding(
                "balance.one_class",
                "fault",
                "There is one class only",
                "Nothing can be told apart. Add images of at least one other class, or check the column label.",
                tuple(Item(one.label, count(one.images, "image")) for one in classes),
            )
        )
    most = max(folds)
    small = [one for one in classes if one.units < most]
    if small:
        findings.append(
            Finding(
                "balance.too_small",
                "fault",
                f"{count(len(small), 'class has', 'classes have')} fewer independent units than {most} folds:"
                f" {some(one.label for one in small)}",
                "Some folds would test nothing of it. Add persons, merge the class with another, or use fewer folds.",
                _items(small),
            )
        )
    few = [one for one in classes if most <= one.units < 3 * FEW]
    if few:
        findings.append(
            Finding(
                "balance.few",
                "warning",
                f"{count(len(few), 'class has', 'classes have')} fewer than {3 * FEW} independent units:"
                f" {some(one.label for one in few)}",
                "The interval of its sensitivity will span a third of the scale. Say so, or add persons.",
                _items(few),
            )
        )
    largest, smallest = max(classes, key=_units), min(classes, key=_units)
    if len(classes) > 1 and largest.units >= 3 * smallest.units:
        findings.append(
            Finding(
                "balance.uneven",
                "note",
                f"The largest class ({largest.label}) has {largest.units / max(1, smallest.units):.0f} times the"
                f" units of the smallest ({smallest.label})",
                "Accuracy flatters the large class: report balanced accuracy and each class's sensitivity.",
                _items(classes),
            )
        )
    shrunk = [one for one in classes if one.units <= 0.8 * one.images]
    if shrunk:
        worst = min(shrunk, key=lambda one: one.units / one.images)
        findings.append(
            Finding(
                "balance.units",
                "note",
                f"{count(len(shrunk), 'class has', 'classes have')} far fewer independent units than images, above"
                f" all {worst.label}: {worst.images:,} images of {worst.units:,} units",
                "n is the number of units: intervals over images would be too narrow. poxlens evaluate draws"
                " whole units when the columns patient or group are filled.",
                _items(shrunk),
            )
        )
    return findings


def check_tones(classes: Sequence[ClassCount]) -> list[Finding]:
    """Findings `tone.few` (classes with few dark or light images) and `tone.confounded`."""
    told = [one for one in classes if one.light + one.dark]
    if not told:
        return []
    findings = []
    few = [one for one in told if min(one.light, one.dark) < FEW]
    if few:
        findings.append(
            Finding(
                "tone.few",
                "warning",
                f"{count(len(few), 'class has', 'classes have')} fewer than {FEW} images of light or of dark skin:"
                f" {some(one.label for one in few)}",
                "Nothing can be said of how well they are told on that skin. Add images, and report by tone.",
                _tones(few),
            )
        )
    counts = np.array([[one.light, one.dark] for one in told])
    v = cramers_v(counts) if len(told) > 1 else float("nan")
    lightest, darkest = min(told, key=_dark), max(told, key=_dark)
    if v >= 0.3:
        findings.append(
            Finding(
                "tone.confounded",
                "warning",
                f"Skin tone goes with the class: {darkest.dark_share.value:.0%} dark in {darkest.label},"
                f" {lightest.dark_share.value:.0%} in {lightest.label} (Cramer's V {v:.2f})",
                "A network may learn the tone for the class. Report sensitivity and specificity by tone, and balance"
                " tones within each class. Tone is an estimate from the photo; light and camera move it.",
                _tones(told),
                {"cramers_v": v},
            )
        )
    return findings


def _units(one: ClassCount) -> int:
    return one.units


def _dark(one: ClassCount) -> float:
    return one.dark_share.value


def _items(classes: Sequence[ClassCount]) -> tuple[Item, ...]:
    return tuple(
        Item(one.label, f"{count(one.images, 'image')}, {count(one.units, 'independent unit')}")
        for one in classes
    )


def _tones(classes: Sequence[ClassCount]) -> tuple[Item, ...]:
    return tuple(
        Item(one.label, f"{one.light} light, {one.dark} dark, {one.untold} with too little skin")
        for one in classes
    )
