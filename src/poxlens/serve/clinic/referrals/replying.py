"""The clinic's reply, as the person reads it who has the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import select

from poxlens.screen.reasons import DISCLAIMER
from poxlens.serve.clinic.faults import not_found
from poxlens.serve.clinic.ids import hashed
from poxlens.serve.clinic.referrals.states import Verdict
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Referral

WAITING = (
    "A clinician has not answered yet. Follow what the app said until then; if it gets worse, go to a clinic."
)

TITLES: dict[Verdict, str] = {
    Verdict.suspected: "A clinician has looked at it and asks you to come for a PCR test.",
    Verdict.other_diagnosis: "A clinician has looked at it and thinks that it is something other than mpox.",
    Verdict.not_suspected: "A clinician has looked at it and sees no sign of mpox in what was sent.",
    Verdict.photo_unusable: "A clinician has looked at it and cannot tell from the photo. Please come to the clinic, "
    "or send another photo.",
}
"""Verdict -> what the patient is told first. Never a diagnosis: PCR decides."""

Answer = Literal["suspected", "other_diagnosis", "not_suspected", "photo_unusable"]
Test = Literal["positive", "negative", "inconclusive", "not_done"]


@dataclass(frozen=True)
class Reply:
    """What the patient may know."""

    filed_at: float
    answer: Answer | None
    answered_at: float | None
    title: str
    message: str | None
    pcr: Test | None
    disclaimer: str = DISCLAIMER


def reply_to(service: Service, code: str) -> Reply:
    """The reply of the referral with a code; notes that it was read.

    Args:
        service: the server.
        code: without hyphens.

    Raises:
        ApiError: 404 when there is none.
    """
    with service.store.reading() as session:
        found = session.scalars(select(Referral).where(Referral.code_hash == hashed(code))).first()
    if found is None:
        raise not_found("code")
    if found.verdict is None:
        return Reply(found.filed_at, None, None, WAITING, None, None)
    if found.reply_read_at is None:
        with service.store.writing() as session:
            session.get_one(Referral, found.id).reply_read_at = service.now()
    message = found.message_sealed
    return Reply(
        found.filed_at,
        cast(Answer, found.verdict),
        found.verdict_at,
        TITLES[Verdict(found.verdict)],
        service.keyring.open_text(message, f"message:{found.id}") if message is not None else None,
        cast("Test | None", found.pcr),
    )
