"""Finished tasks are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from poxlens.recipes.default import Where
from poxlens.recipes.leak.run import experiment
from poxlens.recipes.leak.tasks import Task


def test_a_finished_task_is_not_computed_again(random_labels, plan, tmp_path, monkeypatch):
    from poxlens.recipes.leak import tasks

    done = []
    compute = tasks._computed
    monkeypatch.setattr(tasks, "_computed", lambda task, *rest: done.append(task) or compute(task, *rest))
    small = replace(plan, heads=("1-nn",))
    where = Where(tmp_path, workers=1)
    first = experiment(*random_labels, small, where)
    count = len(done)
    assert count == 3 * 2 + 2 * 2
    assert Task("common", 0, 0) in done
    second = experiment(*random_labels, small, where)
    assert len(done) == count
    for one, again in zip(first, second, strict=True):
        assert np.array_equal(one.probability, again.probability)
    damaged = sorted((tmp_path / "parts").iterdir())[0]
    damaged.write_bytes(damaged.read_bytes()[:50])
    experiment(*random_labels, small, where)
    assert len(done) == count + 1
    made, features = random_labels
    experiment(made, features + np.float32(1), small, where)  # other features are another run
    assert len(done) == 2 * count + 1
