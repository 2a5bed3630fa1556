"""The gate of a bundle: three scores of an embedding, on one scale, the largest counts.

    far from all that is known      1 - max_k cos(x, c_k), c_k the centres of k-means on embeddings of length 1
    like a picture of a kind        w_m' x + b_m, one linear model a kind of outlier (`exposure`)

Nearest neighbours know pictures of things and no dermoscopy; a linear model that has seen dermoscopy knows all seven
kinds of it, those it was not shown too, but of things only what looks like those it was shown. Centres do what
neighbours do in a tenth of the bytes: with 64 of them the AUROC of unseen photos of things stays at .998.

Each score becomes (s - m) / (q - m), m and q the median and the 98th percentile of known images that it did not learn
from: 0 is the middle of what is known, 1 its edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from poxlens.errors import TrainingError
from poxlens.train.novelty.exposure import Exposure
from poxlens.train.novelty.seen import Floats, Ints, Known, Seen

EDGE = 0.98  # share of known images below 1 in each score
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Gate:
    """The parameters, scales folded in."""

    centres: Floats  # [D, K], columns of length 1 with the digits of 16-bit floats
    slope: float  # of the largest cosine, below 0
    offset: float
    weight: Floats  # [D, M]
    bias: Floats  # [M]

    def score(self, features: Floats) -> Floats:
        """[N] novelty of [N, D] features."""
        length = np.sqrt(np.maximum(np.square(features).sum(1), np.float32(_TINY)))
        cosine = (features @ self.centres).max(1) / length
        far = np.float32(self.slope) * cosine + np.float32(self.offset)
        found: Floats = np.maximum(far, (features @ self.weight + self.bias).max(1)).astype(np.float32)
        return found


def fit_gate(
    known: Floats,
    tested: Floats,
    groups: Ints,
    outliers: Mapping[str, Floats],
    *,
    centres: int = 64,
    folds: int = 3,
    seed: int = 0,
) -> Gate:
    """A gate from known images and kinds of outliers.

    Args:
        known: [N, D], embeddings to learn from (mean of an image and its mirror image).
        tested: [N, D], of the same images as a runtime computes them; the scales are read off these.
        groups: [N], images that stay together when the scales are found.
        outliers: kind -> [M, D] embeddings of images known to be of no class.
        centres: of k-means; fewer where there are fewer images.
        folds: of the scales.
        seed: of k-means and of the folds.

    Raises:
        TrainingError: fewer than two groups of known images, or no outliers.
    """
    names = [name for name, values in outliers.items() if len(values)]
    if not names:
        raise TrainingError(
            "the novelty gate needs pictures of another kind to learn from, and there are none"
        )
    if len(np.unique(groups)) < 2:
        raise TrainingError("the novelty gate needs known images of at least two groups")
    kinds = {name: outliers[name] for name in names}
    held = np.empty((len(known), 1 + len(names)), np.float32)
    fold = _folds(groups, folds, seed)
    for part in np.unique(fold):
        here = fold == part
        held[here] = _raw(_parts(known[~here], kinds, centres, seed), tested[here])
    middle, edge = np.quantile(held.astype(np.float64), [0.5, EDGE], axis=0)
    scale = 1 / np.maximum(edge - middle, 1e-9)
    bank, models = _parts(known, kinds, centres, seed)
    weight = np.stack([model.weight for model in models], 1) * scale[1:]
    bias = (np.array([model.bias for model in models]) - middle[1:]) * scale[1:]
    return Gate(
        bank,
        float(-scale[0]),
        float(scale[0] * (1 - middle[0])),
        weight.astype(np.float32),
        bias.astype(np.float32),
    )


def _parts(
    known: Floats, kinds: Mapping[str, Floats], centres: int, seed: int
) -> tuple[Floats, list[Exposure]]:
    truth = np.zeros(len(known), np.int64)
    models = [
        Exposure.fit(Known(Seen(known), truth, outliers=Seen(values)), strength=0.001)
        for values in kinds.values()
    ]
    return centres_of(known, centres, seed), models


def centres_of(known: Floats, count: int, seed: int = 0) -> Floats:
    """[D, K] centres of k-means on [N, D] embeddings brought to length 1; columns of length 1."""
    unit = known / np.maximum(np.linalg.norm(known, axis=1, keepdims=True), np.float32(_TINY))
    count = min(count, len(np.unique(unit, axis=0)))
    found = KMeans(count, init="random", n_init=1, max_iter=25, random_state=seed).fit(unit).cluster_centers_
    found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), _TINY)
    return np.ascontiguousarray(found.T.astype(np.float16).astype(np.float32))


def _raw(parts: tuple[Floats, list[Exposure]], features: Floats) -> Floats:
    bank, models = parts
    length = np.maximum(np.linalg.norm(features, axis=1), np.float32(_TINY))
    far = 1 - (features @ bank).max(1) / length
    return np.stack([far, *(model.score(Seen(features)) for model in models)], 1).astype(np.float32)


def _folds(groups: Ints, folds: int, seed: int) -> Ints:
    """[N] fold of each image, groups whole, dealt at random: order would put one source into one fold."""
    names, place = np.unique(groups, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % min(folds, len(names))
    return dealt[place].astype(np.int64)
