"""How often something may be done, counted in the database so that all workers count together."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from poxlens.serve.clinic.store.tables import Rate


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `seconds`."""

    most: int
    seconds: float


def count(session: Session, bucket: str, limit: Limit, now: float) -> float:
    """Count one more.

    Args:
        session: a writing transaction.
        bucket: what is counted, such as `login:127.0.0.1`.
        limit: how often it may be.
        now: seconds since 1970.

    Returns:
        Seconds to wait; 0 where it is within the limit.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    fresh = insert(Rate).values(bucket=bucket[:80], window_start=now, count=1)
    over = Rate.window_start <= now - limit.seconds
    found = session.execute(
        fresh.on_conflict_do_update(
            index_elements=[Rate.bucket],
            set_={
                "window_start": case((over, now), else_=Rate.window_start),
                "count": case((over, 1), else_=Rate.count + 1),
            },
        ).returning(Rate.count, Rate.window_start)
    ).one()
    times, start = found
    if times <= limit.most:
        return 0.0
    return max(1.0, float(start + limit.seconds - now))


def forget(session: Session, now: float, *, after: float = 86_400.0) -> None:
    """Delete counts that no limit looks at any more."""
    session.execute(delete(Rate).where(Rate.window_start < now - after))
