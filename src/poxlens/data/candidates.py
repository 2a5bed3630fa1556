"""Pairs of pictures that may be one photo: by perceptual hash, and by fingerprint, which survives crops."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.hash_pairs import hash_pairs
from poxlens.data.neighbours import neighbours
from poxlens.data.overlap import coarse_structures, overlaps
from poxlens.data.scan.columns import Scan

NEAR_BITS = 6  # of 64: hashes so near are tried turned by quarters too
NEIGHBOURS = 6  # a picture
LEAST = 0.25  # cosine of whitened fingerprints below which pairs are not worth a look
NEAR = 0.97  # correlation of fitted thumbnails from which two pictures are one, if their fingerprints agree
NEAR_ALIKE = 0.5  # cosine that is asked for beside it: two moles correlate as highly, two scenes do not
CERTAIN = 0.98  # correlation that needs nothing beside it
HOPEFUL = 0.55  # correlation from which a pair is worth opening the files again
ALIKE = 0.45  # cosine from which it is worth it whatever the thumbnails say: captions, strong changes of tone
SUSPECT = 0.6  # cosine from which a pair is listed even where nothing else shows it

_KEPT = 128  # dimensions after whitening
_PART = 2_000  # pairs that a thread is given at once
_ROWS = 8_192  # fingerprints worked on at once

Pairs = NDArray[np.int64]
Advance = Callable[[int], None]
Begin = Callable[[str, int], Advance]


@dataclass(frozen=True)
class Candidate:
    """Two pictures that may be one photo."""

    first: int  # rows, first < second
    second: int
    similarity: float  # cosine of the whitened fingerprints, -1..1, higher = more alike
    near: bool  # one picture beyond doubt, without opening the files again
    suspect: bool  # alike enough to be listed even when nothing confirms it
    agreement: float = float("nan")  # correlation of the thumbnails where they overlap, -1..1
    mirrored: bool = False  # as the thumbnails agree best


def find_candidates(scan: Scan, *, workers: int = 2, begin: Begin | None = None) -> list[Candidate]:
    """The candidates among the readable rows of a scan, sorted; of rows with equal pixels, the first stands for all.

    Args:
        scan: of N rows; without fingerprints, what hashes tell is all there is.
        workers: threads that compare thumbnails.
        begin: called with the name of a step and its size, gives the function that is told of progress.
    """
    rows = _distinct(scan)
    if len(rows) < 2:
        return []
    left, right, bits = hash_pairs(scan.hashes[rows])
    key = left * len(rows) + right
    hashes_only = not scan.embedding.shape[1]
    vectors = np.empty((len(rows), 0), np.float32) if hashes_only else whitened(scan.embedding[rows])
    if not hashes_only:
        one, other, _ = neighbours(vectors, most=NEIGHBOURS, least=LEAST)
        key = np.union1d(key, one * len(rows) + other)
    turned = np.isin(key, (left * len(rows) + right)[bits <= NEAR_BITS])
    pairs = np.stack([key // len(rows), key % len(rows)], 1)
    cosine = np.full(len(pairs), np.nan, np.float32) if hashes_only else _cosines(vectors, pairs)
    del vectors
    thumbs = scan.thumb if len(rows) == len(scan) else scan.thumb[rows]
    told = _compared(thumbs, pairs, turned, workers, (begin or _silent)("comparing thumbnails", len(pairs)))
    kept = np.flatnonzero((told[:, 0] >= HOPEFUL) | (cosine >= ALIKE))
    return [
        Candidate(
            int(rows[pairs[at, 0]]),
            int(rows[pairs[at, 1]]),
            float(cosine[at]),
            bool(told[at, 0] >= (NEAR if cosine[at] >= NEAR_ALIKE else CERTAIN)),
            bool(cosine[at] >= SUSPECT or hashes_only),
            float(told[at, 0]),
            bool(told[at, 1]),
        )
        for at in kept.tolist()
    ]


def _cosines(vectors: NDArray[np.float32], pairs: Pairs) -> NDArray[np.float32]:
    parts = [np.einsum("nd,nd->n", vectors[part[:, 0]], vectors[part[:, 1]]) for part in _parts(pairs)]
    return np.concatenate(parts) if parts else np.empty(0, np.float32)


def _silent(name: str, size: int) -> Advance:
    del name, size
    return lambda _: None


def _parts(pairs: Pairs) -> list[Pairs]:
    return [pairs[start : start + _PART] for start in range(0, len(pairs), _PART)]


def _compared(
    thumbs: NDArray[np.uint8],
    pairs: Pairs,
    turned: NDArray[np.bool_],
    workers: int,
    advance: Advance,
) -> NDArray[np.float32]:
    """Agreement and whether mirrored, [M, 2], of each pair."""
    if not len(pairs):
        return np.empty((0, 2), np.float32)
    told = []
    for answer in _answers(_tasks(thumbs, pairs, turned), workers):
        told.append(answer)
        advance(len(answer))
    return np.concatenate(told)


Task = tuple[NDArray[np.uint8], Pairs, NDArray[np.bool_]]


def _tasks(thumbs: NDArray[np.uint8], pairs: Pairs, turned: NDArray[np.bool_]) -> Iterator[Task]:
    """Parts of the work, each with only the thumbnails that it needs."""
    for start, part in zip(range(0, len(pairs), _PART), _parts(pairs), strict=True):
        rows, places = np.unique(part, return_inverse=True)
        yield np.array(thumbs[rows]), places.reshape(part.shape), turned[start : start + _PART]


def _answers(tasks: Iterator[Task], workers: int) -> Iterator[NDArray[np.float32]]:
    """In threads: nearly all of it is matrix products, and a process of its own would take a second to start."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[NDArray[np.float32]]] = deque()
        for task in tasks:
            waiting.append(pool.submit(_compare, *task))
            if len(waiting) > workers:  # no more in memory than is worked on
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _compare(thumbs: NDArray[np.uint8], pairs: Pairs, turned: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Agreement and whether mirrored of each pair; pairs whose hashes agree are tried in all eight positions."""
    small = coarse_structures(thumbs)
    found = overlaps(thumbs, small, pairs)
    # Without structure the correlation is of noise: such a pair is left to the fingerprint.
    told = np.stack([np.where(found.plain, np.minimum(found.fine, 0), found.fine), found.mirrored], 1)
    for quarter in (1, 2, 3):
        some = np.flatnonzero(turned & ~found.plain & (told[:, 0] < NEAR))
        again = overlaps(*_turned(thumbs, small, quarter), pairs[some] + (0, len(thumbs)))
        better = again.fine > told[some, 0]
        told[some[better]] = np.stack([again.fine, again.mirrored], 1)[better]
    return told


def _turned(
    thumbs: NDArray[np.uint8], small: NDArray[np.float32], quarter: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The thumbnails and their structures, and the same turned: row n + N is row n turned by quarters."""
    return (
        np.concatenate([thumbs, np.rot90(thumbs, quarter, axes=(1, 2))]),
        np.concatenate([small, np.rot90(small, quarter, axes=(1, 2))]),
    )


def whitened(embedding: NDArray[np.float16]) -> NDArray[np.float32]:
    """Fingerprints centred on their set, the main directions of the set weakened, [N, D'] of unit length.

    Skin photos share most of a fingerprint; what is left after their mean and main directions are taken down
    tells one photo from another.
    """
    count, size = embedding.shape
    mean = sum((part.sum(0) for part in _units(embedding)), np.zeros(size)) / max(count, 1)
    spread = np.zeros((size, size))
    for part in _units(embedding):
        part -= mean
        spread += part.T @ part
    strength, directions = np.linalg.eigh(spread / max(count, 1))
    # With as many dimensions as pictures, whitening makes all of them equally unlike, copies too.
    kept = min(_KEPT, size, max(2, count // 4))
    strength, directions = strength[::-1][:kept], directions[:, ::-1][:, :kept]
    weak = max(float(strength[0]) * 1e-3, 1e-12)
    scaled = (directions / np.sqrt(np.maximum(strength, weak))).astype(np.float32)
    vectors = np.empty((count, kept), np.float32)
    for number, part in enumerate(_units(embedding)):
        projected = (part - mean.astype(np.float32)) @ scaled
        projected /= np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
        vectors[number * _ROWS : number * _ROWS + len(part)] = projected
    return vectors


def _units(embedding: NDArray[np.float16]) -> Iterator[NDArray[np.float32]]:
    """Some fingerprints after the other, of unit length: 100,000 at once would take 90 MB, several times."""
    for start in range(0, len(embedding), _ROWS):
        part = embedding[start : start + _ROWS].astype(np.float32)
        part /= np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9)
        yield part


def _distinct(scan: Scan) -> NDArray[np.int64]:
    """The readable rows, of those with equal pixels the first."""
    first: dict[str, int] = {}
    for row, pixels in enumerate(scan.pixels_sha256):
        if pixels:
            first.setdefault(pixels, row)
    return np.array(sorted(first.values()), np.int64)
