"""Which stage of the network makes the fingerprint: how often a planted copy leads to its original.

    python -m benchmarks.fingerprint_stages --data ../shared/data --groups results/duplicates/groups.csv
    python -m benchmarks.fingerprint_stages --phantoms 200

Changed copies of some originals are compared with all originals by the fingerprint of each stage, whitened as
`poxlens.data.candidates` does it; told is the share whose original is among the ten nearest. With --data the
originals are real images, one of each group; none is kept. Needs the extra "train" and the weights of
EfficientNet-Lite0.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.fingerprint_graph import POWER
from benchmarks.planted import KINDS, changed, phantom_originals, real_originals
from poxlens.data import fingerprint
from poxlens.data.candidates import whitened
from poxlens.data.manifest import Row
from poxlens.errors import PhotoError
from poxlens.evaluate.intervals import wilson
from poxlens.photo.decode import decode
from poxlens.train.backbones import load_backbone, with_constant_padding

NEAREST = 10
STAGES = (3, 4, 5, 6)
SHIPPED = "as shipped: stage 5, both, eight bits"
_BATCH = 32

Squares = NDArray[np.uint8]
Vectors = NDArray[np.float16]


def main(arguments: list[str] | None = None) -> int:
    """Measure and tell."""
    told = _options().parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        originals = (
            real_originals(told.data, told.groups, told.n, told.seed)
            if told.data
            else phantom_originals(Path(name), told.phantoms, told.seed)
        )
        gallery, copies = prepare(originals, told.queries, told.seed)
    shares = measure(gallery, copies, told.weights)
    queries = len(next(iter(copies.values())))
    if told.json:
        print(json.dumps({"originals": len(gallery), "queries": queries, "shares": shares}))
    else:
        print(_table(shares, len(gallery), queries))
    return 0


def prepare(originals: list[Row], queries: int, seed: int) -> tuple[Squares, dict[str, Squares]]:
    """The originals as the network sees them, [N, S, S, 3], and copies of the first ones by kind, [Q, S, S, 3]."""
    gallery: list[Squares] = []
    copies: dict[str, list[Squares]] = {name: [] for name in KINDS}
    for row in originals:
        try:
            pixels = decode(row.path).pixels
        except PhotoError:
            continue
        if len(gallery) < queries:
            for place, (name, kind) in enumerate(KINDS.items()):
                rng = np.random.default_rng([seed, len(gallery), place])
                copies[name].append(_square(decode(io.BytesIO(changed(pixels, kind, rng))).pixels))
        gallery.append(_square(pixels))
    return np.stack(gallery), {name: np.stack(some) for name, some in copies.items()}


def _square(pixels: NDArray[np.uint8]) -> Squares:
    side = (fingerprint.SIDE, fingerprint.SIDE)
    return np.asarray(cv2.resize(pixels, side, interpolation=cv2.INTER_AREA), np.uint8)


def measure(gallery: Squares, copies: dict[str, Squares], weights: list[Path]) -> dict[str, dict[str, float]]:
    """Variant -> kind of copy -> share whose original is among the nearest."""
    network = _network(weights)
    every = _variants(network, np.concatenate([gallery, *copies.values()]))
    shares: dict[str, dict[str, float]] = {}
    for variant, vectors in every.items():
        own, start = vectors[: len(gallery)], len(gallery)
        shares[variant] = {}
        for kind, some in copies.items():
            shares[variant][kind] = found(own, vectors[start : start + len(some)])
            start += len(some)
    return shares


def found(gallery: Vectors, queries: Vectors) -> float:
    """The share of queries whose original, the gallery's row of the same number, is among the nearest.

    Args:
        gallery: [N, D].
        queries: [Q, D], Q <= N.
    """
    white = whitened(np.concatenate([gallery, queries]))
    cosine = white[len(gallery) :] @ white[: len(gallery)].T
    own = cosine[np.arange(len(queries)), np.arange(len(queries))]
    return float(((cosine > own[:, None]).sum(1) < NEAREST).mean())


def _network(weights: list[Path]) -> Any:
    backbone: Any = with_constant_padding(load_backbone(("efficientnet-lite0",), weights), fingerprint.SIDE)
    return backbone.parts[0].network.eval()


def _variants(network: Any, squares: Squares) -> dict[str, Vectors]:
    """Name -> [N, D] of each stage's averages."""
    parts: dict[str, list[Vectors]] = {}
    for start in range(0, len(squares), _BATCH):
        for name, vectors in _averages(network, squares[start : start + _BATCH]):
            parts.setdefault(name, []).append(vectors)
    return {name: np.concatenate(some) for name, some in parts.items()} | {
        SHIPPED: fingerprint.fingerprints(squares)
    }


def _averages(network: Any, squares: Squares) -> Iterator[tuple[str, Vectors]]:
    with torch.no_grad():
        maps = (torch.from_numpy(squares).permute(0, 3, 1, 2).to(torch.float32) - 127.0) / 128.0
        maps = network.bn1(network.conv_stem(maps))
        for number, stage in enumerate(network.blocks[: max(STAGES)], start=1):
            maps = stage(maps)
            if number in STAGES:
                mean = _unit(maps.mean((2, 3)))
                general = _unit(maps.clamp(min=1e-6).pow(POWER).mean((2, 3)).pow(1 / POWER))
                yield f"stage {number}, mean", mean
                yield f"stage {number}, generalised mean", general
                yield f"stage {number}, both", np.concatenate([mean, general], 1)


def _unit(vectors: torch.Tensor) -> Vectors:
    return torch.nn.functional.normalize(vectors, dim=1).numpy().astype(np.float16)


def _table(shares: dict[str, dict[str, float]], originals: int, queries: int) -> str:
    kinds = list(next(iter(shares.values())))
    low, high = wilson(round(0.98 * queries), queries)
    lines = [
        f"{queries} copies of each kind among {originals} originals; original among the {NEAREST} nearest"
        f" (95 % interval of .98: {low:.3f}–{high:.3f})",
        "",
        "| | " + " | ".join(kinds) + " |",
        "|---" * (len(kinds) + 1) + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(f"{own[kind]:.3f}" for kind in kinds) + " |"
        for name, own in shares.items()
    ]
    return "\n".join(lines)


def _options() -> argparse.ArgumentParser:
    told = argparse.ArgumentParser(
        prog="python -m benchmarks.fingerprint_stages", description=(__doc__ or "").split("\n")[0]
    )
    told.add_argument("--data", type=Path, help="folder of real images with manifest.csv")
    told.add_argument("--groups", type=Path, help="CSV with file and group: one original a group")
    told.add_argument("--n", type=int, default=1700, help="real originals at most")
    told.add_argument("--phantoms", type=int, default=200, help="phantoms, without --data")
    told.add_argument("--queries", type=int, default=250, help="originals that copies are made of")
    told.add_argument(
        "--weights", type=Path, action="append", default=[], help="folder of weights; repeatable"
    )
    told.add_argument("--seed", type=int, default=0)
    told.add_argument("--json", action="store_true")
    return told


if __name__ == "__main__":
    sys.exit(main())
