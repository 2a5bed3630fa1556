"""The text of every reason a decision can give: one code, one sentence that a person can act on.

The photo's own faults keep their texts where they are found: `unreadable.*` in poxlens.photo.decode,
`quality.*` in poxlens.photo.quality. Wording: a screening aid, never a diagnosis; PCR decides; another
disease in the photo never speaks against mpox (12-13 % of suspects in one series from the DRC had chickenpox
and mpox together).
"""

from __future__ import annotations

from dataclasses import dataclass

DISCLAIMER = "A screening aid, not a diagnosis. A PCR test of a skin lesion decides."

REASONS = {
    "novel.not_skin": "This does not look like a close-up of skin. Photograph the rash itself from a hand's "
    "breadth away, so that skin fills the picture.",
    "novel.unknown": "This photo is unlike those the tool learnt from, so it gives no answer. Try again "
    "closer and in even daylight, or show the rash to a health worker.",
    "refer.probability": "The rash looks enough like mpox to be examined. Show it to a health worker and ask "
    "for a test. Until then avoid skin contact and keep the rash covered.",
    "not_suspected.probability": "This photo shows little sign of mpox. That does not rule it out, whatever "
    "else the rash may be: see a health worker if it spreads or changes, if fever or swollen lymph nodes "
    "appear, or after contact with a case.",
    "uncertain.between": "The likeness to mpox is neither low enough to set aside nor high enough to refer. "
    "A health worker should look at the rash.",
    "uncertain.possible": "Mpox cannot be excluded among the conditions that fit this photo. It takes an "
    "examination, and a test where that advises one.",
    "uncertain.top_probability": "No single condition stands out in this photo. A sharper, closer photo in "
    "even daylight may help.",
    "uncertain.empty_set": "None of the conditions that the tool knows fits this photo well. Show the rash "
    "to a health worker instead of relying on a photo.",
    "context.contact": "Contact with a probable or confirmed case within 21 days: refer, whatever the photo "
    "shows.",
    "context.fever_and_nodes": "Fever together with swollen lymph nodes: refer, whatever the photo shows.",
    "person.refused": "Not every photo of this person could be assessed; the answer rests on the others.",
}
"""Reason code -> its sentence."""


@dataclass(frozen=True)
class Reason:
    """Why a decision is what it is.

    Args:
        code: stable, for programs, such as `quality.blur`.
        text: the sentence for the person.
    """

    code: str
    text: str

    def to_json(self) -> dict[str, str]:
        """`{"code": ..., "text": ...}`."""
        return {"code": self.code, "text": self.text}


def reason(code: str) -> Reason:
    """The reason with this code.

    Raises:
        KeyError: when the code has no text.
    """
    return Reason(code, REASONS[code])
