"""Progress of steps that take hours: a bar with the time left on a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.cli.progress import Begin
    from poxlens.recipes.default import Advance, Step

_EVERY = 30.0  # seconds between lines


def duration(seconds: float) -> str:
    """For people: 40 s, 12 min, 3.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def lines(now: Callable[[], float] = time.monotonic) -> Begin:
    """What begins a step that is told line by line, on stderr."""

    def begin(name: str, total: int) -> Advance:
        start = said = now()
        done = 0
        print(f"{name} ({total:,})", file=sys.stderr, flush=True)

        def advance(count: int = 1, /) -> None:
            nonlocal done, said
            done += count
            if now() - said >= _EVERY and 0 < done < total:
                said = now()
                left = (said - start) * (total - done) / done
                told = f"  {name}: {done:,} of {total:,}, about {duration(left)} left"
                print(told, file=sys.stderr, flush=True)

        return advance

    return begin


def long_steps(now: Callable[[], float] = time.monotonic) -> Step:
    """Steps with their time left, on stderr."""
    from poxlens.cli.progress import steps

    if sys.stderr.isatty():
        return steps()

    begin = lines(now)

    @contextmanager
    def step(name: str, total: int) -> Iterator[Advance]:
        yield begin(name, total)

    return step
