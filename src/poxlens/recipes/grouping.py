"""Which images belong together, and which may not be learnt from while another is tested.

Two levels, both from the greatest cosine between any views of two images (poxlens.data.similarity):
images of one group stand on one side of every split; suspects of a test image are left out of training as
well. The limits follow what was seen by eye on MSLD and MSID: of pairs across sets above .85 nearly all are one
photo, at .80-.85 half, and crops of one photo reach down to .65.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.similarity import connected_groups, same
from poxlens.recipes.samples import Sample

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Limits:
    """Similarities above which images belong together."""

    group: float = 0.80  # within a source
    group_patients: float = 0.85  # within a source that names its patients
    suspect: float = 0.80  # across sources
    suspect_target: float = 0.65  # across sources that both hold the target class (strict filter)
    loose: float = 0.90  # what the field calls a near-duplicate; for comparison only


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups and suspects of N samples."""

    group: NDArray[np.int64]  # [N]
    suspect: Bools  # [N, N], strict
    alike: Bools  # [N, N], as alike as images of one group, across sources too
    loose: Bools  # [N, N], only what is near-identical

    def strict(self, test: Bools) -> Bools:
        """[N], True where a sample may be learnt from while `test` [N] is tested."""
        linked = self.suspect[:, test].any(1) | np.isin(self.group, self.group[test])
        return ~(linked | test)

    def grouped(self, test: Bools) -> Bools:
        """As `strict`, but across sources too only images as alike as those of a group are left out."""
        linked = self.alike[:, test].any(1) | np.isin(self.group, self.group[test])
        return ~(linked | test)

    def lenient(self, test: Bools) -> Bools:
        """As `strict`, but only near-identical images and images of the same file or patient are left out."""
        return ~(self.loose[:, test].any(1) | test)


def find_groups(
    samples: Sequence[Sample], similarity: NDArray[np.float16], target: str, limits: Limits | None = None
) -> Grouping:
    """Groups and suspects.

    Groups of the table, such as those that `poxlens data duplicates` confirms, hold across sources. The loose filter
    does without them, as the field does.

    Args:
        samples: N samples.
        similarity: [N, N] of `view_similarity`.
        target: the class that is screened for.
        limits: the similarities to use.
    """
    limits = limits or Limits()
    source = np.array([sample.row.dataset for sample in samples])
    named = np.array([bool(sample.row.patient) for sample in samples])
    holding = {sample.row.dataset for sample in samples if target in sample.possible}
    holds = np.isin(source, list(holding))
    within = source[:, None] == source[None]
    known = same([sample.row.file for sample in samples]) | same(
        [sample.row.person if sample.row.patient else "" for sample in samples]
    )
    surely = known | same([sample.row.group for sample in samples])
    alike = np.where(named[:, None] & named[None], limits.group_patients, limits.group)
    linked = surely | (within & (similarity > alike))
    across = np.where(holds[:, None] & holds[None], limits.suspect_target, limits.suspect)
    suspect = linked | (~within & (similarity > across))
    return Grouping(
        connected_groups(linked),
        suspect,
        linked | (similarity > limits.group),
        known | (similarity > limits.loose),
    )
