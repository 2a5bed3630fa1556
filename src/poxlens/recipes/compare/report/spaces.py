"""Plots of what was searched and of where networks put the images: Campana 2024, figures 6 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from poxlens.recipes.compare.report.drawing import COLOURS, Figure, Panel
from poxlens.recipes.compare.report.embeddings import Embedding
from poxlens.recipes.compare.report.reading import Tested
from poxlens.recipes.compare.report.trials import FLIPS, Search

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEAR = 0.03  # of an axis: points nearer than this overlap


def search_figure(search: Search) -> Figure:
    """The explored hyper-parameters: x the value, y the validation accuracy, colour the density (figure 6).

    Args:
        search: all trials of one network and setting; the chosen one of each fold is marked +.
    """
    return Figure(
        f"search-{search.network}-{search.setting}",
        f"Explored hyper-parameters of {search.network} {search.setting}:"
        f" {len(search.trials)} trials on {search.folds} folds",
        tuple(_parameter(search, name) for name in search.parameters),
        size=(2.5, 2.1),
        columns=4,
        dots=True,
    )


def embedding_figure(embedding: Embedding, tested: Tested) -> Figure:
    """The images as points in three dimensions, one colour a class (figure 9)."""

    def draw(axes: Axes) -> None:
        for number, name in enumerate(tested.classes):
            points = embedding.points[tested.truth == number]
            x, y, z = points.T
            axes.scatter(
                x, y, zs=z, s=8, color=COLOURS[number % len(COLOURS)], alpha=0.75, linewidths=0, label=name
            )
        axes.set(xticklabels=[], yticklabels=[], zticklabels=[], xlim=(-1, 1), ylim=(-1, 1), zlim=(-1, 1))
        axes.set_title(f"{embedding.network}, {embedding.method}")
        axes.legend(loc="upper right", markerscale=1.6)

    return Figure(
        f"{embedding.method.lower()}-{embedding.network}",
        f"Features of {embedding.network} by {embedding.method}: {embedding.told}",
        (
            Panel(
                draw,
                f"{embedding.method} of the features of {embedding.network}, {embedding.told}",
                solid=True,
            ),
        ),
        size=(3.8, 3.5),
        dots=True,
    )


def density(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many points lie at each point, itself included: [N], at least 1.

    Args:
        x: [N], 0 to 1.
        y: [N], 0 to 1.
    """
    near = (np.abs(x[:, None] - x) < _NEAR) & (np.abs(y[:, None] - y) < _NEAR)
    found: NDArray[np.float64] = near.sum(axis=1).astype(np.float64)
    return found


def _parameter(search: Search, name: str) -> Panel:
    x = np.array([trial.values[name] for trial in search.trials])
    y = np.array([trial.accuracy for trial in search.trials])
    chosen = np.array([trial.chosen for trial in search.trials])
    crowd = density(_unit(np.log10(x) if name == "LR" else x), y)
    order = np.argsort(crowd, kind="stable")  # the crowded ones on top
    told = f"{name}: {_range(name, x[chosen])} chosen"

    def draw(axes: Axes) -> None:
        axes.scatter(x[order], y[order], c=crowd[order], cmap="viridis", s=12, linewidths=0)
        axes.scatter(x[chosen], y[chosen], marker="+", color="#a3123a", s=60, linewidths=1.4)
        if name == "LR":
            axes.set_xscale("log")
        if name == "Flip type":
            axes.set_xticks(range(3))
        axes.set_title(told, fontsize=8)

    return Panel(draw, f"Validation accuracy over {told}")


def _range(name: str, values: NDArray[np.float64]) -> str:
    if not values.size:
        return "none"
    if name == "Flip type":
        return ", ".join(FLIPS[int(value)] for value in np.unique(values))
    ends: Sequence[float] = (float(values.min()), float(values.max()))
    shown = [
        f"{value:.0e}" if name == "LR" else f"{value:.2g}" if value < 1 else f"{value:g}" for value in ends
    ]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    span = float(np.ptp(values))
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)
