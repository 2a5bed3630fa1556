"""Images that are only learnt from: which of them look too much like a tested image.

Public sets share photos, as crops and in other tones, and a third or more of what a second set seems to add is the same
photos. Three filters, to be reported side by side:

- `old`: what the field calls a near-duplicate is left out, similarity above .9;
- `strict`: anything that may be a crop of the same photo is left out, above .65 between sets that both hold the class
  screened for, else above .8;
- `random`: as `old`, and as many more, drawn at random, as `strict` leaves out: what is lost by their number alone.

Similarity is the greatest cosine of EfficientNet-Lite0's mean-centred features between 14 views of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.similarity import view_similarity
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.features import Source, extractor_of
from poxlens.recipes.compare.study import ExtraFilter, Study
from poxlens.recipes.grouping import Limits
from poxlens.train.views import DUPLICATE_VIEWS

Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]

NETWORK = "efficientnet-lite0"


@dataclass(frozen=True, eq=False)
class Extra:
    """The filters of a study; links are [N, N], True where two images may be one photo."""

    filters: tuple[ExtraFilter, ...]
    old: Bools
    strict: Bools
    seed: int

    def kept(self, others: Rows, test: Rows, repeat: int, fold: int) -> Mapping[str, Rows]:
        """For each filter, those of `others` that may be learnt from while `test` is tested; ascending."""
        if not self.filters:
            return {}
        near = others[~self.old[np.ix_(others, test)].any(1)]
        far = others[~self.strict[np.ix_(others, test)].any(1)]  # part of `near`
        found: dict[str, Rows] = {}
        if "old" in self.filters:
            found["old"] = near
        if "strict" in self.filters:
            found["strict"] = far
        if "random" in self.filters:
            random = np.random.default_rng([self.seed, repeat, fold])
            found["random"] = np.sort(random.permutation(near)[: len(far)])
        return found


def no_extra() -> Extra:
    """Of a study that learns from its tested data sets alone."""
    return Extra((), np.zeros((0, 0), bool), np.zeros((0, 0), bool), 0)


def needs_extra(study: Study) -> bool:
    """Whether a study learns from data sets that it does not test."""
    return bool(study.images.extra_datasets) and set(study.images.extra_filters) != {"without"}


def find_extra(study: Study, cases: Cases, source: Source, advance: Callable[[int], None]) -> Extra:
    """The filters that a study asks for.

    Args:
        study: the study.
        cases: its images.
        source: weights and folders.
        advance: called with 1 after each image.

    Raises:
        WeightsError: the weights of EfficientNet-Lite0 are missing.
    """
    if not needs_extra(study):
        return no_extra()
    extractor = extractor_of(NETWORK, cases.images.shape[1], source)
    views = extractor.table(cases.images, DUPLICATE_VIEWS, workers=source.workers, advance=advance)
    return links(study, cases, view_similarity(views))


def links(study: Study, cases: Cases, similarity: NDArray[np.float16]) -> Extra:
    """The filters from the [N, N] similarity of a study's images."""
    limits = Limits()
    data = np.array([row.dataset for row in cases.rows])
    target = cases.truth == cases.classes.index(study.images.target)
    holds = np.isin(data, np.unique(data[target]))
    limit = np.where(holds[:, None] & holds[None], limits.suspect_target, limits.suspect)
    return Extra(
        study.images.extra_filters, similarity > limits.loose, similarity > limit, study.protocol.seed
    )
