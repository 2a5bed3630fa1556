"""What a run shows: curve.csv and a page with the curves, nothing in it that is fetched or run."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from poxlens.files import write_atomically
from poxlens.pages.document import document, heading, notes, section, table, tiles
from poxlens.train.contrastive.training import Epoch, Training

CURVE, PAGE = "curve.csv", "index.html"
WATCHED = ("knn_accuracy", "knn_mean_recall", "embedding_spread")
_WIDTH, _HEIGHT = 360.0, 224.0
_LEFT, _TOP, _RIGHT, _BOTTOM = 46.0, 14.0, 348.0, 200.0


def write_curve(folder: Path, history: Sequence[Epoch]) -> Path:
    """curve.csv: a row an epoch; the monitor's cells are empty where it did not look."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("epoch", "loss", "matched", "spread", "learning_rate", *WATCHED))
    for one in history:
        figures = [
            one.loss,
            one.matched,
            one.spread,
            one.rate,
            *(one.watched.get(n, math.nan) for n in WATCHED),
        ]
        writer.writerow([one.epoch, *("" if math.isnan(value) else f"{value:.6g}" for value in figures)])
    write_atomically(folder / CURVE, stream.getvalue())
    return folder / CURVE


def write_page(folder: Path, training: Training, told: Mapping[str, str], skipped: int) -> Path:
    """The page of a run.

    Args:
        folder: of the run.
        training: at any time.
        told: what was asked for, name -> value, for the table at its end.
        skipped: images that could not be read.
    """
    settings, history = training.settings, training.history
    learnt = [one for one in history if one.epoch > 0]
    looked = [one for one in history if one.watched]
    warnings = list(training.notes)
    if skipped:
        warnings.append(f"{skipped} images could not be read: skipped.csv names them.")
    if looked and looked[-1].watched["embedding_spread"] < 0.1:
        warnings.append("The embeddings have collapsed: nearly all images look alike to this encoder.")
    body = heading(
        "Pretraining with SimCLR",
        f"{settings.network} at {settings.side} px",
        f"{len(training.images):,} images without labels, {training.epoch} of {settings.epochs} epochs",
    )
    numbers = [(f"{learnt[-1].loss:.3f}", "loss (NT-Xent)")] if learnt else []
    if looked:
        numbers += [
            (f"{looked[0].watched['knn_mean_recall']:.3f}", "nearest neighbours, mean recall, at the start"),
            (f"{looked[-1].watched['knn_mean_recall']:.3f}", f"the same after epoch {looked[-1].epoch}"),
        ]
    body += tiles(numbers) + notes(warnings)
    body += section("Curves", f'<div class="plots">{"".join(_plots(learnt, looked))}</div>')
    rows = [(name, value) for name, value in told.items()]
    body += section("This run", table("", ("choice", "value"), rows, told=True))
    footer = (
        "The monitor classifies labelled images by their nearest neighbours of other groups; none of them is learnt "
        "from, and nothing is chosen by it. An encoder is no classifier: what it is worth, fine-tuning shows."
    )
    path = folder / PAGE
    write_atomically(path, document(f"SimCLR: {settings.network}", body, footer=footer))
    return path


def _plots(learnt: Sequence[Epoch], looked: Sequence[Epoch]) -> list[str]:
    whole = (0.0, 1.0)
    lines: list[tuple[str, list[tuple[float, float]], tuple[float, float] | None]] = [
        ("NT-Xent loss", [(one.epoch, one.loss) for one in learnt], None),
        ("views matched", [(one.epoch, one.matched) for one in learnt], whole),
    ]
    for name, title in (
        ("knn_mean_recall", "nearest neighbours, mean recall"),
        ("embedding_spread", "spread of embeddings"),
    ):
        lines.append((title, [(one.epoch, one.watched[name]) for one in looked], whole))
    return [curve(title, points, limits) for title, points, limits in lines if points]


def curve(
    title: str, points: Sequence[tuple[float, float]], limits: tuple[float, float] | None = None
) -> str:
    """A figure with one line over epochs, as inline SVG.

    Args:
        title: its caption.
        points: (epoch, value), at least one.
        limits: of the vertical axis; without them those of the values.
    """
    low, high = limits or (min(y for _, y in points), max(y for _, y in points))
    high = high if high > low else low + 1.0
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share, rise = (x - first) / (last - first), (min(max(y, low), high) - low) / (high - low)
        return _LEFT + share * (_RIGHT - _LEFT), _BOTTOM - rise * (_BOTTOM - _TOP)

    parts = []
    for step in range(5):
        value = low + (high - low) * step / 4
        y = place(first, value)[1]
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="faint" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'
        )
    for x in (first, last):
        across = place(x, low)[0]
        parts.append(
            f'<text class="faint" x="{across:.1f}" y="{_BOTTOM + 16}" text-anchor="middle">{x:g}</text>'
        )
    corners = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
    parts.append(f'<polyline class="line" points="{corners}"/>')
    told = f"{title}: {points[0][1]:.3g} at epoch {points[0][0]:g}, {points[-1][1]:.3g} at epoch {points[-1][0]:g}"
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(told)}">'
        f"{''.join(parts)}</svg></figure>"
    )
