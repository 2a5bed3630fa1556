"""Heads on cached features: multinomial logistic regression that also learns from images of which only a set
of possible classes is known, and that may be told what of the features is not to be trusted.

For an image whose class is known to lie in a set A, the loss is -log sum_{c in A} p_c (Cour, Sapp and Taskar 2011,
"Learning from partial labels"); with one class in A it is the usual log loss. MSLD's "others" are
chickenpox or measles, not told apart: A = {chickenpox, measles}.

What may happen to the features of an image without meaning anything, such as the rounding of a network in eight bits,
is given as a disturbance of each image. The mean square of the logits' answer to them joins the penalty, so that the
head reads from directions that they leave alone: training on disturbed features is such a penalty to first order
(Bishop 1995, "Training with noise is equivalent to Tikhonov regularization"). How large they are does not matter, only
where they point: they are scaled to a mean square of 1, and a steadiness of 1 counts them as much as the plain penalty
counts a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearHead:
    """logits = (x - mean) / scale @ weight + bias."""

    mean: Floats  # [D]
    scale: Floats  # [D], above 0
    weight: Floats  # [D, C]
    bias: Floats  # [C]

    def logits(self, features: Floats) -> Floats:
        """[N, C] logits of [N, D] features."""
        weight, bias = self.folded()
        return features @ weight + bias

    def folded(self) -> tuple[Floats, Floats]:
        """The same head without its standardisation: weight [D, C] and bias [C] on raw features."""
        weight = self.weight / self.scale[:, None]
        return weight, (self.bias - self.mean @ weight).astype(np.float32)


@dataclass(frozen=True)
class Preconditioner:
    """Directions and variances of standardised features. It speeds the fit and does not change its result."""

    directions: Floats  # [D, D], orthogonal, one column a direction
    variances: Floats  # [D], not negative

    @classmethod
    def of(cls, features: Floats) -> Preconditioner:
        """From [N, D] features."""
        mean, scale = standardisation(features)
        standard = (features - mean) / scale
        variances, directions = np.linalg.eigh(standard.T @ standard / len(standard))
        return cls(directions.astype(np.float32), np.maximum(variances, 0.0).astype(np.float32))


def standardisation(features: Floats) -> tuple[Floats, Floats]:
    """Mean and scale [D] of [N, D] features; a constant feature has scale 1."""
    mean, scale = features.mean(0), features.std(0)
    return mean.astype(np.float32), np.where(scale > 1e-6, scale, 1.0).astype(np.float32)


class LinearProblem:
    """Standardised features and a penalty, ready to fit a head on all images or on some.

    The penalty is 1/(2 strength) (|weight|^2 + steadiness mean_i |disturbance_i @ weight|^2) on standardised features,
    disturbances scaled to a mean square of 1; L-BFGS runs on coordinates in which the problem is nearly round (30 steps
    instead of 300).

    Args:
        features: [N, D]; their mean and scale standardise every fit.
        possible: [N, C], True where the image may be of the class; at least one a row.
        strength: inverse of the penalty, scikit-learn's C; the coordinates suit it best.
        preconditioner: of features like these.
        weights: [N] weight of each image; None for 1.
        disturbances: [N, D], what may be added to each image's features and should change nothing; None for nothing.
        steadiness: how much their answer counts, 0 or more.

    Raises:
        ValueError: when shapes do not fit or a row has no possible class.
    """

    def __init__(
        self,
        features: Floats,
        possible: NDArray[np.bool_],
        strength: float,
        preconditioner: Preconditioner,
        weights: Floats | None = None,
        *,
        disturbances: Floats | None = None,
        steadiness: float = 0.0,
    ) -> None:
        if possible.shape[0] != len(features) or not possible.any(1).all():
            raise ValueError("possible must have a row for each image, with at least one possible class")
        if disturbances is not None and disturbances.shape != features.shape:
            raise ValueError("disturbances must have the shape of the features")
        self.mean, self.scale = standardisation(features)
        along = None
        curvature = len(features) * preconditioner.variances / 8.0 + 1.0 / strength
        if disturbances is not None and steadiness > 0:
            unit = disturbances / self.scale
            along = (unit / max(float(np.square(unit).mean()) ** 0.5, 1e-12)) @ preconditioner.directions
            curvature = curvature + (steadiness / strength) * np.square(along).mean(0)
        step = (1.0 / np.sqrt(curvature)).astype(np.float32)
        self._turned = (preconditioner.directions * step).astype(np.float32)
        self._disturbed = None if along is None else along * step
        self._steadiness = np.float32(steadiness)
        self._inputs = ((features - self.mean) / self.scale) @ self._turned
        self._squared = (step * step).astype(np.float32)[:, None]
        self._strength = strength
        self._allowed = possible.astype(np.float32)
        self._weights = np.ones(len(features), np.float32) if weights is None else weights.astype(np.float32)

    def fit(
        self,
        rows: NDArray[np.bool_] | None = None,
        *,
        strength: float | None = None,
        iterations: int = 100,
        tolerance: float = 1e-3,
    ) -> LinearHead:
        """The head that fits best.

        Args:
            rows: [N], the images to learn from; None for all.
            strength: another penalty than the problem's own.
            iterations: upper bound of L-BFGS steps.
            tolerance: largest entry of the gradient, per square root of N, at which to stop.
        """
        chosen = slice(None) if rows is None else np.flatnonzero(rows)
        inputs, allowed, weights = self._inputs[chosen], self._allowed[chosen], self._weights[chosen]
        classes = allowed.shape[1]
        size = inputs.shape[1] * classes
        penalty = self._squared / np.float32(strength or self._strength)
        disturbed = None if self._disturbed is None else self._disturbed[chosen]
        unsteady = self._steadiness / np.float32(strength or self._strength) / np.float32(len(inputs))

        def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            flat = point.astype(np.float32)
            weight, bias = flat[:size].reshape(-1, classes), flat[size:]
            logits = inputs @ weight + bias
            exponent = np.exp(logits - logits.max(1, keepdims=True))
            total, inside = exponent.sum(1), (exponent * allowed).sum(1) + np.float32(1e-30)
            value = float(weights @ np.log(total / inside)) + 0.5 * float((penalty * weight * weight).sum())
            slope = weights[:, None] * (exponent / total[:, None] - exponent * allowed / inside[:, None])
            turned = inputs.T @ slope + penalty * weight
            if disturbed is not None:
                answer = disturbed @ weight
                value += 0.5 * float(unsteady) * float((answer * answer).sum())
                turned += unsteady * (disturbed.T @ answer)
            return value, np.concatenate([turned.ravel(), slope.sum(0)]).astype(np.float64)

        options = {
            "maxiter": iterations,
            "maxcor": 10,
            "gtol": tolerance * len(inputs) ** 0.5,
            "ftol": 1e-7,
        }
        best = minimize(loss, np.zeros(size + classes), jac=True, method="L-BFGS-B", options=options).x
        found = best.astype(np.float32)
        return LinearHead(
            self.mean, self.scale, self._turned @ found[:size].reshape(-1, classes), found[size:]
        )
