"""Temperature scaling without a leak: the temperature of a fold is fitted on the predictions of the other folds."""

from __future__ import annotations

import numpy as np

from poxlens.evaluate.calibration import fit_temperature, softmax
from poxlens.evaluate.statistic import Floats, Ints

LEAST = 1e-6  # predictions.csv has six digits; a probability of 0 there is anything below this


def recalibrate(probabilities: Floats, truth: Ints, fold: Ints) -> tuple[Floats, Floats]:
    """Probabilities after temperature scaling (Guo et al. 2017), cross-fitted over folds.

    Args:
        probabilities: out-of-fold, [N, C].
        truth: class numbers [N].
        fold: the fold that tested each image [N].

    Returns:
        The probabilities [N, C], and the temperature of each fold [F] in the order of fold numbers.

    Raises:
        ValueError: fewer than two folds.
    """
    numbers = np.unique(fold)
    if numbers.size < 2:
        raise ValueError("one fold alone has no other to fit a temperature on")
    logits = np.log(np.clip(probabilities, LEAST, 1.0))
    found = np.empty_like(logits)
    temperatures = np.empty(numbers.size)
    for place, number in enumerate(numbers):
        tested = fold == number
        temperatures[place] = fit_temperature(logits[~tested], truth[~tested])
        found[tested] = softmax(logits[tested], float(temperatures[place]))
    return found, temperatures
