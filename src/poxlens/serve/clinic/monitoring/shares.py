"""A share with its interval, and what the bundle's evidence says of the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from poxlens.bundle.manifest import Interval, Manifest
from poxlens.evaluate.intervals import wilson


@dataclass(frozen=True)
class Share:
    """Some of n, with Wilson's 95 % interval."""

    successes: int
    n: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.successes / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval; 0 to 1 of nothing."""
        return wilson(self.successes, self.n)


def share(told: Iterable[bool]) -> Share:
    """How many of some are true."""
    found = list(told)
    return Share(sum(found), len(found))


def evidence(manifest: Manifest, name: str, group: str) -> Interval | None:
    """A figure of the bundle's evidence; None where it has none of this name."""
    for figure in manifest.evidence.figures:
        if (figure.name, figure.group) == (name, group):
            return figure.interval
    return None


def worse(found: Share, expected: Interval | None, *, higher_is_better: bool) -> bool:
    """Whether the two intervals do not meet, on the bad side. With few cases they nearly always meet."""
    if expected is None or not found.n:
        return False
    low, high = found.interval
    return high < expected.low if higher_is_better else low > expected.high
