"""A refused photo is told with what it was compared with, and with no probability that reads as an answer."""

from __future__ import annotations

import numpy as np

from poxlens.cli.explain import _line
from poxlens.explain.page import photos_page
from poxlens.explain.photos import Explained
from poxlens.screen.decision import Decision, Outcome
from poxlens.screen.reasons import reason

KNOWN = {"mpox": 0.1, "chickenpox": 0.5, "measles": 0.3, "acne": 0.1}


def explained(code, outcome):
    decision = Decision(
        outcome, (reason(code),), probabilities=KNOWN, novelty=1.7, prepared=np.zeros((8, 8, 3), np.uint8)
    )
    return Explained("a.png", decision, "mpox", 0.9, b"png")


def test_the_nearest_known_classes_of_a_refused_photo():
    one = explained("novel.unknown", Outcome.cannot_assess)
    assert one.refused
    assert one.nearest == ("chickenpox", "measles")
    assert one.to_json()["nearest"] == ["chickenpox", "measles"]
    assert one.to_json()["novelty"] == 1.7
    assert _line(one, "a.png") == (
        "a.png: refused, novel.unknown: least unlike chickenpox and measles, which is no answer: a.png"
    )
    page = photos_page([one], "bundle", "graph")
    assert "least unlike chickenpox and measles" in page
    assert "mpox 0.10" not in page


def test_an_answered_photo_has_none():
    one = explained("uncertain.between", Outcome.uncertain)
    assert not one.refused
    assert one.nearest == ()
    assert "nearest" not in one.to_json()
    assert "mpox 0.10" in photos_page([one], "bundle", "graph")
