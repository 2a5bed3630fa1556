"""Parts of the report's page that are more than a table."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from poxlens.evaluate.intervals import Estimate
from poxlens.pages.dots import interval_dots
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.drawing import COLOURS, Figure
from poxlens.recipes.compare.report.embeddings import Embedding
from poxlens.recipes.compare.report.reading import Tested


def explained() -> str:
    """How figures are to be read."""
    return (
        "<p>Every figure is out-of-fold: no image is tested by a model that learnt from it, and hyper-parameters are"
        " chosen inside the part that is learnt from. Intervals are 95 %, from drawing whole groups (a patient, a photo"
        " and its near-duplicates) with replacement. With fewer than ten independent groups on a side it says “too few"
        " cases” instead.</p>"
    )


def protocol(found: Analysis) -> str:
    """How the images were dealt, with the warning when that leaks."""
    record, tested = found.record, found.tested
    folds = sorted({len(np.unique(fold)) for fold in tested.fold})
    asked = record.study.get("protocol", {})
    share = asked.get("validation", 0.25)
    kept = "patients and near-duplicates whole" if record.grouped else "one by one"
    repeats = f", {tested.repeats} times over" if tested.repeats > 1 else ""
    skipped = record.facts.get("skipped") or []
    extra = record.facts.get("only_learnt_from") or 0
    lines = [
        f"Dealt to {' or '.join(map(str, folds))} folds{repeats}, {kept}; {100 * share:.0f} % of each development part"
        " is for choosing hyper-parameters."
    ]
    if extra:
        lines.append(f"{extra} more images are learnt from and never tested.")
    if skipped:
        lines.append(f"{len(skipped)} files could not be read and are left out.")
    if record.times:
        lines.append(took(record.times))
    warning = f'<p class="verdict leak">{escape(record.warning)}</p>' if record.warning else ""
    return f"<p>{escape(' '.join(lines))}</p>{warning}"


def took(times: Sequence[Mapping[str, Any]]) -> str:
    """How long the study ran, over all its starts."""
    last = times[-1]
    starts = f", in {len(times)} starts" if len(times) > 1 else ""
    return (
        f"The study took {sum(one['seconds'] for one in times) / 60:.0f} min{starts}, with {last['jobs']} units at once"
        f" on {last['cores']} cores."
    )


def dots_by_network(found: Analysis, figure: str) -> str:
    """A figure of every setting with its interval, one plot a network."""
    known = [one.figures[figure] for one in found.pooled]
    ends = [value for one in known for value in (one.low, one.high, one.value) if math.isfinite(value)]
    low, high, ticks = _axis(min(ends), max(ends))
    shown = []
    for network in found.tested.networks:
        rows = [
            (_short(one.model.setting), *_ends(one.figures[figure]))
            for one in found.pooled
            if one.model.network == network
        ]
        plot = interval_dots(
            rows, low=low, high=high, ticks=ticks, told=f"{figure} of {network}, with intervals"
        )
        shown.append(f"<figure><figcaption>{escape(network)}, {escape(figure)}</figcaption>{plot}</figure>")
    return f'<div class="plots two">{"".join(shown)}</div>'


def tone_dots(found: Analysis) -> str:
    """Accuracy on light minus on dark skin of each network's best setting; nothing where cases are too few."""
    tones = [(one.pooled.model.network, found.tones[one.pooled.model.name]) for one in found.leaders]
    rows = [(_short(name), *_ends(one.difference)) for name, one in tones if not one.few]
    if not rows:
        return ""
    reach = max(abs(value) for row in rows for value in row[1:] if math.isfinite(value))
    reach = max(0.1, math.ceil(reach * 10) / 10)
    plot = interval_dots(
        rows,
        low=-reach,
        high=reach,
        ticks=(-reach, 0, reach),
        told="accuracy on light minus accuracy on dark skin",
        line=0,
    )
    head = "Accuracy on light − on dark skin, each network's most accurate setting"
    return f'<div class="plots two"><figure><figcaption>{head}</figcaption>{plot}</figure></div>'


def panels(figure: Figure, *, small: bool = False) -> str:
    """A figure's panels, side by side as far as there is room."""
    kind = "panels small" if small else "panels"
    return (
        f"<figure><figcaption>{escape(figure.title)}</figcaption>"
        f'<div class="{kind}">{"".join(figure.images())}</div></figure>'
    )


def turning(one: Embedding, still: Figure, tested: Tested) -> str:
    """Features in three dimensions, to be turned; the still picture where the script does not run."""
    points = np.clip(np.round(one.points * 1000), -3000, 3000).astype(int).ravel().tolist()
    colours = [COLOURS[number % len(COLOURS)] for number in range(len(tested.classes))]
    data = json.dumps(
        {"points": points, "kind": tested.truth.tolist(), "colours": colours}, separators=(",", ":")
    )
    buttons = "".join(
        f'<button type="button" data-kind="{number}" aria-pressed="true"><i style="background:{colours[number]}"></i>'
        f"{escape(name)}</button>"
        for number, name in enumerate(tested.classes)
    )
    told = escape(still.title)
    return (
        f'<figure class="turn" data-points="{escape(data)}"><figcaption>{told}</figcaption>'
        f'<canvas tabindex="0" role="img" aria-label="{told}. Arrow keys turn it."></canvas>{still.images()[0]}'
        f'<p class="legend">{buttons}</p></figure>'
    )


def limits(found: Analysis) -> str:
    """What a reader must not take from the report."""
    target = found.tested.target
    share = float(np.mean(found.tested.positive))
    lines = [
        "How it does in a clinic. The photos were not taken of people who came with a rash, one after the other;"
        " other cameras, light and diseases are to be expected, and a threshold chosen here need not hold there.",
        "Whether the model looks at the skin. Where each class comes from its own source, accuracy partly measures the"
        " source: poxlens data audit tests for that.",
        f"How often {target} is found. {100 * share:.0f} % of these images show it; predictive values at other shares"
        " are computed, not measured.",
        "Whether labels are right. No PCR result stands behind a photo from the web.",
        f"That {found.comparisons.best} is the best. It is the most accurate of {len(found.pooled)} models on these"
        " very images, so expect a little less on others.",
        "Anything about skin tone beyond an estimate from colour, which light and camera move.",
    ]
    if found.record.warning:
        lines.insert(0, "How accurate the networks are: " + found.record.warning)
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _short(name: str) -> str:
    """What fits beside a plot on a phone; tables have the whole name."""
    shorter = name.replace("+augmentation", " + aug.")
    return shorter if len(shorter) <= 15 else shorter[:14] + "…"


def _ends(one: Estimate) -> tuple[float, float, float]:
    return one.value, one.low, one.high


def _axis(least: float, most: float) -> tuple[float, float, tuple[float, ...]]:
    low, high = math.floor(least * 10) / 10, math.ceil(most * 10) / 10
    if high - low < 0.15:
        low = round(high - 0.2, 1)
    step = 0.1 if high - low <= 0.45 else 0.2
    count = math.floor((high - low) / step + 1e-9)
    return low, high, tuple(round(low + step * place, 1) for place in range(count + 1))
