"""Photos and a bundle: what in each photo spoke for a class, drawn over it, and whether that map holds still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poxlens.explain.graph_module import GraphModule, onnx_model
from poxlens.explain.methods import METHODS, explain
from poxlens.explain.network import ExplanationError
from poxlens.screen.overlay import draw, with_warning
from poxlens.screen.stability import LIMIT, mirrored, stability

if TYPE_CHECKING:
    from poxlens.screen.decision import Decision
    from poxlens.screen.screener import Screener

GRAPH = "graph"
WAYS = (GRAPH, *METHODS)
"""`graph` is the map that the bundle itself gives, as `screen` shows it; the others take gradients or hide parts."""
TOP = "top"
_NEAREST = 2  # known classes that a refused photo is told to have been compared with

Heat = Callable[[NDArray[np.uint8], int], tuple[NDArray[np.float32], float]]
"""[1, S, S, 3] and a class number -> map [h, w], and the value that is drawn at full strength."""


@dataclass(frozen=True, eq=False)
class Explained:
    """One photo, explained."""

    file: str
    decision: Decision
    class_: str  # "" where the model was not run
    steadiness: float | None  # agreement with the mirrored photo's map
    picture: bytes | None  # PNG; None where the model was not run

    @property
    def unstable(self) -> bool:
        """Whether the map changes when the photo is mirrored."""
        return self.steadiness is not None and self.steadiness < LIMIT

    @property
    def refused(self) -> bool:
        """Whether the photo was refused as unlike what the model knows."""
        return any(one.code.startswith("novel.") for one in self.decision.reasons)

    @property
    def nearest(self) -> tuple[str, ...]:
        """For a refused photo, the known classes that it was least unlike, the nearest first; no answer, only why."""
        if not self.refused:
            return ()
        known = self.decision.probabilities
        return tuple(sorted(known, key=lambda name: (-known[name], name))[:_NEAREST])

    def to_json(self) -> dict[str, Any]:
        """Plain values, without pixels."""
        steady = self.steadiness
        told = {} if not self.refused else {"nearest": list(self.nearest), "novelty": self.decision.novelty}
        return told | {
            "file": self.file,
            "outcome": self.decision.outcome.value,
            "reasons": [one.code for one in self.decision.reasons],
            "class": self.class_,
            "probability": round(self.decision.probabilities.get(self.class_, 0.0), 6)
            if self.class_
            else None,
            "stability": None if steady is None else round(steady, 4),
            "unstable": self.unstable,
        }


class Explainer:
    """Explains photos with one bundle.

    Args:
        screener: with the bundle.
        way: one of WAYS.
        class_: of the bundle, or "top" for each photo's most probable one; None for the target.

    Raises:
        ExplanationError: no such way or class, or no gradient is known of the bundle's model.
    """

    def __init__(self, screener: Screener, way: str = GRAPH, class_: str | None = None) -> None:
        manifest = screener.bundle.manifest
        if way not in WAYS:
            raise ExplanationError(f"no method {way!r}: choose from {', '.join(WAYS)}")
        if class_ not in (None, TOP, *manifest.classes):
            known = ", ".join((*manifest.classes, TOP))
            raise ExplanationError(f"no class {class_!r} in bundle {manifest.name}: choose from {known}")
        self.screener = screener
        self.way = way
        self._class = class_
        self._heat: Heat = self._graph if way == GRAPH else self._by_method(way)

    def explain(self, photo: Path, class_: str | None = None) -> Explained:
        """Explain one photo; one that cannot be read is an answer too.

        Args:
            photo: the file.
            class_: of the bundle, for this photo; None for the one that all are explained for.

        Raises:
            BundleError: the model fails on it.
        """
        decision = self.screener.screen(photo)
        if decision.prepared is None:
            return Explained(str(photo), decision, "", None, None)
        classes = self.screener.bundle.manifest.classes
        name = class_ or self._class or self.screener.bundle.manifest.target
        if name == TOP:
            name = max(decision.probabilities, key=lambda one: decision.probabilities[one])
        image = decision.prepared[np.newaxis]
        heat, scale = self._heat(image, classes.index(name))
        other, _ = self._heat(mirrored(image), classes.index(name))
        steady = stability(heat, other)
        picture = draw(decision.prepared, heat, scale=scale)
        if steady < LIMIT:
            picture = with_warning(picture)
        return Explained(str(photo), decision, name, steady, picture)

    def _graph(self, image: NDArray[np.uint8], number: int) -> tuple[NDArray[np.float32], float]:
        every = self.screener.engine.run(image).heatmap[0]
        return every[number], float(every.max())

    def _by_method(self, way: str) -> Heat:
        module = GraphModule(onnx_model(self.screener.bundle))

        def heat(image: NDArray[np.uint8], number: int) -> tuple[NDArray[np.float32], float]:
            found = pooled(explain(module, image, number, way)[0])  # type: ignore[arg-type]
            return found, float(found.max())

        return heat


def pooled(heatmap: NDArray[np.float32], places: int = 28) -> NDArray[np.float32]:
    """A map of single pixels as one of at most 28 x 28 squares: grains of one pixel cannot be seen over a photo."""
    side = len(heatmap)
    if side <= places:
        return heatmap
    edges = np.arange(places + 1) * side // places
    sums = np.add.reduceat(np.add.reduceat(heatmap, edges[:-1], 0), edges[:-1], 1)
    sizes = np.diff(edges)
    return np.asarray(sums / np.outer(sizes, sizes), np.float32)
