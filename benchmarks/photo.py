"""A 12-megapixel photo to a decision, warm."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.bare import decoded, session
from benchmarks.measure import Result, compare, interleaved
from benchmarks.model import graph_of
from benchmarks.photos import jpeg
from poxlens.screen.screener import Screener


def run(bundle: Path, folder: Path, *, quick: bool) -> list[Result]:
    path = jpeg(folder / "twelve.jpg", seed=2, size=(4000, 3000))
    screener = Screener(bundle)
    side = screener.bundle.manifest.input.size
    graph = session(graph_of(screener.bundle))
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)

    def theirs() -> None:
        decoded(path)
        graph.run(None, {"image": image})

    seconds = interleaved(
        lambda: screener.screen(path), theirs, 3 if quick else 60, warm_up=2 if quick else 5
    )
    return [
        compare(
            "12-MP JPEG to a decision, warm",
            ("Screener.screen", seconds[0]),
            ("DCT-scaled decoding and one run of the graph", seconds[1]),
            target=1.5,
            unit="ms",
        )
    ]
