"""The detectors that a study can ask for, by name; one direction of score: higher = less like the known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from scipy.special import softmax

from poxlens.train.novelty.combined import fit_combined
from poxlens.train.novelty.energy import Energy
from poxlens.train.novelty.exposure import Exposure
from poxlens.train.novelty.gate import Gate, fit_gate
from poxlens.train.novelty.mahalanobis import Gaussian, Mahalanobis
from poxlens.train.novelty.neighbours import Neighbours
from poxlens.train.novelty.padim import Padim
from poxlens.train.novelty.patchcore import PatchCore
from poxlens.train.novelty.seen import Detector, Fit, Floats, Ints, Known, Seen, logits_of
from poxlens.train.novelty.softmax import MaximumSoftmax
from poxlens.train.novelty.subspace import Subspace
from poxlens.train.novelty.vim import VirtualLogit


@dataclass(frozen=True, eq=False)
class Material:
    """What detectors of one unit learn from."""

    known: Known
    tested: Floats  # [N, D], the known images as a runtime computes them
    groups: Ints  # [N]
    target: int  # class number of the target in the logits
    outliers: Mapping[str, Floats]  # family -> embeddings that may be learnt from
    gaussians: dict[bool, Gaussian] = field(default_factory=dict)  # with labels or not, fitted once

    def gaussian(self, *, labels: bool) -> Gaussian:
        """Of the known images; three detectors share it."""
        if labels not in self.gaussians:
            truth = self.known.truth if labels else None
            self.gaussians[labels] = Gaussian.fit(self.known.seen.features, truth)
        return self.gaussians[labels]


@dataclass(frozen=True)
class Method:
    """One detector as a study fits it."""

    fit: str  # what is done, for the report
    labels: bool = False  # needs the classes of the known images
    patches: bool = False  # needs the places of the feature map
    outliers: bool = False  # learns from pictures that are of no class


@dataclass(frozen=True, eq=False)
class _Residual:
    """The PCA residual as a detector."""

    subspace: Subspace

    def score(self, seen: Seen) -> Floats:
        return self.subspace.score(seen.features)


@dataclass(frozen=True, eq=False)
class _Gate:
    """The bundle's gate as a detector."""

    gate: Gate

    def score(self, seen: Seen) -> Floats:
        return self.gate.score(seen.features)


@dataclass(frozen=True)
class _NotTarget:
    """1 - the probability of the target: what a classifier says of "mpox or not"."""

    target: int

    def score(self, seen: Seen) -> Floats:
        found: Floats = (1 - softmax(logits_of(seen), axis=1)[:, self.target]).astype(np.float32)
        return found


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "softmax": Method("1 - the largest probability", labels=True),
        "energy": Method("free energy of the logits", labels=True),
        "not-target": Method("1 - the probability of the target", labels=True),
        "mahalanobis": Method("to the nearest class", labels=True),
        "relative-mahalanobis": Method("to the nearest class, less that to all", labels=True),
        "mahalanobis-unlabelled": Method("one Gaussian of all"),
        "neighbours": Method("5th nearest, embeddings of length 1"),
        "residual": Method("PCA, 64 directions: the gate shipped so far"),
        "vim": Method("virtual logit, 64 directions", labels=True),
        "padim": Method("one Gaussian of all places", patches=True),
        "patchcore": Method("512 places", patches=True),
        "energy+neighbours": Method("the larger of both on one scale", labels=True),
        "exposure": Method("a linear model against outliers of other kinds", outliers=True),
        "gate": Method("centres, and a linear model a family of outliers", outliers=True),
    }
)


def fit(name: str, material: Material) -> Detector:
    """A fitted detector of this name.

    Raises:
        KeyError: there is none.
        TrainingError: it cannot learn from this.
    """
    known = material.known
    if name == "residual":
        return _Residual(Subspace.fit(known.seen.features))
    if name == "gate":
        return _Gate(fit_gate(known.seen.features, material.tested, material.groups, material.outliers))
    if name == "not-target":
        return _NotTarget(material.target)
    if name == "energy+neighbours":
        parts: dict[str, Fit] = {"energy": Energy.fit, "neighbours": Neighbours.fit}
        seen = replace(known.seen, features=material.tested)
        return fit_combined(parts, replace(known, seen=seen), material.groups)
    if name == "exposure":
        together = np.concatenate([values for values in material.outliers.values() if len(values)])
        return Exposure.fit(replace(known, outliers=Seen(together)), strength=0.001)
    if name in _GAUSSIAN:
        labels, relative = _GAUSSIAN[name]
        background = material.gaussian(labels=False) if relative else None
        return Mahalanobis(material.gaussian(labels=labels), background)
    return _PLAIN[name](known)


_GAUSSIAN = {
    "mahalanobis": (True, False),
    "relative-mahalanobis": (True, True),
    "mahalanobis-unlabelled": (False, False),
}
"""Name -> with labels, and relative to all."""

_PLAIN: dict[str, Fit] = {
    "softmax": MaximumSoftmax.fit,
    "energy": Energy.fit,
    "neighbours": Neighbours.fit,
    "vim": VirtualLogit.fit,
    "padim": Padim.fit,
    "patchcore": PatchCore.fit,
}
