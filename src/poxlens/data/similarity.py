"""Near-duplicates from embeddings of several views, and the groups that no split may cut.

Embeddings come from the caller as arrays [N, V, D] (N images, V views of each: the whole, mirrored, zooms,
corners), so that a crop of a photo still meets the photo.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_BLOCK = 64  # images compared with all others at once; bounds memory


def view_similarity(embeddings: Floats) -> NDArray[np.float16]:
    """The greatest cosine between any view of one image and any view of another, after taking the mean away.

    Args:
        embeddings: [N, V, D], higher cosine = more alike.

    Returns:
        [N, N], symmetric, in [-1, 1].
    """
    count, views, size = embeddings.shape
    centred = embeddings - embeddings.mean((0, 1))
    centred /= np.maximum(np.linalg.norm(centred, axis=2, keepdims=True), 1e-12)
    flat = np.ascontiguousarray(centred.reshape(-1, size), np.float32)
    similarity = np.empty((count, count), np.float16)
    for start in range(0, count, _BLOCK):
        rows = flat[start * views : (start + _BLOCK) * views]
        cosine = (rows @ flat.T).reshape(-1, views, count, views)
        similarity[start : start + _BLOCK] = cosine.max((1, 3))
    return np.maximum(similarity, similarity.T)


def connected_groups(links: Bools) -> NDArray[np.int64]:
    """Group number of each of N images, numbered in order of first appearance.

    Args:
        links: [N, N], True where two images belong together; the groups are its connected parts.
    """
    count = len(links)
    group = np.full(count, -1, np.int64)
    both = links | links.T
    found = 0
    for first in range(count):
        if group[first] >= 0:
            continue
        group[first], waiting = found, [first]
        while waiting:
            fresh = np.flatnonzero(both[waiting.pop()] & (group < 0))
            group[fresh] = found
            waiting.extend(fresh.tolist())
        found += 1
    return group


def same(keys: Sequence[str]) -> Bools:
    """[N, N], True where two of N keys are equal and not empty."""
    codes = np.unique(np.asarray(keys, dtype=str), return_inverse=True)[1]
    filled = np.array([bool(key) for key in keys])
    together: Bools = (codes[:, None] == codes[None]) & filled[:, None] & filled[None]
    return together
