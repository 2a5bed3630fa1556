"""Golden examples: photos in a bundle with the outputs they must give, so that a wrong runtime refuses.

Each is decoded and prepared by the way every photo goes, so a fault of decoding or resizing shows as well.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from poxlens.bundle.manifest import EMBEDDING_HEAD, GoldenExample
from poxlens.errors import BundleError, PhotoError
from poxlens.photo.decode import decode
from poxlens.photo.resize import InputRule, prepare
from poxlens.screen.background import Background, available_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from poxlens.screen.graph import Graph, Outputs


def prepared(photos: dict[str, bytes], rule: InputRule) -> dict[str, NDArray[np.uint8]]:
    """The golden photos as the model sees them.

    Args:
        photos: path in the bundle -> PNG bytes.
        rule: the bundle's input rule.

    Raises:
        BundleError: naming the photo that cannot be read.
    """
    made = {}
    for file, png in photos.items():
        try:
            made[file] = prepare(decode(png).pixels, rule)
        except PhotoError as fault:
            raise BundleError(f"golden example {file} cannot be read: {fault}") from fault
    return made


def examples(graph: Graph, rule: InputRule, photos: dict[str, bytes]) -> list[GoldenExample]:
    """What `graph` gives for each photo: how a bundle's golden examples are made.

    Args:
        graph: the model.
        rule: the bundle's input rule.
        photos: path in the bundle -> PNG bytes.
    """
    images = prepared(photos, rule)
    return [_example(file, graph.run(image[np.newaxis]), 0) for file, image in images.items()]


def check(
    graph: Graph, goldens: Sequence[GoldenExample], photos: dict[str, NDArray[np.uint8]], tolerance: float
) -> float:
    """Run every golden example and compare logits, embedding, novelty and heat maps with what is promised.

    Args:
        graph: the model.
        goldens: what it must give.
        photos: path in the bundle -> prepared photo.
        tolerance: largest difference allowed; for novelty, which has no fixed scale, times max(1,
            |expected|).

    Returns:
        The largest difference found, in the units of `tolerance`.

    Raises:
        BundleError: naming the example, the output and the difference.
    """
    # Side by side: together they take the longest part of a start.
    parts = np.array_split(np.arange(len(goldens)), min(len(goldens), available_cores()))
    running = [Background(partial(_compare, graph, [goldens[i] for i in part], photos)) for part in parts]
    worst = 0.0
    for file, name, difference in [found for part in running for found in part.result()]:
        worst = max(worst, difference)
        if not difference <= tolerance:
            raise BundleError(
                f"golden example {file}: {name} differs by {difference:.3g}, allowed is {tolerance:.3g}. "
                "This computer does not give the numbers that the bundle was tested with; update poxlens and "
                "onnxruntime, or fetch the bundle again."
            )
    return worst


def _compare(
    graph: Graph, goldens: Sequence[GoldenExample], photos: dict[str, NDArray[np.uint8]]
) -> list[tuple[str, str, float]]:
    """File, output and difference of each output of each example."""
    outputs = graph.run(np.stack([photos[golden.file] for golden in goldens]))
    compared = []
    for i, golden in enumerate(goldens):
        found = _example(golden.file, outputs, i)
        for name in ("logits", "embedding_head", "novelty", "heatmap_mean"):
            difference = _difference(name, getattr(found, name), getattr(golden, name), golden.file)
            compared.append((golden.file, name, difference))
    return compared


def _difference(name: str, found: object, expected: object, file: str) -> float:
    a, b = np.atleast_1d(np.asarray(found, np.float64)), np.atleast_1d(np.asarray(expected, np.float64))
    if a.shape != b.shape:
        raise BundleError(f"golden example {file}: {name} has {a.size} values where {b.size} are expected")
    scale = max(1.0, float(np.abs(b).max())) if name == "novelty" else 1.0
    return float(np.abs(a - b).max()) / scale


def _example(file: str, outputs: Outputs, i: int) -> GoldenExample:
    return GoldenExample(
        file=file,
        logits=_floats(outputs.logits[i]),
        embedding_head=_floats(outputs.embedding[i, :EMBEDDING_HEAD]),
        novelty=float(outputs.novelty[i]),
        heatmap_mean=_floats(outputs.heatmap[i].mean(axis=(1, 2), dtype=np.float64)),
    )


def _floats(values: NDArray[np.floating]) -> list[float]:
    return [float(value) for value in values]
