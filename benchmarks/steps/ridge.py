"""Kernel ridge regression on class probabilities, and what it says of images that are taken out of training.

The least-squares support vector machine (Suykens and Vandewalle 1999) with one column a class; an image that may be one
of several classes has an equal share in each. Taking images out needs no second fit (Rifkin and Lippert 2007): with
B = (K + D)^-1 and T the targets, the model without the images S says T_S - (B_SS)^-1 (B T)_S of them. So a
cross-validation of any number of repeats costs one inverse, and many steps can be compared in minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack, solve

Doubles = NDArray[np.float64]
Rows = NDArray[np.int64]

_LEAST = 1e-3  # a regression can say less than nothing; as a probability that is this


@dataclass(frozen=True, eq=False)
class Ridge:
    """A kernel model of N images."""

    inverse: Doubles  # [N, N]
    targets: Doubles  # [N, C]

    @classmethod
    def of(cls, kernel: Doubles, targets: Doubles, weights: Doubles, penalty: float = 0.3) -> Ridge:
        """Fit.

        Args:
            kernel: [N, N], about 1 on its diagonal; a constant is added, which is the bias.
            targets: [N, C].
            weights: [N], importance of each image, above 0.
            penalty: of an image of weight 1.

        Raises:
            ValueError: the kernel is not positive definite.
        """
        matrix = kernel + 1.0
        matrix[np.diag_indices_from(matrix)] += penalty / weights
        factor, fault = lapack.dpotrf(matrix, lower=1)
        if fault:
            raise ValueError("the kernel is not positive definite")
        inverse = np.tril(lapack.dpotri(factor, lower=1)[0])
        return cls(inverse + np.tril(inverse, -1).T, targets)

    def without(self, rows: Rows) -> Doubles:
        """[S, C] probabilities of the images `rows` by a model that did not learn from them."""
        block = self.inverse[np.ix_(rows, rows)]
        said = self.targets[rows] - solve(block, self.inverse[rows] @ self.targets, assume_a="pos")
        return np.clip(said, _LEAST, None)


def alone(
    kernel: Doubles, targets: Doubles, weights: Doubles, penalty: float, train: Rows, test: Rows
) -> Doubles:
    """[T, C] probabilities of the images `test` by a model fitted on the images `train` alone."""
    matrix = kernel[np.ix_(train, train)] + 1.0
    matrix[np.diag_indices_from(matrix)] += penalty / weights[train]
    found = (kernel[np.ix_(test, train)] + 1.0) @ solve(matrix, targets[train], assume_a="pos")
    return np.clip(found, _LEAST, None)


def rbf(features: NDArray[np.float32], gamma: float = 1.0) -> Doubles:
    """[N, N], exp of -gamma / D times the squared distances of standardised [N, D] features."""
    standard = _standardised(features)
    squares = (standard**2).sum(1)
    distance = squares[:, None] + squares - 2 * standard @ standard.T
    found: Doubles = np.exp(-gamma / features.shape[1] * np.maximum(distance, 0.0))
    return found


def linear(features: NDArray[np.float32]) -> Doubles:
    """[N, N], products of standardised [N, D] features over D."""
    standard = _standardised(features)
    found: Doubles = standard @ standard.T / features.shape[1]
    return found


def mean(kernels: Sequence[Doubles]) -> Doubles:
    """The kernels in equal parts: features of each count alike, however many there are."""
    found: Doubles = sum(kernels[1:], kernels[0]) / len(kernels)
    return found


def _standardised(features: NDArray[np.float32]) -> Doubles:
    values = features.astype(np.float64)
    scale = values.std(0)
    found: Doubles = (values - values.mean(0)) / np.where(scale > 1e-6, scale, 1.0)
    return found
