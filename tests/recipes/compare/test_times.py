from __future__ import annotations

import json

from poxlens.recipes.compare.run import compare
from poxlens.recipes.compare.times import read_times


def test_every_start_of_a_study_is_timed_step_by_step(study_of, where):
    study = study_of(learning={"shares": [0.5, 1.0]})
    out = compare(study, where(jobs=1)).out
    compare(study, where(jobs=2), learning_curve=True)
    first, second = read_times(out)
    assert (first["jobs"], second["jobs"], first["engine"]) == (1, 2, "local")
    steps = {one["step"]: one for one in first["steps"]}
    assert list(steps) == ["reading images", "features of one", "networks, settings and folds"]
    assert steps["networks, settings and folds"]["count"] == 4
    assert 0 < sum(one["seconds"] for one in first["steps"]) <= first["seconds"] + 0.2
    assert [one["count"] for one in second["steps"][-2:]] == [0, 4]


def test_a_damaged_record_of_times_costs_only_itself(study_of, where):
    out = compare(study_of(), where()).out
    for text in ("{", "[1]", json.dumps([{"seconds": "long", "jobs": 1, "cores": 2}])):
        (out / "times.json").write_text(text)
        assert read_times(out) == []
    compare(study_of(), where())
    assert len(read_times(out)) == 1
