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

SMALL_CHILD = 8
"""Years; younger children fall ill more severely (docs/clinic-api.md has the source). The app's page has the same."""
_URGENT = 4.0  # hours and less: a notice goes out at once


@dataclass(frozen=True)
class Urgency:
    """How soon a referral should be looked at."""

    hours: float
    level: str  # "urgent", "soon" or "routine", for people

    blind_hours: float  # the same where the outcome is not to be told from the place in the queue

    def due(self, filed_at: float) -> float:
        """The time by which it should have been looked at."""
        return filed_at + self.hours * HOUR

    def blind_due(self, filed_at: float) -> float:
        """The same in blind mode: as if the outcome were the gravest, so that nobody waits longer for it."""
        return filed_at + self.blind_hours * HOUR


def urgency(outcome: str, answers: Mapping[str, Any]) -> Urgency:
    """Hours by outcome, halved for each thing that makes mpox more dangerous for this person.

    Args:
        outcome: of the person.
        answers: by linkId.
    """
    halved = 2 ** len(dangers(answers))
    hours = HOURS[Outcome(outcome)] / halved
    level = "urgent" if hours <= _URGENT else "soon" if hours <= 12.0 else "routine"
    return Urgency(hours, level, min(HOURS.values()) / halved)


def dangers(answers: Mapping[str, Any]) -> list[str]:
    """What makes mpox more dangerous: pregnancy, weak immunity, a risk group, a small child, the eyes."""
    found = [name for name in ("pregnant", "weak_immunity", "risk_group") if answers.get(name) is True]
    age = answers.get("age")
    if age is not None and age < SMALL_CHILD:
        found.append("small_child")
    if "eyes" in answers.get("where", ()):
        found.append("eyes")
    return found
