"""The report as one HTML file that a reviewer can read: on a phone, at a desk, on paper; no request, no photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

import numpy as np

from poxlens.evaluate.prevalence import PREVALENCES
from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.recipes.compare.report.analysis import Analysis
from poxlens.recipes.compare.report.drawing import Figure
from poxlens.recipes.compare.report.embeddings import Embedding
from poxlens.recipes.compare.report.page_parts import (
    dots_by_network,
    explained,
    limits,
    panels,
    protocol,
    tone_dots,
    turning,
)
from poxlens.recipes.compare.report.table import Cell, PValue, Table, text
from poxlens.recipes.compare.report.wording import (
    AID,
    augmentation_told,
    calibration_told,
    pairs_told,
    result_told,
    tones_told,
)

SHOWN_ROWS = 40  # of a table on the page; its files have all


def page(
    found: Analysis,
    tables: Sequence[Table],
    figures: Sequence[Figure],
    embeddings: Sequence[tuple[Embedding, Figure]],
) -> str:
    """The whole page as HTML text.

    Args:
        found: everything computed.
        tables: of the report.
        figures: of the report, without the embeddings.
        embeddings: with their still figures; drawn on the page to be turned.
    """
    of = {one.name: one for one in tables}
    drawn = {one.name: one for one in figures}
    parts = [
        section("Question", _question(found)),
        section("Images and split", _data(found)),
        section("Results", _results(found, of, drawn)),
        section("Are the differences real?", _statistics(found, of)),
        section("Calibration", _calibration(found, of, drawn)),
        section("What it would be worth", _use(of, drawn)),
        section("Skin tone", _tones(found, of)),
    ]
    if found.learning:
        parts.append(section("More images", _shown(of, "learning-curve") + _panels(drawn, "learning-curve")))
    if found.searches:
        parts.append(section("What was searched", _searched(found, drawn)))
    if embeddings:
        parts.append(section("Where the networks put the images", _embedded(found, embeddings)))
    parts += [section("What this does not show", limits(found)), section("Files", _files(found))]
    script = files("poxlens.recipes.compare.report").joinpath("rotate.js").read_text("utf-8")
    return document(
        f"Comparison {found.record.name}",
        _head(found) + "".join(parts),
        footer=AID,
        script=script if embeddings else "",
    )


def _head(found: Analysis) -> str:
    tested = found.tested
    numbers = [
        (f"{len(tested.files):,}", "images tested"),
        (f"{len(np.unique(tested.group)):,}", "independent groups"),
        (f"{len(tested.networks)}", "networks and ensembles"),
        (f"{len(tested.models)}", "models (network and setting)"),
    ]
    warning = found.record.warning
    leak = f'<p class="verdict leak">{escape(warning)}</p>' if warning else ""
    return (
        heading("Comparison of networks", found.record.name, f"predictions.csv: SHA-256 {tested.sha256}")
        + leak
        + tiles(numbers)
        + notes([f"Incomplete, left out of every table: {told}" for told in found.incomplete])
        + f"<p>{escape(result_told(found))}</p>"
    )


def _question(found: Analysis) -> str:
    tested = found.tested
    others = [name for name in tested.classes if name != tested.target]
    return (
        f"<p>Which small network, with which head, tells <b>{escape(tested.target)}</b> from"
        f" {escape(' and '.join(others))} in a close-up photo; how well, for whom, and how sure is that? Networks:"
        f" {escape(', '.join(tested.networks))}. Settings: {escape(', '.join(tested.settings))}.</p>"
        + explained()
    )


def _data(found: Analysis) -> str:
    tested = found.tested
    rows = []
    for number, name in [*enumerate(tested.classes), (-1, "all")]:
        inside = tested.truth == number if number >= 0 else np.ones(len(tested.files), bool)
        tones = [str(int(np.sum(inside & (tested.tone == tone)))) for tone in ("light", "dark")]
        unknown = str(int(np.sum(inside & ~np.isin(tested.tone, ("light", "dark")))))
        rows.append(
            (name, str(int(inside.sum())), str(len(np.unique(tested.group[inside]))), *tones, unknown)
        )
    heads = ("", "images", "groups", "light skin", "dark skin", "tone unknown")
    return table("Tested images", heads, rows, {len(rows) - 1}) + protocol(found)


def _results(found: Analysis, of: Mapping[str, Table], drawn: Mapping[str, Figure]) -> str:
    return (
        dots_by_network(found, "accuracy")
        + _shown(of, "decisions")
        + _shown(of, "probabilities")
        + _shown(of, "recall")
        + _shown(of, "folds")
        + _shown(of, "beside-the-paper")
        + _shown(of, "leave-one-out")
        + "<p>Confusion matrices: the share of each class, counts"
        + (" of all repeats" if found.tested.repeats > 1 else "")
        + " in brackets; figures/ has every setting.</p>"
        + _panels(drawn, "confusion")
        + "<p>Curves of each network's most accurate setting, pointwise 95 % bands from a bootstrap over groups.</p>"
        + _panels(drawn, "roc")
        + _panels(drawn, "precision-recall")
    )


def _statistics(found: Analysis, of: Mapping[str, Table]) -> str:
    tests = found.comparisons
    if tests.refused:
        return f"<p>{escape(tests.refused)}</p>" + _shown(of, "against-best")
    with_best = {place for place, pair in enumerate(tests.pairs) if tests.best in (pair.first, pair.second)}
    return (
        f"<p>{escape(pairs_told(found))}</p>"
        + _shown(of, "against-best")
        + _some(of, "pairs", with_best, "pairs with the most accurate model")
        + "<p>What follows is as in the paper, to be set beside it.</p>"
        + _shown(of, "anova")
        + _some(of, "tukey", _significant(of.get("tukey")), "pairs with p under .05")
        + f"<p>{escape(augmentation_told(found))}</p>"
        + _shown(of, "augmentation")
    )


def _significant(one: Table | None) -> set[int]:
    if one is None:
        return set()
    return {
        place
        for place, row in enumerate(one.rows)
        for cell in row[-1:]
        if isinstance(cell, PValue) and cell.p < 0.05
    }


def _calibration(found: Analysis, of: Mapping[str, Table], drawn: Mapping[str, Figure]) -> str:
    if not found.calibrated:
        return "<p>There is one fold only, so no other to fit a temperature on.</p>"
    told = f"<p>{escape(calibration_told(found))}</p>"
    return told + _panels(drawn, "reliability") + _shown(of, "calibration")


def _use(of: Mapping[str, Table], drawn: Mapping[str, Figure]) -> str:
    return (
        _panels(drawn, "decision-curve")
        + _shown(of, "net-benefit")
        + _panels(drawn, "prevalence")
        + _some(of, "prevalence", set(range(len(PREVALENCES))), "the most accurate model")
    )


def _tones(found: Analysis, of: Mapping[str, Table]) -> str:
    return f"<p>{escape(tones_told(found))}</p>" + tone_dots(found) + _shown(of, "skin-tone")


def _searched(found: Analysis, drawn: Mapping[str, Figure]) -> str:
    order = {one.pooled.model.network: place for place, one in enumerate(found.leaders)}
    first = min(found.searches, key=lambda one: (order.get(one.network, len(order)), "+" not in one.setting))
    return (
        "<p>Validation accuracy of every configuration that was tried (Campana 2024, figure 6): the value across, the"
        " accuracy up, yellow where many points lie on each other, + for the one chosen in each fold. A layer that"
        " there is not has value 0. Other networks and settings are in figures/.</p>"
        + _panels(drawn, f"search-{first.network}-{first.setting}", small=True)
    )


def _embedded(found: Analysis, embeddings: Sequence[tuple[Embedding, Figure]]) -> str:
    shown = "".join(turning(one, figure, found.tested) for one, figure in embeddings)
    return (
        "<p>Features of the frozen networks, before any layer learns from them, one dot an image. Drag or use the arrow"
        f' keys to turn them; press a class to hide it.</p><div class="panels">{shown}</div>'
    )


def _files(found: Analysis) -> str:
    return (
        "<p>Beside this page: <code>tables/</code> (CSV with every number in full, Markdown, LaTeX),"
        " <code>figures/</code> (PNG and SVG) and <code>metrics.json</code>. All of it is computed from"
        " <code>predictions.csv</code> and made again, byte for byte, by <code>poxlens report RUN</code>. Seed of the"
        f" bootstrap {found.record.seed}, {found.resamples} resamples.</p>"
    )


def _shown(of: Mapping[str, Table], name: str) -> str:
    one = of.get(name)
    if one is None:
        return ""
    return _some(of, name, set(range(min(len(one.rows), SHOWN_ROWS))), "first rows")


def _some(of: Mapping[str, Table], name: str, places: set[int], which: str) -> str:
    """A table with some of its rows, and how many those are."""
    one = of.get(name)
    if one is None:
        return ""
    rows = [tuple(_unbroken(cell) for cell in one.rows[place]) for place in sorted(places)[:SHOWN_ROWS]]
    heads = one.heads
    if heads[:2] == ("network", "setting"):  # one column: a phone has room for one beside the numbers
        heads, rows = ("model", *heads[2:]), [(f"{row[0]} {row[1]}", *row[2:]) for row in rows]
    left = f" Shown: {which}, {len(rows)} of {len(one.rows)}; tables/{name}.csv has all." * (
        len(rows) < len(one.rows)
    )
    body = table("", heads, rows, told=one.told) if rows else ""
    return f'<div class="models"><h3>{escape(one.title)}</h3>{body}</div><p class="note">{escape(one.note + left)}</p>'


def _unbroken(cell: Cell) -> str:
    """A cell whose interval stays on one line where paper is narrow."""
    shown = text(cell)
    return shown if isinstance(cell, str) else shown.replace(", ", ",\u00a0").replace("± ", "±\u00a0")


def _panels(drawn: Mapping[str, Figure], name: str, *, small: bool = False) -> str:
    return panels(drawn[name], small=small) if name in drawn else ""
