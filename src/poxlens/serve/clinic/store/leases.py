"""Housekeeping that one worker does at a time: a lease in the database, which ends by itself if the worker dies."""

from __future__ import annotations

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from poxlens.serve.clinic.store.tables import Job


def take(session: Session, name: str, now: float, *, every: float, lease: float = 120.0) -> bool:
    """Whether this worker is to do the job now.

    Args:
        session: a writing transaction.
        name: of the job.
        now: seconds since 1970.
        every: seconds between two times.
        lease: seconds after which another worker may take over.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(Job).values(name=name, lease_until=0.0, done_at=-1.0).on_conflict_do_nothing())
    due = or_(Job.done_at < 0, Job.done_at <= now - every)
    taken = session.execute(
        update(Job)
        .where(Job.name == name, Job.lease_until <= now, due)
        .values(lease_until=now + lease)
        .returning(Job.name)
    ).first()
    return taken is not None


def done(session: Session, name: str, now: float) -> None:
    """Note that a job was done, and give its lease back."""
    session.execute(update(Job).where(Job.name == name).values(lease_until=0.0, done_at=now))
