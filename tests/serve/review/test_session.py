"""What stands for each image: saving, undoing, two windows, two servers, a full disk."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from poxlens.data.curate.decisions import append_decision, current, decide, read_decisions
from poxlens.errors import CurationError
from poxlens.serve.review import session as module
from poxlens.serve.review.session import ConflictError, DecisionError, SaveError


def _actions(session: Any) -> list[str | None]:
    return [None if one.decision is None else one.decision.action for one in session.standing()]


def test_a_decision_is_one_line_with_what_the_person_saw(sheet: Any, session: Any) -> None:
    told = session.record(0, "accept", None, revision=0)
    session.record(1, "crop", (10, 20, 150), revision=0)
    session.record(2, "reject", None, revision=0)
    lines = [json.loads(line) for line in sheet.decisions.read_text().splitlines()]
    assert [(x["file"], x["action"], x["box"], x["by"]) for x in lines] == [
        ("mpox/a.jpg", "accept", [200, 120, 240], "tester"),
        ("mpox/b.jpg", "crop", [10, 20, 150], "tester"),
        ("acne/c.none.jpg", "reject", None, "tester"),
    ]
    assert [x["sha256"] for x in lines] == [p.sha256 for p in sheet.proposals.proposals[:3]]
    shown = {"action": "accept", "box": (200, 120, 240), "by": "tester"}
    assert told == {"lines": 1, "last": 0, "changed": [{"index": 0, "revision": 1, "decision": shown}]}


def test_what_was_decided_is_there_again(sheet: Any, session: Any) -> None:
    session.record(0, "accept", None, revision=0)
    session.record(1, "reject", None, revision=0)
    again = sheet.session()
    assert _actions(again) == ["accept", "reject", None, None, None]
    assert [one.revision for one in again.standing()] == [1, 1, 0, 0, 0]


def test_undo_goes_back_through_all_decisions_in_their_order(sheet: Any, session: Any) -> None:
    session.record(0, "accept", None, revision=0)
    session.record(1, "reject", None, revision=0)
    session.record(0, "crop", (0, 0, 300), revision=1)
    last, revisions = [], {0: 2, 1: 1}
    while (index := session.look()["last"]) is not None:
        last.append((index, _actions(session)[:2]))
        session.record(index, "undo", None, revision=revisions[index])
        revisions[index] += 1
    assert last == [(0, ["crop", "reject"]), (1, ["accept", "reject"]), (0, ["accept", None])]
    assert _actions(session) == [None] * 5
    assert len(sheet.decisions.read_text().splitlines()) == 6, "nothing is ever taken out of the file"
    with pytest.raises(DecisionError, match="no decision to undo"):
        session.record(0, "undo", None, revision=4)


def test_a_view_that_is_no_longer_right_is_told(session: Any) -> None:
    session.record(0, "accept", None, revision=0)
    with pytest.raises(ConflictError, match=r"mpox/a\.jpg.*another window"):
        session.record(0, "reject", None, revision=0)
    assert _actions(session)[0] == "accept"
    assert len(session.record(0, "reject", None, revision=1)["changed"]) == 1


def test_the_same_decision_sent_twice_is_written_once(sheet: Any, session: Any) -> None:
    for _ in range(2):
        told = session.record(1, "crop", (10, 20, 150), revision=0)
    assert told["lines"] == 1
    session.record(1, "undo", None, revision=1)
    assert session.record(1, "undo", None, revision=1)["lines"] == 2
    assert len(sheet.decisions.read_text().splitlines()) == 2


def test_another_server_on_the_folder_is_seen(sheet: Any, session: Any) -> None:
    other = sheet.session(by="other")
    session.record(0, "accept", None, revision=0)
    assert _actions(other)[0] == "accept"
    with pytest.raises(ConflictError):
        other.record(0, "reject", None, revision=0)
    assert other.record(1, "reject", None, revision=0, since=0)["lines"] == 2
    told = session.look(since=1)
    assert [one["index"] for one in told["changed"]] == [1]
    assert told["changed"][0]["decision"]["by"] == "other"


def test_a_line_that_another_server_slips_in_is_seen(
    sheet: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = decide("mpox/b.jpg", sheet.proposals.proposals[1].sha256, "reject", by="other")

    def slipped(path: Path, decision: Any) -> None:
        append_decision(path, other)
        append_decision(path, decision)

    monkeypatch.setattr(module, "append_decision", slipped)
    told = session.record(0, "accept", None, revision=0)
    assert told["lines"] == 2
    assert _actions(session)[:2] == ["accept", "reject"]


def test_many_windows_at_once_lose_nothing(sheet: Any, session: Any) -> None:
    others = [session, sheet.session(), sheet.session(), session, sheet.session()]
    threads = [
        threading.Thread(target=one.record, args=(index, "reject", None), kwargs={"revision": 0})
        for index, one in enumerate(others)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_decisions(sheet.decisions).decisions) == 5
    assert _actions(session) == ["reject"] * 5


def test_a_full_disk_is_told_and_the_decision_does_not_count(
    sheet: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.record(0, "accept", None, revision=0)
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if b"mpox/b.jpg" in bytes(data):
            write(handle, data[:30])
            raise OSError(28, "No space left on device")
        return write(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(SaveError, match="No space left on device") as fault:
            session.record(1, "reject", None, revision=0)
    assert str(sheet.folder) not in fault.value.client_message
    assert _actions(session) == ["accept", None, None, None, None]
    session.record(1, "reject", None, revision=0)
    assert _actions(sheet.session())[:2] == ["accept", "reject"]
    assert sorted(current(read_decisions(sheet.decisions).decisions)) == ["mpox/a.jpg", "mpox/b.jpg"]


@pytest.mark.parametrize(
    ("index", "action", "box", "told"),
    [
        (9, "accept", None, "no image 9"),
        (-1, "accept", None, "no image -1"),
        (2, "accept", None, "no crop is proposed"),
        (0, "crop", None, "not \\[left, top, side\\]"),
        (0, "crop", [1, 2], "not \\[left, top, side\\]"),
        (0, "crop", [1.5, 2, 200], "whole pixels"),
        (0, "crop", [600, 400, 200], "not inside an image of 640 x 480"),
        (0, "crop", [-1, 0, 200], "not inside"),
        (0, "crop", [0, 0, 99], "99 px is under the least side of 100 px"),
        (0, "delete", None, "action must be one of"),
    ],
)
def test_a_decision_that_makes_no_sense_is_not_written(
    sheet: Any, session: Any, index: int, action: str, box: Any, told: str
) -> None:
    with pytest.raises(DecisionError, match=told):
        session.record(index, action, box, revision=0)
    assert not sheet.decisions.exists()


def test_a_decision_on_other_bytes_of_a_file_does_not_count(sheet: Any) -> None:
    append_decision(sheet.decisions, decide("mpox/a.jpg", "f" * 64, "reject"))
    append_decision(sheet.decisions, decide("gone/x.jpg", "f" * 64, "reject"))
    session = sheet.session()
    assert _actions(session) == [None] * 5
    assert session.record(0, "accept", None, revision=0)["lines"] == 1


def test_a_decisions_file_that_is_none_is_named_with_its_line(sheet: Any) -> None:
    sheet.decisions.write_text('{"time": "now"}\n')
    with pytest.raises(CurationError, match=r"decisions\.jsonl, line 1"):
        sheet.session()
