"""Writing notices into the outbox, in the transaction of what they tell of. No word about the patient."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.ids import new_id
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.store.tables import Notice, Referral, User

FOOT = "A screening aid, not a diagnosis; PCR decides. This message holds nothing about the patient."


def notice_of_referral(session: Session, referral: Referral, policy: Policy, url: str | None) -> None:
    """A new referral that is urgent: to those on duty, at once. The others are in the digest.

    In blind mode every one: a notice of some would tell what the model said of them.
    """
    if not policy.notify_at_once or not (policy.blind or referral.urgency == "urgent"):
        return
    text, subject = "A new referral is waiting.", "New referral"
    if not policy.blind:
        text, subject = f"{text} Urgency: {referral.urgency}.", f"{subject}: urgent"
    write(
        session, referral.clinic_id, "referral", subject, body_of(text, url), policy, at=referral.filed_at
    )  # fmt: skip


def write(
    session: Session,
    clinic_id: str,
    kind: str,
    subject: str,
    body: str,
    policy: Policy,
    *,
    at: float,
    second_line: bool = False,
    to: str | None = None,
) -> int:
    """Put one notice for each recipient into the outbox.

    Args:
        session: a writing transaction.
        clinic_id: whose people are told.
        kind: `referral`, `digest`, `escalation`, `second_opinion`.
        subject: one line.
        body: plain text.
        policy: of the clinic.
        at: when.
        second_line: whether those of the second line are told too.
        to: one person's id, where it is for them alone.

    Returns:
        How many there are.
    """
    targets = [("email", mail) for mail in _mails(session, clinic_id, second_line, to)]
    if policy.webhook_url is not None:
        targets.append(("webhook", policy.webhook_url))
    for channel, target in targets:
        session.add(
            Notice(
                id=new_id(), clinic_id=clinic_id, kind=kind, channel=channel, target=target, subject=subject,
                body=body, created_at=at, next_at=at, lease_until=0.0, attempts=0,
            )
        )  # fmt: skip
    return len(targets)


def notice_to_person(session: Session, clinic_id: str, address: str, text: str, *, at: float) -> None:
    """A word to one person about their own account; no webhook hears of it.

    Args:
        session: a writing transaction.
        clinic_id: whose account it is.
        address: where to.
        text: what happened.
        at: when.
    """
    session.add(
        Notice(
            id=new_id(), clinic_id=clinic_id, kind="account", channel="email", target=address,
            subject="Your account was changed", body=f"{text}\n\n{FOOT}\n", created_at=at, next_at=at,
            lease_until=0.0, attempts=0,
        )
    )  # fmt: skip


def body_of(text: str, url: str | None) -> str:
    """The text of a notice with the way to the worklist."""
    where = f"Open the worklist: {url}/clinic/" if url else "Open the worklist on the clinic's computer."
    return f"{text}\n\n{where}\n\n{FOOT}\n"


def _mails(session: Session, clinic_id: str, second_line: bool, to: str | None) -> list[str]:
    wanted = select(User).where(
        User.clinic_id == clinic_id, User.disabled_at.is_(None), User.email.is_not(None)
    )
    found = []
    for user in session.scalars(wanted.order_by(User.id)):
        told = user.id == to if to is not None else user.on_duty or (second_line and user.escalation)
        if told and user.email is not None:
            found.append(user.email)
    return found
