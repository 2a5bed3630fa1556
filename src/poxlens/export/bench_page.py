"""Sizes and times of a model's forms as text, as one HTML page and as JSON, beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from poxlens.export.latency import Timing
from poxlens.export.paper import CAMPANA
from poxlens.pages.bars import legend
from poxlens.pages.document import document, heading, section, table
from poxlens.pages.scatter import scatter

_OURS, _PAPER = "ours", "Campana 2024"
_COLOURS = {_OURS: "#0f5c8c", _PAPER: "#c2410c"}
HEADS = (
    "form",
    "threads",
    "MB",
    "median ms",
    "95 % ms",
    "25-75 % ms",
    "least ms",
    "times its fp32",
    "load ms",
    "first ms",
    "memory MB",
    "accuracy",
)
PAPER_HEADS = ("network", "quantised", "MB", "accuracy (SD over folds)", "Pixel 6a ms", "Xiaomi Mi 9T ms")
_FOOTER = "A screening aid, not a diagnosis; PCR decides."


def rows_of(timings: Sequence[Timing]) -> list[list[str]]:
    """The table's cells, as many as HEADS."""
    return [
        [
            one.form.name,
            str(one.threads),
            f"{one.size_mb:.2f}",
            f"{one.median_ms:.2f}",
            f"{one.p95_ms:.2f}",
            f"{one.quarter_ms:.2f}-{one.three_quarters_ms:.2f}",
            f"{one.least_ms:.2f}",
            _times(one),
            f"{one.load_ms:.0f}",
            f"{one.first_ms:.1f}",
            f"{one.memory_mb:.0f}",
            "" if one.form.accuracy is None else f"{one.form.accuracy:.3f}",
        ]
        for one in timings
    ]


def paper_rows() -> list[list[str]]:
    """The paper's table, as many cells as PAPER_HEADS."""
    return [
        [
            one.network,
            "yes" if one.quantised else "no",
            f"{one.size_mb:.2f}",
            f"{one.accuracy:.3f} ({one.accuracy_sd:.3f})",
            f"{one.pixel_ms:.0f}",
            f"{one.xiaomi_ms:.0f}",
        ]
        for one in CAMPANA
    ]


def as_json(timings: Sequence[Timing], machine: Mapping[str, object]) -> dict[str, Any]:
    """Everything that was measured."""
    found = []
    for one in timings:
        told = asdict(one)
        form = told.pop("form")
        form["path"] = one.form.path.name
        found.append({**form, **told})
    return {"machine": dict(machine), "forms": found, "paper": [asdict(one) for one in CAMPANA]}


def page(timings: Sequence[Timing], machine: Mapping[str, object]) -> str:
    """The page as HTML text."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    runs = timings[0].runs if timings else 0
    body = heading("Sizes and times", ", ".join(dict.fromkeys(one.form.model for one in timings)), told)
    body += section(
        "Every form",
        f"<p>One photo a call, {runs} rounds, every form once a round in an order drawn anew. Times of one machine "
        "compare with each other only; what carries over to another is the ratio to the form's own 32-bit floats, here "
        "with its 10th and 90th percentile.</p>" + table("", HEADS, rows_of(timings)),
    )
    body += section(
        "The paper's tables 5 and 6, four classes",
        "<p>Other images, and folds that part near-duplicates at random: its accuracy says how large such models are "
        "for what they do, and cannot be subtracted from ours. Its times are of two phones with four threads.</p>"
        + table("", PAPER_HEADS, paper_rows()),
    )
    if any(one.form.accuracy is not None for one in timings):
        body += section("Accuracy against size and time", legend(_COLOURS) + _plots(timings))
    return document("Sizes and times", body, footer=_FOOTER)


def _plots(timings: Sequence[Timing]) -> str:
    known = [one for one in timings if one.form.accuracy is not None]
    single = [one for one in known if one.threads == min(t.threads for t in known)]
    sizes = [(one.form.name, _OURS, one.size_mb, float(one.form.accuracy or 0)) for one in single]
    times = [
        (f"{one.form.name}, threads: {one.threads}", _OURS, one.median_ms, float(one.form.accuracy or 0))
        for one in known
    ]
    for one in CAMPANA:
        name = f"{one.network}{', quantised' if one.quantised else ''}"
        sizes.append((name, _PAPER, one.size_mb, one.accuracy))
        times.append((f"{name}, Pixel 6a", _PAPER, one.pixel_ms, one.accuracy))
    drawn = [
        scatter(
            points,
            _COLOURS,
            across=across,
            up="accuracy",
            low=0.2,
            high=1.0,
            told=f"accuracy against {across}",
        )
        for points, across in ((sizes, "megabytes"), (times, "milliseconds"))
    ]
    return f'<div class="plots">{"".join(drawn)}</div>'


def _times(one: Timing) -> str:
    if one.times_floats is None:
        return ""
    return f"{one.times_floats:.2f} ({one.times_low:.2f}-{one.times_high:.2f})"
