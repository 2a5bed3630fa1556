"""Calibration: temperature scaling, reliability tables and the expected calibration error (ECE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.metrics import as_probabilities
from poxlens.evaluate.statistic import Bools, Floats, Ints, Statistic, as_bools, as_labels, divide

Binning = Literal["mass", "width"]

TEMPERATURES = (0.05, 20.0)  # the range searched; a set that the logits order perfectly has no finite optimum


@dataclass(frozen=True)
class Bin:
    """One bin of a reliability table."""

    low: float  # the smallest probability in it
    high: float  # the largest
    n: int
    stated: float  # mean probability
    observed: float  # share that is true


def softmax(logits: ArrayLike, temperature: float = 1.0) -> Floats:
    """Probabilities [N, C] of logits [N, C] divided by the temperature (> 0)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers: Floats = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def negative_log_likelihood(logits: ArrayLike, truth: ArrayLike, temperature: float = 1.0) -> float:
    """Mean -log of the true class's probability; logits [N, C], class numbers [N]."""
    z, true = _logits(logits, truth)
    scaled = z / temperature
    peak = scaled.max(axis=1)
    normal = peak + np.log(np.exp(scaled - peak[:, None]).sum(axis=1))
    return float((normal - scaled[np.arange(true.size), true]).mean())


def fit_temperature(logits: ArrayLike, truth: ArrayLike) -> float:
    """The temperature with the least negative log likelihood (Guo et al. 2017).

    In the inverse temperature the likelihood is convex, so Newton's steps, halved into a bracket where they
    leave it, reach the one optimum. It lies within `TEMPERATURES`.

    Args:
        logits: [N, C], out-of-fold.
        truth: class numbers [N].

    Raises:
        ValueError: no rows, lengths differ, a number out of range or not finite.
    """
    z, true = _logits(logits, truth)
    centred = z - z[np.arange(true.size), true][:, None]
    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    if _slope(centred, low)[0] >= 0:
        return TEMPERATURES[1]
    if _slope(centred, high)[0] <= 0:
        return TEMPERATURES[0]
    inverse = 1.0
    for _ in range(100):
        slope, curvature = _slope(centred, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = inverse - slope / curvature if curvature > 0 else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - inverse) <= 1e-12 * inverse:
            break
        inverse = following
    return float(1 / inverse)


def ece(probability: ArrayLike, true: ArrayLike, *, bins: int = 10, binning: Binning = "mass") -> Statistic:
    """Expected calibration error: mean gap over bins of stated probability and observed share.

    Equal-mass bins (the default here) hold equally many rows each, equal probabilities together; equal-width
    bins cut 0..1 evenly, (a, b], the older convention, which leaves most bins nearly empty (Naeini 2015,
    Nixon 2019). Bins are those of the whole sample in every resample. On n rows even a perfect model gets
    about sqrt(bins / n) / 3: compare figures of equal n only.

    Args:
        probability: stated, [N], 0..1; of one class, or of the class with the highest probability.
        true: bool [N], whether it was so.
        bins: how many.
        binning: "mass" or "width".

    Raises:
        ValueError: lengths differ, bins < 1 or an unknown binning.
    """
    p = as_probabilities("probability", probability)
    y = as_bools("true", true, p.size)
    places = _places(p, bins, binning)
    cells = np.zeros((p.size, bins))
    cells[np.arange(p.size), places] = 1.0
    gaps = cells * (p - y)[:, None]

    def over(weights: Floats) -> Floats:
        return divide(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))

    return Statistic(over, np.ones(p.size, bool), (y, ~y), biased=True)


def reliability(
    probability: ArrayLike, true: ArrayLike, *, bins: int = 10, binning: Binning = "mass"
) -> tuple[Bin, ...]:
    """The bins behind `ece`, empty ones left out; arguments as there."""
    p = as_probabilities("probability", probability)
    y: Bools = as_bools("true", true, p.size)
    places = _places(p, bins, binning)
    members = [places == place for place in np.unique(places)]
    return tuple(
        Bin(float(p[m].min()), float(p[m].max()), int(m.sum()), float(p[m].mean()), float(y[m].mean()))
        for m in members
    )


def _places(p: Floats, bins: int, binning: Binning) -> Ints:
    """The bin of each row [N]."""
    if bins < 1:
        raise ValueError("bins must be at least 1")
    if binning == "width":
        return np.clip(np.ceil(p * bins).astype(np.int64) - 1, 0, bins - 1)
    if binning != "mass":
        raise ValueError(f'binning must be "mass" or "width", is "{binning}"')
    # Rank of the first row with the same probability, so that equal probabilities share a bin.
    first: Ints = np.searchsorted(np.sort(p), p, side="left").astype(np.int64)
    return first * bins // max(p.size, 1)


def _slope(centred: Floats, inverse: float) -> tuple[float, float]:
    """First and second derivative of the mean negative log likelihood in the inverse temperature."""
    p = softmax(centred * inverse)
    mean = (p * centred).sum(axis=1)
    return float(mean.mean()), float(((p * centred**2).sum(axis=1) - mean**2).mean())


def _logits(logits: ArrayLike, truth: ArrayLike) -> tuple[Floats, Ints]:
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim != 2 or z.size == 0:
        raise ValueError(f"logits must be [N, C] with N and C at least 1, has shape {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError("logits must be finite")
    return z, as_labels("truth", truth, z.shape[1], z.shape[0])
