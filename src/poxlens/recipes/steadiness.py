"""What eight bits do to the features of a run's images, for heads that are to decide the same in floats and in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import ExportError
from poxlens.export.calibration import FEWEST, chosen
from poxlens.export.prepared import Step, eight_bit_backbone
from poxlens.recipes.protocol import Table
from poxlens.train.backbones import Backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.stored import Stored
from poxlens.train.views import View

CALIBRATION = 100  # images that ranges are read off, as `poxlens export` chooses them


def with_disturbances(
    table: Table,
    images: list[NDArray[np.uint8]],
    backbone: Backbone,
    stored: Stored,
    cache: FeatureCache,
    step: Step,
    *,
    workers: int = 1,
) -> Table:
    """The table with what a form in eight bits makes of each image's features, less what floats make of them.

    No label is looked at. A network that does not bear eight bits, or too few images to read ranges off, leave the
    table as it is: there is no such form then that a head could be steady for.

    Args:
        table: the samples.
        images: of the samples, each [S, S, 3] uint8.
        backbone: image -> features.
        stored: the same as heads learn from it.
        cache: of features.
        step: shows progress.
        workers: images computed at once.
    """
    known = np.flatnonzero(table.learnable)
    places = known[chosen(table.grouping.group[known], table.stratum[known], CALIBRATION)]
    if backbone.own_pooling or len(places) < FEWEST:
        return table
    try:
        eight = eight_bit_backbone(backbone, stored, np.stack([images[i] for i in places]), step)
    except ExportError:
        return table
    with step("features in eight bits", len(images)) as done:
        features = Extractor(eight, cache).table(images, (View(),), workers=workers, advance=done)
    return replace(table, disturbed=features[:, 0] - table.tested)
