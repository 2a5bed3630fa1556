"""Candidates that a fingerprint of whole pictures misses: a picture that is a small part of another.

Every picture is also seen through fourteen windows, and each window's fingerprint is compared with those of
all whole pictures: a crop meets the photo through the window that lies nearest to it. This opens every file
once more and compares all with all, so it is for tables of up to LIMIT pictures.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data import fingerprint
from poxlens.data.candidates import Candidate
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.decode import decode

LIMIT = 8_000  # pictures; above, what windows propose costs more than all the rest of a search
NEIGHBOURS = 12  # a picture
LEAST = 0.3  # cosine below which pairs are not worth a look
SUSPECT = 0.7  # cosine from which a pair is listed even where nothing confirms it

_WINDOWS = (
    (0.0, 0.0, 1.0),
    *((x, y, 0.7) for x, y in ((0.15, 0.15), (0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.3, 0.3))),
    *((x, y, 0.45) for x in (0.0, 0.275, 0.55) for y in (0.0, 0.275, 0.55)),
)  # left, top and side, as shares of the picture's sides; the whole first
_KEPT = 128  # dimensions after whitening
_FLOOR = 1e-3  # of the strongest direction
_SHARD = 256  # pictures computed and kept at once
_BLOCK = 64  # pictures compared with all at once

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Advance = Callable[[int], None]


def zoom_candidates(
    rows: Sequence[int],
    paths: Sequence[Path],
    sha256: Sequence[str],
    store: Path | None,
    *,
    workers: int = 2,
    advance: Advance | None = None,
) -> list[Candidate]:
    """The candidates among some rows of a table, sorted.

    Args:
        rows: of readable, different pictures, rising.
        paths: of all rows.
        sha256: of the bytes of all rows.
        store: a folder where the windows' fingerprints are kept; None keeps nothing.
        workers: files worked on side by side.
        advance: called with the number of pictures just seen.
    """
    seen = _windows(rows, paths, sha256, store, workers, advance or (lambda _: None))
    kept = [place for place, row in enumerate(rows) if sha256[row] in seen]
    if len(kept) < 2:
        return []
    vectors = _whitened(np.stack([seen[sha256[rows[place]]] for place in kept]))
    found = {}
    for one, other, cosine in _nearest(vectors):
        first, second = sorted((rows[kept[one]], rows[kept[other]]))
        # Whitened over a handful of pictures a cosine says little.
        suspect = cosine >= SUSPECT and len(kept) >= 4 * _KEPT
        found[first, second] = Candidate(first, second, cosine, near=False, suspect=suspect)
    return [found[key] for key in sorted(found)]


def _windows(
    rows: Sequence[int],
    paths: Sequence[Path],
    sha256: Sequence[str],
    store: Path | None,
    workers: int,
    advance: Advance,
) -> dict[str, Halves]:
    """[W, D] of each picture, by its content."""
    wanted = {sha256[row]: paths[row] for row in rows}
    known = {key: value for key, value in _stored(store) if key in wanted} if store else {}
    advance(len(known))
    waiting = iter([(key, path) for key, path in wanted.items() if key not in known])
    with ThreadPoolExecutor(workers) as pool:
        while some := list(islice(waiting, _SHARD)):
            told = dict(
                zip((key for key, _ in some), pool.map(lambda item: _seen(item[1]), some), strict=True)
            )
            fresh = {key: value for key, value in told.items() if value is not None}
            if store and fresh:
                _keep(store, fresh)
            known.update(fresh)
            advance(len(some))
    return known


def _seen(path: Path) -> Halves | None:
    """[W, D] through all windows; None where the file cannot be read any more."""
    import cv2

    try:
        pixels = decode(path).pixels
    except PhotoError:
        return None
    height, width = pixels.shape[:2]
    squares = []
    for left, top, side in _WINDOWS:
        part = pixels[
            int(top * height) : max(int((top + side) * height), int(top * height) + 1),
            int(left * width) : max(int((left + side) * width), int(left * width) + 1),
        ]
        squares.append(cv2.resize(part, (fingerprint.SIDE, fingerprint.SIDE), interpolation=cv2.INTER_AREA))
    return fingerprint.fingerprints(np.stack(squares))


def _pattern() -> str:
    return f"zooms-{fingerprint.VERSION}-{len(_WINDOWS)}-"


def _keep(store: Path, fresh: dict[str, Halves]) -> None:
    stream = io.BytesIO()
    np.savez(stream, content=np.array(list(fresh)), vectors=np.stack(list(fresh.values())))
    name = sha256_bytes("".join(fresh).encode())[:24]
    write_atomically(store / f"{_pattern()}{name}.npz", stream.getvalue())


def _stored(store: Path) -> Iterable[tuple[str, Halves]]:
    for path in sorted(store.glob(_pattern() + "*.npz")):
        try:
            with np.load(path, allow_pickle=False) as stored:
                content, vectors = stored["content"].tolist(), stored["vectors"]
        except Exception:  # zipfile, zlib, struct and NumPy each raise kinds of their own on a damaged file
            path.unlink(missing_ok=True)
            continue
        yield from zip(content, vectors, strict=True)


def _whitened(windows: Halves) -> Floats:
    """[N, W, D'], of unit length: as `poxlens.data.candidates.whitened`, over the windows of all pictures."""
    count, views, size = windows.shape
    flat = windows.reshape(-1, size).astype(np.float32)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    flat -= flat.mean(0)
    strength, directions = np.linalg.eigh(flat.T @ flat / len(flat))
    kept = min(_KEPT, max(2, count // 4))
    strength, directions = strength[::-1][:kept], directions[:, ::-1][:, :kept]
    strength = np.maximum(strength, max(float(strength[0]) * _FLOOR, 1e-12))
    projected = flat @ (directions / np.sqrt(strength))
    projected /= np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(projected.reshape(count, views, kept), np.float32)


def _nearest(vectors: Floats) -> Iterable[tuple[int, int, float]]:
    """The NEIGHBOURS nearest of each picture: its windows against whole pictures, and the other way round."""
    count, views, size = vectors.shape
    whole, every = np.ascontiguousarray(vectors[:, 0]), vectors.reshape(-1, size)
    for start in range(0, count, _BLOCK):
        mine = vectors[start : start + _BLOCK]
        here = (mine.reshape(-1, size) @ whole.T).reshape(len(mine), views, count).max(1)
        there = (mine[:, 0] @ every.T).reshape(len(mine), count, views).max(2)
        cosine = np.maximum(here, there)
        cosine[np.arange(len(mine)), start + np.arange(len(mine))] = -1
        most = min(NEIGHBOURS, count - 1)
        nearest = np.argpartition(-cosine, most - 1, axis=1)[:, :most]
        for place, others in enumerate(nearest):
            for other in others.tolist():
                if cosine[place, other] >= LEAST:
                    yield start + place, other, float(cosine[place, other])
