"""Heads of rising capacity on the same features, to see how much each makes of a leak.

All of them see the training part's features standardised and turned to its `COMPONENTS` first principal
components, and count the copies of an image together as one image, so that more copies do not mean a weaker penalty.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from poxlens.train.heads import standardisation

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

COMPONENTS = 256
_TEMPERATURE = 0.05  # of cosine similarities; moves no decision and no rank between two classes
_SVM_COST = 10.0


class Reduction:
    """Standardisation and principal components, fitted on the training part only."""

    def __init__(self, features: Floats, components: int = COMPONENTS) -> None:
        from scipy.linalg import eigh

        self.mean, self.scale = standardisation(features)
        standard = (features - self.mean) / self.scale
        rows, size = features.shape
        first = size - min(components, size, max(1, rows - 1))
        _, directions = eigh(standard.T @ standard / rows, subset_by_index=[first, size - 1])
        self.directions: Floats = directions[:, ::-1].astype(np.float32)

    def __call__(self, features: Floats) -> Floats:
        """[N, K] of [N, D]."""
        reduced: Floats = (((features - self.mean) / self.scale) @ self.directions).astype(np.float32)
        return reduced


Head = Callable[[Floats, Ints, Floats, Floats, int], Floats]
"""(train [N, K], label [N], weight [N], test [M, K], classes) -> shares [M, classes] that sum to 1, not calibrated."""


def _logistic(strength: float) -> Head:
    # The components keep their variances, so the penalty is that of the standardised features they are turned from.
    def head(train: Floats, label: Ints, weight: Floats, test: Floats, classes: int) -> Floats:
        from sklearn.linear_model import LogisticRegression

        found = LogisticRegression(C=strength, max_iter=3000).fit(train, label, weight)
        shares: Floats = np.asarray(found.predict_proba(test), np.float32)
        assert shares.shape[1] == classes
        return shares

    return head


def _svm(train: Floats, label: Ints, weight: Floats, test: Floats, classes: int) -> Floats:
    from sklearn.svm import SVC

    machine = SVC(C=_SVM_COST, decision_function_shape="ovr", cache_size=500)
    found = machine.fit(train, label, weight).decision_function(test)
    if classes == 2:
        found = np.stack([-found, found], 1)  # scikit-learn gives two classes one column
    scores: Floats = found.astype(np.float32)
    return softmax(scores)


def _nearest(train: Floats, label: Ints, weight: Floats, test: Floats, classes: int) -> Floats:
    del weight
    similarity = _unit(test) @ _unit(train).T
    best = np.stack([similarity[:, label == number].max(1) for number in range(classes)], 1)
    scores: Floats = (best / _TEMPERATURE).astype(np.float32)
    return softmax(scores)


HEADS: dict[str, tuple[Head, str]] = {
    "logistic": (_logistic(0.01), "logistic regression, strong penalty (C = 0.01)"),
    "logistic-weak": (_logistic(1.0), "logistic regression, weak penalty (C = 1)"),
    "svm": (_svm, f"support vector machine, radial kernel (C = {_SVM_COST:g})"),
    "1-nn": (_nearest, "the class of the nearest training image (cosine)"),
}
"""Name -> head and what it is, from the least to the greatest capacity to remember."""


def softmax(scores: Floats) -> Floats:
    """[N, C] exp of the scores [N, C], each row divided by its sum."""
    exponent = np.exp(scores - scores.max(1, keepdims=True))
    shares: Floats = (exponent / exponent.sum(1, keepdims=True)).astype(np.float32)
    return shares


def _unit(rows: Floats) -> Floats:
    unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))
    return unit
