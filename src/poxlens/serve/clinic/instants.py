"""Points in time: seconds since 1970 (UTC) inside, ISO 8601 with Z at the edges."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


def to_iso(at: float | None) -> str | None:
    """Seconds since 1970 as `2026-11-20T16:12:42.123Z`; None stays None."""
    if at is None:
        return None
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(at: float) -> str:
    """The UTC day, `2026-11-20`."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def day_start(day: str) -> float:
    """The first second of a UTC day.

    Raises:
        ValueError: when it is not a day.
    """
    return datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()
