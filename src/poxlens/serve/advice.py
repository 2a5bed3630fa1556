"""What the page says to do next, by outcome, and the names of classes. Wording: an aid, never a diagnosis."""

from __future__ import annotations

from poxlens.screen.decision import Outcome

TITLES: dict[Outcome, tuple[str, str]] = {
    Outcome.refer: ("Show this rash to a health worker", "It should be tested for mpox."),
    Outcome.uncertain: ("A person needs to look at this rash", "The photo does not settle it."),
    Outcome.not_suspected: ("Little sign of mpox here", "This does not rule mpox out."),
    Outcome.cannot_assess: ("This cannot be assessed", "There is no answer, neither good nor bad."),
}
"""Outcome -> headline and the line below it."""

_COVER = "Until then, keep the rash covered, avoid skin contact, and do not share bedding, towels or clothes."
_SOONER = (
    "Seek care at once if the rash is near the eyes, pain is severe, or the person is very ill, pregnant, "
    "a small child, or has weak immunity."
)

NEXT_STEPS: dict[Outcome, tuple[str, ...]] = {
    Outcome.refer: (
        "Show the rash to a health worker today and ask for a PCR test of a lesion.",
        _COVER,
        _SOONER,
    ),
    Outcome.uncertain: (
        "Show the rash to a health worker, who can examine it and decide about a test.",
        "A sharper, closer photo in daylight may help: add it to this one.",
        _COVER,
        _SOONER,
    ),
    Outcome.not_suspected: (
        "Look at the rash again tomorrow, and take another photo if it spreads or changes.",
        "See a health worker if fever or swollen lymph nodes appear, or after contact with a case.",
        _SOONER,
    ),
    Outcome.cannot_assess: (
        "Take another photo: a hand's breadth away, sharp, in daylight, with skin filling the picture.",
        "If no photo works, show the rash to a health worker. No answer here says nothing about the rash.",
        _SOONER,
    ),
}
"""Outcome -> what to do, first things first."""

UNREADABLE_STEP = "Choose the photo itself, or take a new one of the rash."
"""The first step where no file could be read."""

CLASS_NAMES = {
    "mpox": "Mpox",
    "chickenpox": "Chickenpox",
    "measles": "Measles",
    "hfmd": "Hand, foot and mouth disease",
    "acne": "Acne",
    "other-rash": "Another rash",
    "healthy": "Healthy skin",
}


def next_steps(outcome: Outcome, *, readable: bool = True) -> tuple[str, ...]:
    """What to do next; of files that cannot be read, the first step is another file."""
    if readable or outcome is not Outcome.cannot_assess:
        return NEXT_STEPS[outcome]
    return (UNREADABLE_STEP, *NEXT_STEPS[outcome][1:])


def class_name(code: str) -> str:
    """A class as people call it; a class that is not listed keeps its code, made readable."""
    return CLASS_NAMES.get(code, code.replace("-", " ").replace("_", " ").capitalize())
