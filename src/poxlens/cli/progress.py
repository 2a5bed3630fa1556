"""Progress of long verbs on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.recipes.default import Advance, Step

Begin = Callable[[str, int], "Advance"]
"""(name, total) of a step -> what is called with how many more are done."""


@contextmanager
def bars() -> Iterator[Begin]:
    """A bar a step on a terminal; elsewhere a line a step, and one every half minute with the time left."""
    if not sys.stderr.isatty():
        from poxlens.cli.time_left import lines

        yield lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:

        def begin(name: str, total: int) -> Advance:
            task = drawn.add_task(name, total=total)
            return lambda count=1: drawn.advance(task, count)

        yield begin


def steps() -> Step:
    """The same, one step after the other, as a context manager each."""

    @contextmanager
    def step(name: str, total: int) -> Iterator[Advance]:
        with bars() as begin:
            yield begin(name, total)

    return step
