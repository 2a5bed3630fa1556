"""Nearest neighbours among many vectors by plain matrix products, in memory that does not grow with their square.

Up to EXACT vectors all are compared with all. Above that they are dealt into cells around centres (an inverted
file), and each is compared with the members of the cells nearest to it: the work per vector then stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

EXACT = 12_000
_CELL = 400  # vectors a cell, on average
_PROBES = 16  # cells that a vector is compared with
_BLOCK = 512  # vectors compared at once
_ROUNDS = 6  # of k-means on a sample

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def neighbours(vectors: Floats, *, most: int, least: float) -> tuple[Rows, Rows, Floats]:
    """The `most` nearest of each vector that are at least `least` alike, each pair once.

    Args:
        vectors: [N, D], of unit length.
        most: neighbours a vector.
        least: smallest cosine, -1..1.

    Returns:
        first [M], second [M] (first < second), cosine [M], sorted by first and second.
    """
    parts = list(_exact(vectors, most, least) if len(vectors) <= EXACT else _by_cells(vectors, most, least))
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
    one, other, cosine = (np.concatenate(column) for column in zip(*parts, strict=True))
    key = np.minimum(one, other) * len(vectors) + np.maximum(one, other)
    unique, places = np.unique(key, return_index=True)
    return unique // len(vectors), unique % len(vectors), cosine[places]


def _exact(vectors: Floats, most: int, least: float) -> Iterator[tuple[Rows, Rows, Floats]]:
    everyone = np.arange(len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        yield _nearest(everyone[start : start + _BLOCK], everyone, vectors, most, least)


def _by_cells(vectors: Floats, most: int, least: float) -> Iterator[tuple[Rows, Rows, Floats]]:
    centres = _centres(vectors, max(2, len(vectors) // _CELL))
    cell = np.concatenate(
        [(vectors[start : start + 8192] @ centres.T).argmax(1) for start in range(0, len(vectors), 8192)]
    )
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(len(centres) + 1))
    near = np.argsort(-(centres @ centres.T), axis=1, kind="stable")[:, :_PROBES]
    for number in range(len(centres)):
        own = order[bounds[number] : bounds[number + 1]]
        others = np.concatenate([order[bounds[probe] : bounds[probe + 1]] for probe in near[number]])
        for start in range(0, len(own), _BLOCK):
            yield _nearest(own[start : start + _BLOCK], others, vectors, most, least)


def _nearest(own: Rows, others: Rows, vectors: Floats, most: int, least: float) -> tuple[Rows, Rows, Floats]:
    cosine = vectors[own] @ vectors[others].T
    cosine[own[:, None] == others[None]] = -2.0
    if cosine.shape[1] > most:
        # Only what is both among the nearest and alike enough is sorted out.
        limit = np.partition(cosine, cosine.shape[1] - most, axis=1)[:, -most]
        row, column = np.nonzero(cosine >= np.maximum(limit, least)[:, None])
    else:
        row, column = np.nonzero(cosine >= least)
    return own[row], others[column], cosine[row, column]


def _centres(vectors: Floats, count: int) -> Floats:
    """Centres of `count` cells, [count, D] of unit length: k-means on a sample, the same for the same vectors."""
    rng = np.random.default_rng(0)
    sample = vectors[rng.choice(len(vectors), min(len(vectors), 40 * count), replace=False)]
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        cell = (sample @ centres.T).argmax(1)
        for number in range(count):
            members = sample[cell == number]
            if len(members):
                centres[number] = members.mean(0)
        centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-12)
    return centres
