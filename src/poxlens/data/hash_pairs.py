"""Pairs of pictures whose perceptual hashes nearly agree, found by sorting instead of comparing all with all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from poxlens.data.phash import distance

RADIUS = 6  # bits; pairs up to 4 are all found, more distant ones nearly all
_PIECES = 6  # that the 64 bits are cut into; with 4 bits changed at least two pieces stay whole
_CROWD = 64  # hashes that agree in two pieces: more are pictures without structure, compared with a few only

Rows = NDArray[np.int64]


def hash_pairs(hashes: NDArray[np.uint64], radius: int = RADIUS) -> tuple[Rows, Rows, NDArray[np.uint8]]:
    """Pairs whose hashes differ by at most `radius` bits in some position of one of them, each pair once.

    Args:
        hashes: [N, V], column 0 as the picture is, the others turned and mirrored.
        radius: bits.

    Returns:
        first [M], second [M] (first < second), bits [M] that differ in the best position.
    """
    count, views = hashes.shape
    flat = np.ascontiguousarray(hashes.T).reshape(-1)  # view 0 of all rows first
    row = np.tile(np.arange(count), views)
    found = [part for keys in _keys(flat) for part in _agreeing(keys, flat, row, count, radius)]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)
    pairs, bits = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((bits, pairs))
    unique, places = np.unique(pairs[order], return_index=True)
    return unique // count, unique % count, bits[order][places]


def _keys(flat: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    """The bits of each two pieces of the hashes."""
    edges = [round(64 * piece / _PIECES) for piece in range(_PIECES + 1)]
    masks = [sum(1 << bit for bit in range(low, high)) for low, high in pairwise(edges)]
    for one, other in combinations(masks, 2):
        yield flat & np.uint64(one | other)


def _agreeing(
    keys: NDArray[np.uint64], flat: NDArray[np.uint64], row: Rows, count: int, radius: int
) -> Iterator[tuple[Rows, NDArray[np.uint8]]]:
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    for step in range(1, _CROWD):
        same = np.flatnonzero(ranked[step:] == ranked[:-step])
        if not len(same):
            return
        left, right = order[same], order[same + step]
        # Stable sorting keeps view 0 in front: one of a pair must be a picture as it is.
        kept = (left < count) & (row[left] != row[right])
        left, right = left[kept], right[kept]
        bits = distance(flat[left], flat[right])
        near = bits <= radius
        low = np.minimum(row[left[near]], row[right[near]])
        high = np.maximum(row[left[near]], row[right[near]])
        yield low * count + high, bits[near]
