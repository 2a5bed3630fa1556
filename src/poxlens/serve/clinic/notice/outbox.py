"""Sending what is in the outbox: each notice by one worker at a time, again with longer pauses, for two days."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update

from poxlens.serve.clinic.instants import DAY, HOUR, MINUTE
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Notice
from poxlens.serve.clinic.telemetry import metrics
from poxlens.serve.clinic.telemetry.logs import tell

PAUSES = (30.0, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR)
"""Seconds before the second try, the third, and so on; the last one repeats."""
GIVE_UP = 2 * DAY
_LEASE = 5 * MINUTE
_AT_A_TIME = 20
KEEP = 30 * DAY
"""Seconds for which sent notices stay, to be looked up."""


class SendError(Exception):
    """A try that failed; its text must hold no address."""


@dataclass(frozen=True)
class Letter:
    """A notice as a channel sends it."""

    id: str
    clinic_id: str
    kind: str
    target: str
    subject: str
    body: str
    created_at: float


Send = Callable[[Letter], None]
"""Sends a letter, or raises SendError."""


def deliver(service: Service, channels: Mapping[str, Send]) -> int:
    """Send what is due.

    Args:
        service: the server.
        channels: by name; notices of a channel that is not there wait.

    Returns:
        How many were sent.
    """
    sent = 0
    for letter, channel in _take(service, list(channels)):
        try:
            channels[channel](letter)
        except SendError as fault:
            _failed(service, letter, str(fault))
            metrics.NOTICES.labels(channel, "failed").inc()
            tell(
                "notice failed", logging.WARNING, kind=letter.kind, channel=channel, why=str(fault), notice=letter.id
            )  # fmt: skip
        else:
            _sent(service, letter)
            metrics.NOTICES.labels(channel, "sent").inc()
            sent += 1
    return sent


def _take(service: Service, channels: list[str]) -> list[tuple[Letter, str]]:
    """Lease some: another worker leaves them alone, and takes over if this one dies."""
    now = service.now()
    if not channels:
        return []
    wanted = (
        select(Notice)
        .where(
            Notice.sent_at.is_(None), Notice.given_up_at.is_(None), Notice.next_at <= now, Notice.lease_until <= now,
            Notice.channel.in_(channels),
        )
        .order_by(Notice.next_at)
        .limit(_AT_A_TIME)
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    with service.store.reading() as session:  # nearly always there is nothing: no need to write
        if session.scalars(wanted.with_only_columns(Notice.id)).first() is None:
            return []
    with service.store.writing() as session:
        found = session.scalars(wanted).all()
        for notice in found:
            notice.lease_until = now + _LEASE
            notice.attempts += 1
        return [
            (
                Letter(one.id, one.clinic_id, one.kind, one.target, one.subject, one.body, one.created_at),
                one.channel,
            )
            for one in found
        ]


def _sent(service: Service, letter: Letter) -> None:
    with service.store.writing() as session:
        session.execute(
            update(Notice).where(Notice.id == letter.id).values(sent_at=service.now(), last_error=None)
        )


def _failed(service: Service, letter: Letter, why: str) -> None:
    now = service.now()
    with service.store.writing() as session:
        notice = session.get(Notice, letter.id)
        if notice is None:
            return
        notice.last_error = why[:200]
        notice.lease_until = 0.0
        notice.next_at = now + PAUSES[min(notice.attempts, len(PAUSES)) - 1]
        if now - notice.created_at > GIVE_UP:
            notice.given_up_at = now


def forget(service: Service) -> None:
    """Delete notices that were sent or given up long ago, and give up those that no channel ever took."""
    now = service.now()
    old = now - KEEP
    with service.store.writing() as session:
        stale = (Notice.sent_at.is_(None), Notice.given_up_at.is_(None), Notice.created_at < now - GIVE_UP)
        session.execute(update(Notice).where(*stale).values(given_up_at=now))
        session.execute(delete(Notice).where(or_(Notice.sent_at < old, Notice.given_up_at < old)))
