"""Curves as a table, and as event files that can be read back."""

from __future__ import annotations

import struct
import sys

import pytest

from poxlens.errors import MissingExtraError
from poxlens.train.supervised.curves import Epoch, EventLog, read_curves, write_curves

HISTORY = [Epoch(2.0, 0.25, 1.5, 0.5, 0.01, 3.0), Epoch(1.0, 0.5, 1.25, 0.625, 0.005, 2.5)]


def test_a_table_is_read_back(tmp_path):
    write_curves(tmp_path / "curves.csv", HISTORY)
    assert read_curves(tmp_path / "curves.csv") == HISTORY
    head, first, *_ = (tmp_path / "curves.csv").read_text().splitlines()
    assert head == "epoch,loss,accuracy,validation_loss,validation_accuracy,rate,seconds"
    assert first == "1,2,0.25,1.5,0.5,0.01,3"


def scalars(folder):
    """Tag, step and value of all records, read without the package that wrote them (TFRecord framing)."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for file in folder.iterdir():
        data, at = file.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack("<Q", data[at : at + 8])
            event = Event.FromString(data[at + 12 : at + 12 + length])
            found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
            at += 16 + length
    return found


def test_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    log = EventLog(tmp_path / "events")
    for number, epoch in enumerate(HISTORY, start=1):
        log.add(number, epoch)
    log.close()
    found = scalars(tmp_path / "events")
    assert ("training/loss", 1, 2.0) in found
    assert ("validation/accuracy", 2, 0.625) in found
    assert len(found) == 12


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(MissingExtraError, match=r"poxlens\[log\]"):
        EventLog(tmp_path)
