"""Decisions: append-only, durable, torn lines tolerated, undo by file."""

from __future__ import annotations

import json

import pytest

from poxlens.data.curate.decisions import append_decision, current, decide, read_decisions
from poxlens.errors import CurationError


def test_what_is_appended_is_read_back(tmp_path):
    path = tmp_path / "decisions.jsonl"
    made = [
        decide("a.jpg", "0" * 64, "accept", (1, 2, 300), by="eve"),
        decide("b.jpg", "1" * 64, "reject"),
        decide("ü.jpg", "2" * 64, "crop", (0, 0, 224), by="eve"),
    ]
    for one in made:
        append_decision(path, one)
    found = read_decisions(path)
    assert found.decisions == tuple(made)
    assert found.torn == ""
    assert [json.loads(line)["action"] for line in path.read_text().splitlines()] == [
        "accept",
        "reject",
        "crop",
    ]


def test_no_file_is_no_decision(tmp_path):
    assert read_decisions(tmp_path / "decisions.jsonl").decisions == ()


def test_undo_takes_back_the_latest_standing_decision_of_its_file():
    log = [
        decide("a", "", "accept", (0, 0, 9)),
        decide("b", "", "reject"),
        decide("a", "", "reject"),
        decide("a", "", "undo"),
    ]
    assert {file: one.action for file, one in current(log).items()} == {"a": "accept", "b": "reject"}
    again = [*log, decide("a", "", "undo"), decide("a", "", "undo")]  # one undo too many does nothing
    assert {file: one.action for file, one in current(again).items()} == {"b": "reject"}


@pytest.mark.parametrize("cut", [1, 10, 60, 200])
def test_a_torn_last_line_is_told_and_the_next_decision_is_whole(tmp_path, cut):
    path = tmp_path / "decisions.jsonl"
    first, lost, next_one = (decide(name, "3" * 64, "reject") for name in "abc")
    append_decision(path, first)
    size = path.stat().st_size
    append_decision(path, lost)
    data = path.read_bytes()
    path.write_bytes(data[: min(size + cut, len(data) - 2)])
    torn = read_decisions(path)
    assert torn.decisions == (first,)
    assert torn.torn
    assert data[size:].decode().startswith(torn.torn)
    append_decision(path, next_one)
    assert read_decisions(path).decisions == (first, next_one)


def test_a_whole_line_that_is_no_decision_is_named(tmp_path):
    path = tmp_path / "decisions.jsonl"
    append_decision(path, decide("a", "", "reject"))
    with path.open("a") as stream:
        stream.write('{"time": "", "file": "b", "sha256": "", "action": "bless", "box": null, "by": ""}\n')
    with pytest.raises(CurationError, match=r"line 2.*bless"):
        read_decisions(path)


@pytest.mark.parametrize(
    ("action", "box"), [("accept", None), ("crop", None), ("reject", (0, 0, 5)), ("bless", None)]
)
def test_a_decision_that_makes_no_sense_is_not_made(action, box):
    with pytest.raises(ValueError, match=action):
        decide("a", "", action, box)
