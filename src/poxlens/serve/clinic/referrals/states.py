"""The words of a referral's life: states, verdicts, PCR results."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a referral stands."""

    new = "new"
    second_opinion = "second_opinion"
    awaiting_pcr = "awaiting_pcr"
    closed = "closed"


class Verdict(StrEnum):
    """What a clinician says."""

    suspected = "suspected"
    other_diagnosis = "other_diagnosis"
    not_suspected = "not_suspected"
    photo_unusable = "photo_unusable"


class Pcr(StrEnum):
    """What the laboratory says."""

    positive = "positive"
    negative = "negative"
    inconclusive = "inconclusive"
    not_done = "not_done"


class Diagnosis(StrEnum):
    """Other diagnoses, by the names of the bundle's classes, so that they can teach a model."""

    chickenpox = "chickenpox"
    measles = "measles"
    hfmd = "hfmd"
    acne = "acne"
    other_rash = "other-rash"
    healthy = "healthy"


WAITING = frozenset({State.new, State.second_opinion})
"""States in which a clinician is to look."""


def state_after(verdict: Verdict) -> State:
    """Where a verdict takes a referral."""
    return State.awaiting_pcr if verdict is Verdict.suspected else State.closed
