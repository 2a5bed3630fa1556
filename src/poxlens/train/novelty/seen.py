"""What a detector may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Seen:
    """N images as a network and a head see them."""

    features: Floats  # [N, D], embeddings
    logits: Floats | None = None  # [N, C], of a head that learnt from the known images
    patches: Floats | None = None  # [N, P, E], embeddings of P places of the feature map

    def rows(self, chosen: NDArray[Any]) -> Seen:
        """Some of the images, by place or by mask."""
        return replace(
            self,
            features=self.features[chosen],
            logits=None if self.logits is None else self.logits[chosen],
            patches=None if self.patches is None else self.patches[chosen],
        )


@dataclass(frozen=True, eq=False)
class Known:
    """What a detector learns from."""

    seen: Seen
    truth: Ints  # [N], class numbers from 0, each of which occurs; -1 where it is not sure
    weight: Floats | None = None  # [D, C], of the linear head that gave the logits
    bias: Floats | None = None  # [C]
    outliers: Seen | None = None  # images known to be of no class, for detectors that may learn from some


class Detector(Protocol):
    """A fitted detector."""

    def score(self, seen: Seen) -> Floats:
        """[N], higher = less like what was learnt from."""


Fit = Callable[[Known], Detector]
Methods = Mapping[str, Fit]


def logits_of(seen: Seen) -> Floats:
    """The logits.

    Raises:
        ValueError: there are none.
    """
    if seen.logits is None:
        raise ValueError("this detector needs the logits of a head")
    return seen.logits


def patches_of(seen: Seen) -> Floats:
    """The patches.

    Raises:
        ValueError: there are none.
    """
    if seen.patches is None:
        raise ValueError("this detector needs the embeddings of places of the feature map")
    return seen.patches
