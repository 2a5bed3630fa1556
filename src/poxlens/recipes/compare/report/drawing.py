"""Figures by matplotlib, without a display and the same bytes each time: panels, put together and one by one."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

INK, FAINT, MARK, LINE = "#1b2126", "#5b6670", "#0f5c8c", "#dde2e6"
COLOURS = ("#0f5c8c", "#c2410c", "#1a8f6e", "#a3123a", "#e0a526", "#6b5bb5", "#5b6670", "#8a5a2b")
"""Told apart by lightness too (Okabe & Ito 2008)."""

_STYLE = {
    "svg.hashsalt": "poxlens",  # names inside the file, else drawn at random
    "svg.fonttype": "none",  # text stays text: it can be searched, and the file is small
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Panel:
    """One plot of a figure."""

    draw: Callable[[Axes], None]
    told: str  # what a screen reader says of it
    solid: bool = False  # three-dimensional


@dataclass(frozen=True)
class Figure:
    """A figure of the report: panels side by side in its files, one under the other on a phone."""

    name: str  # of its files
    title: str
    panels: tuple[Panel, ...]
    size: tuple[float, float] = (3.5, 3.2)  # of a panel, inches
    columns: int = 3  # panels side by side in the files
    dots: bool = False  # many points: shown as PNG on the page, where an SVG would be large

    def files(self) -> dict[str, bytes]:
        """The figure as PNG and SVG: file name -> content."""
        columns = min(self.columns, len(self.panels))
        rows = -(-len(self.panels) // columns)
        with _canvas(self, self.panels, rows, columns) as canvas:
            stem = re.sub(r"[^\w.+-]", "-", self.name)  # a network's name may hold what a file's may not
            return {f"{stem}.png": _png(canvas, 200), f"{stem}.svg": _svg(canvas)}

    def svg(self) -> bytes:
        """The figure as SVG."""
        columns = min(self.columns, len(self.panels))
        with _canvas(self, self.panels, -(-len(self.panels) // columns), columns) as canvas:
            return _svg(canvas)

    def images(self) -> list[str]:
        """Each panel as an <img> with everything in it."""
        return [self._image(panel) for panel in self.panels]

    def _image(self, panel: Panel) -> str:
        with _canvas(self, (panel,), 1, 1) as canvas:
            kind, content = ("png", _png(canvas, 130)) if self.dots else ("svg+xml", _svg(canvas))
        data = base64.b64encode(content).decode("ascii")
        width, height = (round(96 * side) for side in self.size)
        return (
            f'<img class="plot" alt="{escape(panel.told)}" width="{width}" height="{height}"'
            f' src="data:image/{kind};base64,{data}">'
        )


@contextmanager
def _canvas(figure: Figure, panels: Sequence[Panel], rows: int, columns: int) -> Iterator[Canvas]:
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "backend": "agg", **_STYLE}):
        canvas = Canvas(figsize=(figure.size[0] * columns, figure.size[1] * rows), layout="constrained")
        for place, panel in enumerate(panels, start=1):
            axes = canvas.add_subplot(rows, columns, place, projection="3d" if panel.solid else None)
            panel.draw(axes)
        yield canvas


def _png(canvas: Canvas, dpi: int) -> bytes:
    stream = io.BytesIO()
    canvas.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def _svg(canvas: Canvas) -> bytes:
    stream = io.BytesIO()
    canvas.savefig(stream, format="svg", dpi=150, metadata={"Date": None, "Creator": None})
    return stream.getvalue()
