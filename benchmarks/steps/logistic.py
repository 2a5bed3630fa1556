"""Kernel logistic regression from images of which only a set of possible classes may be known.

The loss is that of `poxlens.train.heads` (Cour, Sapp and Taskar 2011). The kernel of the training part is written as a
product of features, which spans every model of its images (the representer theorem), and the head is fitted on these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

STRENGTH = 10.0  # scikit-learn's C on features whose product is the kernel
_ITERATIONS = 60
_JITTER = 1e-6


def fitted(
    kernel: Doubles,
    possible: Bools,
    weights: Doubles,
    train: Rows,
    test: Rows,
    *,
    strength: float = STRENGTH,
) -> Doubles:
    """[T, C] probabilities of the images `test` by a model fitted on the images `train` alone.

    Args:
        kernel: [N, N], 1 on its diagonal.
        possible: [N, C], True where an image may be of the class.
        weights: [N], importance of each image.
        train: rows that are learnt from.
        test: rows that are not.
        strength: inverse of the penalty.
    """
    factor = cholesky(kernel[np.ix_(train, train)] + _JITTER * np.eye(len(train)), lower=True)

    def features(rows: Rows) -> Doubles:
        found: Doubles = solve_triangular(factor, kernel[np.ix_(train, rows)], lower=True).T
        return found

    inputs, allowed, weight = factor.astype(np.float32), possible[train], weights[train].astype(np.float32)
    classes = allowed.shape[1]
    step = (1 / np.sqrt((inputs**2).sum(0) / 8 + 1 / strength)).astype(np.float32)
    scaled = inputs * step  # coordinates in which the problem is rounder: half the iterations
    penalty = (step**2)[:, None] / strength
    size = scaled.shape[1] * classes

    def loss(point: Doubles) -> tuple[float, Doubles]:
        flat = point.astype(np.float32)
        matrix, bias = flat[:size].reshape(-1, classes), flat[size:]
        logits = scaled @ matrix + bias
        exponent = np.exp(logits - logits.max(1, keepdims=True))
        total, inside = exponent.sum(1), (exponent * allowed).sum(1) + np.float32(1e-30)
        value = float(weight @ np.log(total / inside)) + 0.5 * float((penalty * matrix**2).sum())
        slope = weight[:, None] * (exponent / total[:, None] - exponent * allowed / inside[:, None])
        gradient = np.concatenate([(scaled.T @ slope + penalty * matrix).ravel(), slope.sum(0)])
        return value, gradient.astype(np.float64)

    options = {"maxiter": _ITERATIONS, "gtol": 1e-3 * len(train) ** 0.5}
    best = minimize(loss, np.zeros(size + classes), jac=True, method="L-BFGS-B", options=options).x
    logits = (features(test) * step) @ best[:size].reshape(-1, classes) + best[size:]
    exponent = np.exp(logits - logits.max(1, keepdims=True))
    found: Doubles = exponent / exponent.sum(1, keepdims=True)
    return found
