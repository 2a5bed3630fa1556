"""In which order referrals are looked at: each gets a time by which it should have been.

The queue is sorted by that time. So the urgent come first, and none waits for ever behind them: a referral rises by
waiting. The hours are a choice, not evidence; change them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.instants import HOUR

HOURS: dict[Outcome, float] = {
    Outcome.refer: 4.0,
    Outcome.uncertain: 12.0,
    Outcome.cannot_assess: 24.0,
    Outcome.not_suspected: 48.0,
}
"""Outcome -> hours in which a clinician should have looked."""

_SMALL_CHILD = 5  # years; severe illness is more frequent below
_URGENT = 4.0  # hours and less: a notice goes out at once


@dataclass(frozen=True)
class Urgency:
    """How soon a referral should be looked at."""

    hours: float
    level: str  # "urgent", "soon" or "routine", for people

    def due(self, filed_at: float) -> float:
        """The time by which it should have been looked at."""
        return filed_at + self.hours * HOUR


def urgency(outcome: str, answers: Mapping[str, Any]) -> Urgency:
    """Hours by outcome, halved for each thing that makes mpox more dangerous for this person.

    Args:
        outcome: of the person.
        answers: by linkId.
    """
    hours = HOURS[Outcome(outcome)] / 2 ** len(dangers(answers))
    level = "urgent" if hours <= _URGENT else "soon" if hours <= 12.0 else "routine"
    return Urgency(hours, level)


def dangers(answers: Mapping[str, Any]) -> list[str]:
    """What makes mpox more dangerous: pregnancy, weak immunity, a risk group, a small child, the eyes."""
    found = [name for name in ("pregnant", "weak_immunity", "risk_group") if answers.get(name) is True]
    age = answers.get("age")
    if age is not None and age < _SMALL_CHILD:
        found.append("small_child")
    if "eyes" in answers.get("where", ()):
        found.append("eyes")
    return found
