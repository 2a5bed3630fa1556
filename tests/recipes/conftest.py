from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.manifest import Row
from poxlens.data.patches import Patch
from poxlens.photo.skin import SkinTone
from poxlens.recipes.grouping import Grouping
from poxlens.recipes.protocol import Table
from poxlens.recipes.samples import Sample


def make_sample(
    file, possible, *, dataset="a", label="x", patient="", group="", patch=None, tone="light", usable=True
):
    """A sample without an image worth looking at."""
    from pathlib import Path

    return Sample(
        Row(file, Path(file), label, dataset=dataset, patient=patient, group=group),
        np.zeros((2, 2, 3), np.uint8),
        tuple(possible),
        SkinTone(30.0, "intermediate", tone or None, 100),
        usable,
        0.9,
        Patch(*patch) if patch else None,
    )


def make_table(
    features, possible, source, group=None, suspect=None, *, stratum=None, target_sources=None, tested=None
):
    """A table of synthetic features; without suspects but the groups."""
    count = len(features)
    source = np.asarray(source)
    group = np.arange(count) if group is None else np.asarray(group)
    linked = group[:, None] == group[None]
    grouping = Grouping(
        group, linked if suspect is None else suspect | linked, linked, np.eye(count, dtype=bool)
    )
    if stratum is None:
        stratum = np.array([f"{s}: {row.argmax()}" for s, row in zip(source, possible, strict=True)])
    if target_sources is None:
        target_sources = tuple(sorted(set(source[possible[:, 0]].tolist())))
    features = np.asarray(features, np.float32)
    return Table(
        learnt=features,
        tested=features if tested is None else np.asarray(tested, np.float32),
        possible=possible,
        stratum=stratum,
        source=source,
        weight=np.ones(count, np.float32),
        grouping=grouping,
        target_sources=target_sources,
    )


@pytest.fixture(scope="session")
def sample():
    return make_sample


@pytest.fixture(scope="session")
def table():
    return make_table
