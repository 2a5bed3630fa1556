"""Pairs of pictures that may be one photo: by perceptual hash, and by fingerprint, which survives crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.hash_pairs import hash_pairs
from poxlens.data.neighbours import neighbours
from poxlens.data.scan.columns import Scan

NEIGHBOURS = 10  # a picture
LEAST = 0.6  # cosine of whitened fingerprints below which pairs are not worth a look
SUSPECT = 0.8  # cosine from which a pair is listed even where nothing else shows it
NEAR_BITS = 4  # of 64: hashes so near are the same picture

_KEPT = 128  # dimensions after whitening


@dataclass(frozen=True)
class Candidate:
    """Two pictures that may be one photo."""

    first: int  # rows, first < second
    second: int
    similarity: float  # cosine of the whitened fingerprints, -1..1, higher = more alike
    near: bool  # one picture beyond doubt, without opening the files again
    suspect: bool  # alike enough to be listed even when nothing confirms it


def find_candidates(scan: Scan) -> list[Candidate]:
    """The candidates among the readable rows of a scan, sorted; of rows with equal pixels, the first stands for all."""
    rows = _distinct(scan)
    if len(rows) < 2:
        return []
    vectors = whitened(scan.embedding[rows])
    one, other, cosine = neighbours(vectors, most=NEIGHBOURS, least=LEAST)
    left, right, bits = hash_pairs(scan.hashes[rows])
    alike = np.einsum("nd,nd->n", vectors[left], vectors[right])
    key = np.concatenate([one * len(rows) + other, left * len(rows) + right])
    value = np.concatenate([cosine, alike])
    near = np.concatenate([np.zeros(len(one), bool), bits <= NEAR_BITS])
    order = np.lexsort((~near, key))
    unique, places = np.unique(key[order], return_index=True)
    picked = order[places]
    return [
        Candidate(int(rows[pair // len(rows)]), int(rows[pair % len(rows)]), float(value[at]), bool(near[at]),
                  bool(value[at] >= SUSPECT))
        for pair, at in zip(unique.tolist(), picked.tolist(), strict=True)
    ]  # fmt: skip


def whitened(embedding: NDArray[np.float16]) -> NDArray[np.float32]:
    """Fingerprints centred on their set, the main directions of the set weakened, [N, D'] of unit length.

    Skin photos share most of a fingerprint; what is left after their mean and main directions are taken down
    tells one photo from another.
    """
    values = embedding.astype(np.float32)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    mean = values.mean(0)
    values -= mean
    strength, directions = np.linalg.eigh(values.T @ values / len(values))
    strength, directions = strength[::-1][:_KEPT], directions[:, ::-1][:, :_KEPT]
    strength = np.maximum(strength, max(float(strength[0]) * 1e-3, 1e-12))
    projected: NDArray[np.float32] = values @ (directions / np.sqrt(strength))
    projected /= np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
    return projected


def _distinct(scan: Scan) -> NDArray[np.int64]:
    """The readable rows, of those with equal pixels the first."""
    first: dict[str, int] = {}
    for row, pixels in enumerate(scan.pixels_sha256):
        if pixels:
            first.setdefault(pixels, row)
    return np.array(sorted(first.values()), np.int64)
