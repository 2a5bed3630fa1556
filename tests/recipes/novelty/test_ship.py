from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from poxlens.errors import TrainingError
from poxlens.photo.resize import InputRule
from poxlens.recipes.novelty import ship

SIZE = 12


class Mean:
    """An embedding that depends on colours alone: enough to tell drawings from a cloud far off."""

    def pooled(self, images):
        means = images.reshape(len(images), -1, 3).mean(1) / 64
        return np.tile(means, (1, SIZE // 3)).astype(np.float32) + np.float32(20)


@pytest.fixture
def prepared(cases, monkeypatch):
    """Known images around 0..4, probes far off, pictures by their colours."""
    random = np.random.default_rng(0)
    table, count = cases.table, len(cases.table.source)
    probes = 20
    learnt = random.normal(2, 1, (count + probes, SIZE)).astype(np.float32)
    learnt[count:, 0] += 30
    total = count + probes
    group = np.r_[table.grouping.group, 10_000 + np.arange(probes)]
    linked = group[:, None] == group[None]
    grouping = type(table.grouping)(group, linked, linked, np.eye(total, dtype=bool))
    possible = np.r_[table.possible, np.zeros((probes, table.possible.shape[1]), bool)]
    made = SimpleNamespace(
        learnt=learnt,
        tested=learnt,
        possible=possible,
        target_sources=tuple(np.unique(table.source[table.possible[:, 0]])),
        source=np.r_[table.source, np.full(probes, "scope")],
        grouping=grouping,
    )
    monkeypatch.setattr(ship, "sample_photos", lambda seed: ([], []))
    close = possible.any(1)
    close[:4] = False  # photos of whole people
    return SimpleNamespace(
        table=made,
        close=close,
        probe=~possible.any(1),
        extractor=Mean(),
        labels=SimpleNamespace(
            classes=("mpox", "chickenpox", "measles", "hfmd", "acne", "other-rash", "healthy")
        ),
        recipe=SimpleNamespace(rule=InputRule(64), jpeg_quality=85, target="mpox", probes={"scope": probes}),
    )


def test_what_is_shipped(prepared):
    shipped = ship.gate_of(prepared, drawings=3)
    known = prepared.close
    assert (shipped.novelty[known] <= shipped.limit).mean() >= 0.95
    target = known & prepared.table.possible[:, 0]
    assert (shipped.novelty[target] <= shipped.limit).mean() >= 0.95
    assert (shipped.novelty[prepared.probe] > shipped.limit).all()
    assert (shipped.pictures > shipped.limit).mean() > 0.9
    assert len(shipped.pictures) == len(shipped.kinds) == 15
    assert np.isfinite(shipped.novelty).all()
    figures = {(one.name, one.group): one.interval for one in ship.figures_of(shipped, prepared)}
    assert figures["refused as novel", "scope, another kind of photo"].value == 1
    assert figures["refused as novel", "pictures that are not skin"].n == 15


def test_novelty_is_of_gates_that_did_not_know_the_image(prepared):
    """An image moved far off is far off for its own gate too: it never learnt it."""
    row = np.flatnonzero(prepared.close)[10]
    mates = prepared.table.grouping.group == prepared.table.grouping.group[row]
    prepared.table.learnt[mates, 1] -= 400
    shipped = ship.gate_of(prepared, drawings=3)
    assert shipped.novelty[row] >= np.quantile(shipped.novelty[prepared.close], 0.98)


def test_a_source_left_out_is_told_by_a_gate_that_learnt_nothing_of_it(prepared):
    """Its photos lie apart: a gate that learnt from their like accepts them, one that did not refuses every one."""
    name = prepared.table.target_sources[0]
    here = prepared.close & (prepared.table.source == name)
    prepared.table.learnt[here, 1] -= 60
    shipped = ship.gate_of(prepared, drawings=3)
    assert set(shipped.unseen) == set(prepared.table.target_sources)
    assert (shipped.novelty[here] <= shipped.limit).mean() > 0.9
    assert (shipped.unseen[name][here] > shipped.limit).all()


def test_without_probes(prepared):
    prepared.probe[:] = False
    with pytest.raises(TrainingError, match="none"):
        ship.gate_of(prepared)
