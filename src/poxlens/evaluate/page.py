"""The study as one HTML file: no script, no request, no image of a patient; for phone, desk and printer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from poxlens.evaluate.plots import COLOURS, outcome_bars, reliability_plot, roc_plot
from poxlens.evaluate.slices import OUTCOMES, Slice
from poxlens.evaluate.study import Study
from poxlens.evaluate.wording import (
    AID,
    FINDING,
    OUTCOME_NAMES,
    REFUSED_RULE,
    SCORES,
    percent,
    point_rows,
    score,
    slice_name,
)
from poxlens.pages.document import document, heading, notes, section, table, tiles


def page(study: Study) -> str:
    """The whole page as HTML text."""
    sections = [
        section("Outcomes", _outcomes(study)),
        section(f"Finding {study.target}", _finding(study)),
        section("Operating points", _points(study)),
        section("Ranking and calibration", _ranking(study)),
        section("All classes", _classes(study)),
        section("Not assessed", _refused(study)),
    ]
    return document(f"Evaluation of {study.bundle}", _head(study) + "".join(sections), footer=AID)


def _head(study: Study) -> str:
    everything = study.photos[0]
    numbers = [
        (str(study.n), "photos"),
        (str(study.persons[0].n) if study.persons else "–", "persons"),
        (str(everything.positives), f"readable photos of {study.target}"),
        (str(len(study.unreadable)), "could not be read"),
    ]
    return (
        heading(
            "Evaluation of a screening bundle", study.bundle, f"Table of images: SHA-256 {study.table_sha256}"
        )
        + tiles(numbers)
        + notes(study.notes)
        + "<p>Every figure carries its 95 % interval in brackets; persons and near-duplicates are drawn"
        " together in it. With fewer than ten independent cases the count stands alone and"
        " there is no verdict.</p>\n"
    )


def _outcomes(study: Study) -> str:
    legend = "".join(
        f'<span><i style="background:{COLOURS[name]}"></i>{OUTCOME_NAMES[name]}</span>' for name in OUTCOMES
    )
    bars = outcome_bars(
        [
            (slice_name(one), one.n, [(name, one.outcomes[name].value) for name in OUTCOMES])
            for one in study.photos
            if one.n and one.kind in ("all", "class", "source", "skin tone", "body site", "stage")
        ]
    )
    found = f'<p class="legend">{legend}</p>{bars}{_outcome_table("Per photo", study.photos)}'
    return found + (_outcome_table("Per person", study.persons) if study.persons else "")


def _outcome_table(title: str, slices: Sequence[Slice]) -> str:
    rows = [
        (slice_name(one), str(one.n), *(percent(one.outcomes[name]) for name in OUTCOMES)) for one in slices
    ]
    breaks = {place for place in range(1, len(slices)) if slices[place].kind != slices[place - 1].kind}
    return table(title, ("", "n", *(OUTCOME_NAMES[name] for name in OUTCOMES)), rows, breaks)


def _finding(study: Study) -> str:
    columns = [study.photos[0]] + ([study.persons[0]] if study.persons else [])
    rows = [
        (name, *(percent(one.figures.get(name)) for one in columns), meaning.format(target=study.target))
        for name, meaning in FINDING.items()
        if any(name in one.figures for one in columns)
    ]
    heads = ("", *("per photo", "per person")[: len(columns)], "what it is")
    cuts = [
        one for one in study.photos if one.kind != "all" and "sensitivity, uncertain found" in one.figures
    ]
    by = ("sensitivity, uncertain found", "sensitivity, uncertain missed", "missed", "falsely referred")
    apart = [(slice_name(one), *(percent(one.figures.get(name)) for name in by)) for one in cuts]
    return (
        table("", heads, rows, told=True)
        + f'<p class="faint">{escape(REFUSED_RULE)}</p>'
        + (table("Apart", ("", *by), apart) if apart else "")
    )


def _points(study: Study) -> str:
    heads = ("", "", "promised by the bundle", "measured here", "verdict")
    return (
        table("", heads, point_rows(study.points))
        + '<p class="faint">Of assessed photos. Below the rule-out point a photo may be set aside; at the'
        " rule-in point and above it is referred.</p>"
    )


def _ranking(study: Study) -> str:
    rows = [
        (slice_name(one), str(one.n), *(score(one.figures.get(name)) for name in SCORES))
        for one in study.photos
        if any(name in one.figures for name in SCORES)
    ]
    if study.persons:
        person = study.persons[0]
        rows.append(("all, per person", str(person.n), *(score(person.figures.get(name)) for name in SCORES)))
    dots = [
        (point.name, 1 - specificity.value, sensitivity.value)
        for point in study.points
        for sensitivity, specificity in [point.measured]
        if sensitivity is not None and specificity is not None
    ]
    plots = roc_plot(study.curve, dots) if study.curve else ""
    plots += reliability_plot(study.reliability) if study.reliability else ""
    return (
        f'<div class="plots">{plots}</div>'
        f'<p class="faint">Of the probability of {escape(study.target)}, assessed photos. In the reliability'
        " plot a dot on the diagonal means that the stated probability is what happens.</p>"
        + table("", ("", "n", *SCORES), rows)
    )


def _classes(study: Study) -> str:
    rows = [(name, score(value), str(value.n)) for name, value in study.classes.items()]
    found = study.confusion
    counts = [
        (name, *(str(count) if count else "·" for count in row))
        for name, row in zip(found.truths, found.counts, strict=True)
    ]
    return (table("Photos that show a class of the bundle", ("", "", "n"), rows) if rows else "") + table(
        "Most probable class (columns) by truth (rows), assessed photos", ("", *found.classes), counts
    )


def _refused(study: Study) -> str:
    refused = [(reason, str(count)) for reason, count in study.refusals.items()]
    unread = [(file, reason) for file, reason in study.unreadable]
    return (
        (table("Readable photos that were refused", ("first reason", "photos"), refused) if refused else "")
        + (table("Files that could not be read", ("file", "reason"), unread) if unread else "")
    ) or "<p>Every photo was read and assessed.</p>"
