"""Words that the page and the terminal share."""

from __future__ import annotations

from poxlens.audit.audit import Audit

AID = (
    "What an audit does not find may still be there: it sees files, not patients. poxlens is a screening aid, not a"
    " diagnosis; PCR decides."
)

VERDICT = {
    "leak": "This split leaks: figures measured on it are too high.",
    "fault": "There are faults to mend before anything is trained.",
    "warning": "No leak and no fault, but figures may measure something else than the disease.",
    "note": "No leak, no fault, no warning.",
}
"""Severity of the gravest finding -> what it means for the whole."""


def verdict(audit: Audit) -> str:
    """The key of VERDICT for an audit."""
    counts = audit.counts()
    return next((severity for severity in VERDICT if counts[severity]), "note")
