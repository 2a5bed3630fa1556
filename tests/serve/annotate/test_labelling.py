"""One run of the page: saved at once, undo, two windows, other writers, going on later."""

from __future__ import annotations

import os
from typing import Any

import pytest

from poxlens.data.annotate.tables import read_labels, write_labels
from poxlens.errors import AnnotationError
from poxlens.serve.annotate.alone import alone
from poxlens.serve.annotate.session import AnswerError, Labelling, MovedOnError, UnsavedError


def test_an_answer_is_on_disk_when_it_is_given(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or fsync(handle))
    session = desk.session()
    told = session.answer(1, "body_site", "close", revision=0)
    assert told == {
        "index": 1, "undo": 1, "state": {"labels": {"body_site": "close", "range": "close"}, "revision": 1},
    }  # fmt: skip
    assert len(synced) == 1
    assert desk.rows() == ["b.jpg,close,close,"]
    session.answer(1, "stage", "later", revision=1)
    assert session.counts() == {"images": 5, "labelled": 1, "open": 4}


def test_one_goes_on_where_one_stopped(desk: Any) -> None:
    desk.session().answer(0, "stage", "later", revision=0)
    again = desk.session()
    assert again.look()["states"][0]["labels"] == {"stage": "later"}
    assert again.look()["undo"] == 0, "what was answered before the program started is changed, not undone"
    again.answer(0, "stage", "earlier", revision=again.look()["states"][0]["revision"])
    assert desk.rows() == ["a.jpg,,,earlier"]


def test_undo_goes_back_answer_by_answer(desk: Any) -> None:
    session = desk.session()
    session.answer(0, "body_site", "close", revision=0)
    session.answer(0, "body_site", "hand", revision=1)
    session.answer(2, "stage", "later", revision=0)
    assert session.undo(3) == {"index": 2, "undo": 2, "state": {"labels": {}, "revision": 2}}
    assert session.undo(2)["state"]["labels"] == {"body_site": "close", "range": "close"}
    assert session.undo(1)["state"]["labels"] == {}
    assert desk.rows() == []
    with pytest.raises(AnswerError, match="nothing to take back"):
        session.undo(0)


def test_an_answer_or_undo_sent_twice_counts_once(desk: Any) -> None:
    session = desk.session()
    first = session.answer(0, "stage", "later", revision=0)
    assert session.answer(0, "stage", "later", revision=0) == first
    session.answer(0, "range", "close", revision=1)
    session.undo(2)
    with pytest.raises(MovedOnError):
        session.undo(2)
    assert desk.rows() == ["a.jpg,,,later"]


def test_an_answer_on_an_old_view_is_refused(desk: Any) -> None:
    session = desk.session()
    session.answer(0, "stage", "later", revision=0)
    with pytest.raises(MovedOnError, match=r"a\.jpg: was labelled in another window"):
        session.answer(0, "stage", "earlier", revision=0)
    assert desk.rows() == ["a.jpg,,,later"]


def test_what_another_program_wrote_is_seen_and_not_lost(desk: Any) -> None:
    session = desk.session()
    session.answer(0, "stage", "later", revision=0)
    theirs = read_labels(desk.out, desk.scheme) | {
        "b.jpg": {"stage": "unclear"},
        "other.jpg": {"stage": "later"},
    }
    write_labels(desk.out, desk.scheme, theirs)
    look = session.look()
    assert look["states"][1] == {"labels": {"stage": "unclear"}, "revision": 1}
    assert look["states"][0]["revision"] == 1
    assert look["undo"] == 0
    session.answer(2, "stage", "earlier", revision=0)
    assert desk.rows() == ["a.jpg,,,later", "b.jpg,,,unclear", "other.jpg,,,later", "c.jpg,,,earlier"]


@pytest.mark.parametrize(
    ("index", "name", "value", "told"),
    [
        (5, "stage", "later", "There is no image 5"),
        (-1, "stage", "later", "There is no image -1"),
        (0, "colour", "red", r'a\.jpg: there is no label "colour"'),
        (0, "stage", "late", r'a\.jpg: "late" is no stage'),
    ],
)
def test_an_answer_without_sense(desk: Any, index: int, name: str, value: str, told: str) -> None:
    with pytest.raises(AnswerError, match=told):
        desk.session().answer(index, name, value, revision=0)
    assert desk.rows() == []


def test_what_cannot_be_written_does_not_count(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.session()
    session.answer(0, "stage", "later", revision=0)
    with monkeypatch.context() as full:
        full.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(UnsavedError) as fault:
            session.answer(0, "range", "close", revision=1)
        assert fault.value.client_message == "labels.csv cannot be written: No space left on device."
    assert session.look()["states"][0] == {"labels": {"stage": "later"}, "revision": 1}
    assert session.answer(0, "range", "close", revision=1)["state"]["revision"] == 2


def test_a_table_that_labelling_would_damage_is_refused(desk: Any) -> None:
    desk.out.write_text("file,body_site,range,stage,grade\n")
    with pytest.raises(AnnotationError, match="columns that labelling would lose: grade"):
        desk.session()


def test_one_program_at_a_time(desk: Any) -> None:
    pytest.importorskip("fcntl")
    with alone(desk.out):
        with (
            pytest.raises(AnnotationError, match=r"labels\.csv: another `poxlens data annotate`"),
            alone(desk.out),
        ):
            raise AssertionError("two at a time")
        Labelling(desk.out, desk.scheme, desk.items, desk.root).answer(0, "stage", "later", revision=0)
    with alone(desk.out):
        pass
    assert [path.name for path in desk.out.parent.iterdir() if path.is_file()] == ["labels.csv"]
