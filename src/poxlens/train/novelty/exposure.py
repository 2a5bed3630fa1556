"""Outlier exposure: known images against images known to be of no class, by a linear model (Hendrycks 2019).

    score = w' x + b,   logistic regression of "is an outlier", both sides weighing the same.

The outliers must be of other kinds than those it is tested on, or the figure only says that the test was in the book.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from poxlens.train.heads import standardisation
from poxlens.train.novelty.seen import Floats, Known, Seen


@dataclass(frozen=True, eq=False)
class Exposure:
    """The linear model, on raw embeddings."""

    weight: Floats  # [D]
    bias: float

    @classmethod
    def fit(cls, known: Known, *, strength: float = 0.003) -> Exposure:
        """From the known images and the outliers beside them.

        Args:
            known: with outliers.
            strength: scikit-learn's C on standardised features.

        Raises:
            ValueError: there are no outliers.
        """
        if known.outliers is None or not len(known.outliers.features):
            raise ValueError("outlier exposure needs outliers")
        values = np.concatenate([known.seen.features, known.outliers.features])
        labels = np.arange(len(values)) >= len(known.seen.features)
        mean, scale = standardisation(known.seen.features)
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=300)
        model.fit((values - mean) / scale, labels)
        weight = (model.coef_[0] / scale).astype(np.float32)
        return cls(weight, float(model.intercept_[0] - mean @ weight))

    def score(self, seen: Seen) -> Floats:
        """[N], logit of being an outlier."""
        found: Floats = (seen.features @ self.weight + np.float32(self.bias)).astype(np.float32)
        return found
