"""The benchmark of SimCLR's steps runs and judges by its target."""

from __future__ import annotations

import json

import pytest
from benchmarks import simclr_throughput
from benchmarks.measure import Result, Side


def test_steps_and_bare_runs_are_timed_in_turns(tmp_path):
    found = simclr_throughput.measure(tmp_path, "mobilenet-v3-small", 32, 4, 2)
    assert [result.name for result in found] == [
        "mobilenet-v3-small at 32 px, 4 images in 1 part",
        "mobilenet-v3-small at 32 px, 4 images in 2 parts",
    ]
    for result in found:
        assert (result.n, result.target, result.at_most) == (2, 0.6, False)
        assert result.ratio == pytest.approx(result.ours.value / result.theirs.value)
        assert result.ours.value > 0


@pytest.mark.parametrize(("ratio", "code", "word"), [(0.85, 0, "pass"), (0.55, 1, "MISS")])
def test_a_miss_fails(monkeypatch, capsys, ratio, code, word):
    sides = (Side("a", ratio * 300, "images"), Side("b", 300.0, "images"))
    one = Result("x", ratio, 0.6, False, (ratio, ratio), 3, *sides)
    monkeypatch.setattr(simclr_throughput, "measure", lambda *arguments: [one])
    assert simclr_throughput.main([]) == code
    assert f"{word}  x: {ratio:.3f} (target ≥ 0.6; n 3" in capsys.readouterr().out
    assert simclr_throughput.main(["--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["results"][0]["met"] == (code == 0)
    assert told["machine"]["threads"] >= 1
