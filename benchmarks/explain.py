"""What explanations cost: heat maps and novelty in the graph, and the check of a map that screening shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.bare import session
from benchmarks.measure import Result, compare, interleaved
from benchmarks.model import cut_at, graph_of
from benchmarks.photos import jpeg
from poxlens.bundle.store import load
from poxlens.screen.screener import Screener


def run(bundle: Path, folder: Path, *, quick: bool) -> list[Result]:
    loaded = load(bundle)
    model = graph_of(loaded)
    side = loaded.manifest.input.size
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    full, plain = session(model), session(cut_at(model, ("logits", "embedding")))
    graphs = interleaved(
        lambda: full.run(None, {"image": image}),
        lambda: plain.run(None, {"image": image}),
        5 if quick else 400,
        warm_up=3 if quick else 30,
    )
    return [
        compare(
            "heat maps and novelty in the graph, 1 thread",
            ("all outputs", graphs[0]),
            ("logits and embedding alone", graphs[1]),
            target=1.1,
            unit="ms",
        ),
        _checked(bundle, folder, quick=quick),
    ]


def _checked(bundle: Path, folder: Path, *, quick: bool) -> Result:
    """A photo whose map is shown: one more pass of the model, on the photo mirrored."""
    data = jpeg(folder / "explained.jpg", seed=2, size=(4000, 3000)).read_bytes()
    checked, plain = Screener(bundle, check_maps=True), Screener(bundle)
    seconds = interleaved(
        lambda: checked.screen(data), lambda: plain.screen(data), 3 if quick else 60, warm_up=3
    )
    return compare(
        "a 12-megapixel photo with its map checked",
        ("Screener with check_maps", seconds[0]),
        ("Screener", seconds[1]),
        target=1.5,
        unit="ms",
    )
