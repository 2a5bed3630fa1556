"""Small plots as inline SVG: no library, no request, sharp in print, readable by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from poxlens.evaluate.calibration import Bin
from poxlens.evaluate.intervals import wilson

# Told apart by lightness too, so that a grey print and a colour-blind reader see them (Okabe & Ito 2008).
COLOURS = {
    "refer": "#c2410c",
    "uncertain": "#e0a526",
    "not_suspected": "#2a78b5",
    "cannot_assess": "#9aa3ad",
}
_SIDE = 300
_LEFT, _TOP, _SPAN = 46.0, 12.0, 236.0  # the frame of a square plot inside 300 x 300


def roc_plot(curve: Sequence[tuple[float, float]], points: Sequence[tuple[str, float, float]]) -> str:
    """A ROC curve with its operating points.

    Args:
        curve: (1 - specificity, sensitivity), from (0, 0) to (1, 1).
        points: name, 1 - specificity, sensitivity.
    """
    # Straight runs need their ends only: a curve of 5,000 photos stays small.
    corners = [
        corner
        for place, corner in enumerate(curve)
        if not 0 < place < len(curve) - 1 or not _straight(curve[place - 1], corner, curve[place + 1])
    ]
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in corners)
    parts = [
        f'<polyline class="line" points="{path}"/>',
        *(
            f'<circle class="dot" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="5"/>'
            f'<text x="{_x(x) + 9:.1f}" y="{_y(y) + 15:.1f}">{escape(name)}</text>'
            for name, x, y in points
        ),
    ]
    told = "; ".join(f"{name} at sensitivity {y:.2f}, specificity {1 - x:.2f}" for name, x, y in points)
    return _square("ROC curve. " + told, "1 − specificity", "sensitivity", parts)


def reliability_plot(bins: Sequence[Bin]) -> str:
    """Stated probability against observed share: one dot a bin, its area by n, with Wilson's interval."""
    most = max((one.n for one in bins), default=1)
    parts = []
    for one in bins:
        low, high = wilson(one.observed * one.n, one.n)
        x, y = _x(one.stated), _y(one.observed)
        parts.append(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}"/>'
        )
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{2.5 + 3.5 * (one.n / most) ** 0.5:.1f}"/>'
        )
    told = "; ".join(f"stated {one.stated:.2f}, observed {one.observed:.2f}, n {one.n}" for one in bins)
    return _square("Reliability. " + told, "stated probability", "observed share", parts)


def outcome_bars(rows: Sequence[tuple[str, int, Sequence[tuple[str, float]]]]) -> str:
    """One stacked bar a row.

    Args:
        rows: name, n, and (outcome, share) in the order drawn; shares sum to 1.
    """
    height = 26 * len(rows) + 8
    parts = []
    for place, (name, n, shares) in enumerate(rows):
        top = 4 + 26 * place
        parts.append(
            f'<text class="name" x="122" y="{top + 14}" text-anchor="end">{escape(_short(name))}</text>'
        )
        left = 128.0
        for outcome, part in shares:
            width = 236 * part
            if width > 0:
                parts.append(
                    f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="18"'
                    f' fill="{COLOURS[outcome]}">'
                    f"<title>{escape(name)}: {outcome.replace('_', ' ')} {part:.0%} of {n}</title></rect>"
                )
            if part >= 0.12:
                ink = "#1b2126" if outcome in ("uncertain", "cannot_assess") else "#fff"
                middle = left + width / 2
                parts.append(
                    f'<text x="{middle:.1f}" y="{top + 13}" text-anchor="middle" fill="{ink}">'
                    f"{part:.0%}</text>"
                )
            left += width
        parts.append(f'<text class="faint" x="370" y="{top + 14}">n {n}</text>')
    return (
        f'<svg class="bars" viewBox="0 0 420 {height}" role="img" aria-label="Outcomes by class;'
        f' the table has the numbers">{"".join(parts)}</svg>'
    )


def _square(told: str, below: str, beside: str, parts: Sequence[str]) -> str:
    ticks = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = _x(tick), _y(tick)
        ticks.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _SPAN}"/>')
        ticks.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _SPAN}" y1="{y:.1f}" y2="{y:.1f}"/>')
        ticks.append(f'<text class="faint" x="{x:.1f}" y="264" text-anchor="middle">{tick:g}</text>')
        ticks.append(f'<text class="faint" x="40" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    diagonal = f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    names = (
        f'<text x="{_LEFT + _SPAN / 2}" y="286" text-anchor="middle">{below}</text>'
        f'<text transform="translate(11 {_TOP + _SPAN / 2}) rotate(-90)" text-anchor="middle">{beside}</text>'
    )
    return (
        f'<svg class="square" viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{escape(told)}">'
        f"{''.join(ticks)}{diagonal}{''.join(parts)}{names}</svg>"
    )


def _straight(before: tuple[float, float], here: tuple[float, float], after: tuple[float, float]) -> bool:
    ahead = (here[0] - before[0]) * (after[1] - here[1])
    return abs(ahead - (here[1] - before[1]) * (after[0] - here[0])) < 1e-12


def _short(name: str) -> str:
    return name if len(name) <= 17 else name[:16] + "…"


def _x(value: float) -> float:
    return _LEFT + _SPAN * value


def _y(value: float) -> float:
    return _TOP + _SPAN * (1 - value)
