"""The pages of `poxlens explain`: photos with their maps, and whether the maps deserve trust."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from poxlens.explain.photos import GRAPH, Explained
from poxlens.explain.record import Checked, Figure
from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.screen.reasons import DISCLAIMER
from poxlens.screen.stability import LIMIT, UNSTABLE

PRIVATE = (
    "This page holds photos of people. It was written on this computer only: keep it there, and out of any "
    "repository."
)
WHAT_IT_SHOWS = (
    "A map shows what the model used, not where lesions are. It speaks neither for nor against a disease."
)
OUT_OF_FOLD = (
    "Labels and probabilities are out of fold: by models that had not learnt from the photo. The maps are the "
    "bundle's, of the predicted class; the bundle may have learnt from these photos."
)
CHECKS = {
    "energy": "Does the map lie on the lesions?",
    "pointing": "Is its strongest point on a lesion?",
    "randomisation": "Does it change when what was learnt is destroyed?",
    "deletion": "Does what it marks count?",
    "stability": "Does it hold still?",
    "gate": "Would these phantoms be answered at all?",
}
_WHY = {
    "energy": "Share of the map's sum on drawn lesions, over the lesions' share of the picture: 1 is chance. A map of "
    "few places cannot follow small lesions closely; the row of a perfect map says how far it could get.",
    "pointing": "Chance is the lesions' share of the area.",
    "randomisation": "Weights are shuffled from the head downwards; the rank correlation with the map as it is should "
    "go to 0. A map that stays shows the photo and not the model (Adebayo et al. 2018).",
    "deletion": "Squares are hidden, or shown, in the map's order and in a random one; the area between the two curves "
    "of the class's probability should be above 0 (Petsiuk et al. 2018).",
    "stability": "Correlation with the map of the same photo mirrored or moved, put back. Below "
    f"{LIMIT:g} for the mirrored photo, screening shows the map with a warning.",
    "gate": "Phantoms are drawn, and a model of photos may rightly refuse them; their maps are looked at all the same.",
}


def photos_page(explained: Sequence[Explained], bundle: str, way: str) -> str:
    """Photos with their maps.

    Args:
        explained: in the order shown.
        bundle: its label.
        way: how the maps were made.
    """
    shown = [one for one in explained if one.picture is not None]
    body = heading(
        "poxlens explain", f"{len(shown)} of {len(explained)} photos explained", f"{bundle}, {_named(way)}"
    )
    unstable = sum(one.unstable for one in shown)
    told = [PRIVATE, WHAT_IT_SHOWS]
    if unstable:
        told.append(f"{unstable} of {len(shown)} maps are unstable. {UNSTABLE}")
    body += notes(told)
    body += section("Maps", f'<div class="panels">{"".join(_panel(one) for one in shown)}</div>')
    left = [one for one in explained if one.picture is None]
    if left:
        rows = [(one.file, "; ".join(reason.text for reason in one.decision.reasons)) for one in left]
        body += section("Photos without a map", table("", ("photo", "why"), rows, told=True))
    return document("poxlens explain", body, footer=DISCLAIMER)


@dataclass(frozen=True, eq=False)
class Example:
    """A photo of a run with its map."""

    explained: Explained
    told: str  # true and predicted label in words


def examples_page(
    parts: Sequence[tuple[str, Sequence[Example], Sequence[Example]]],
    run: str,
    bundle: str,
    left_out: Sequence[str],
) -> str:
    """For each class photos told right and wrong, with the map of what was predicted (Campana 2024, figure 10).

    Args:
        parts: class, photos told right, photos told wrong.
        run: what told them, in words.
        bundle: label of the bundle that drew the maps.
        left_out: photos without a map, and why.
    """
    body = heading("poxlens explain --run", f"Right and wrong: {run}", f"maps by {bundle}")
    body += notes([PRIVATE, WHAT_IT_SHOWS, OUT_OF_FOLD])
    for name, right, wrong in parts:
        inside = ""
        for title, some in (("told right", right), ("told wrong", wrong)):
            shown = "".join(_panel(one.explained, one.told) for one in some)
            inside += f"<h3>{title}</h3>" + (
                f'<div class="panels">{shown}</div>' if shown else "<p>None.</p>"
            )
        body += section(name, inside)
    if left_out:
        body += section("Without a map", f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in left_out)}</ul>")
    return document("poxlens explain --run", body, footer=DISCLAIMER)


def _panel(one: Explained, told: str = "") -> str:
    name, chance = Path(one.file).name, one.decision.probabilities.get(one.class_, 0.0)
    outcome = one.decision.outcome.value.replace("_", " ")
    warned = ' <span class="badge warning">unstable</span>' if one.unstable else ""
    steady = (
        "" if one.steadiness is None else f"; agreement with the mirrored photo's map {one.steadiness:.2f}"
    )
    said = f"{one.class_} {chance:.2f}, {outcome}"
    if one.refused:  # a probability would read as an answer
        said = f"refused, {one.decision.reasons[0].code}; least unlike {' and '.join(one.nearest)}"
    return (
        f"<figure><figcaption>{escape(name)}{warned}</figcaption>{picture(one.picture or b'', name)}"
        f'<p class="faint">{escape(told or said)}{steady}</p></figure>'
    )


def picture(png: bytes, told: str) -> str:
    """A PNG inside the page."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img class="plot" alt="{escape(told)}" src="data:image/png;base64,{data}">'


def _named(way: str) -> str:
    return "the map that the bundle itself gives" if way == GRAPH else way


def checks_page(checked: Checked) -> str:
    """What the checks of a bundle found."""
    verdict = "No check failed" if checked.passed else "A check failed"
    body = heading("poxlens explain --check", f"Heat maps of {checked.target}", checked.bundle)
    body += tiles([_tile(one) for one in _leading(checked)])
    kind = "" if checked.passed else " warning"
    failed = [f"{one.name} ({one.group})" for one in checked.figures if one.passed is False]
    body += f'<p class="verdict{kind}">{verdict}{": " + escape("; ".join(failed)) if failed else "."}</p>'
    body += notes([WHAT_IT_SHOWS])
    for check, title in CHECKS.items():
        figures = [one for one in checked.figures if one.check == check]
        if figures:
            body += section(title, f'<p class="note">{escape(_WHY[check])}</p>' + _table(figures))
    if checked.chance is not None:
        body += section(
            "Agreement by chance",
            f"<p>Maps of two different phantoms, one of them mirrored, agree above {checked.chance:.2f} in 5 of 100 "
            f"pairs. The limit of this version is {checked.limit:g}.</p>",
        )
    return document("poxlens explain --check", body, footer=DISCLAIMER)


def _leading(checked: Checked) -> list[Figure]:
    """The first figure of the checks that most is asked of."""
    found = []
    for check in ("energy", "pointing", "randomisation", "stability"):
        found += [one for one in checked.figures if one.check == check][:1]
    return found


def _tile(one: Figure) -> tuple[str, str]:
    return ("–" if one.value is None else f"{one.value:.2f}", one.name)


def _table(figures: Sequence[Figure]) -> str:
    """A table for each group of phantoms or photos."""
    limited = any(one.limit is not None for one in figures)
    heads = ("figure", "value", "95 % interval", "n", *(("limit", "") if limited else ()))
    parts = []
    for group in dict.fromkeys(one.group for one in figures):
        rows = [_row(one, limited=limited) for one in figures if one.group == group]
        parts.append(table(group, heads, rows))
    return "".join(parts)


def _row(one: Figure, *, limited: bool) -> tuple[str, ...]:
    value = "–" if one.value is None else f"{one.value:.3f}"
    interval = "–" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    cells = (one.name, value, interval, str(one.n))
    if not limited:
        return cells
    passed = "" if one.passed is None else ("met" if one.passed else "missed")
    return (*cells, "" if one.limit is None else f"{one.limit:g}", passed)
