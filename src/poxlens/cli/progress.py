"""Progress of long verbs on stderr, and the folders of weights that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poxlens.recipes.default import Advance, Step


def _nothing(count: int = 1, /) -> None:
    del count


def environment_folders() -> tuple[Path, ...]:
    """The folders of weights in POXLENS_WEIGHTS."""
    told = os.environ.get("POXLENS_WEIGHTS", "")
    return tuple(Path(part) for part in told.split(os.pathsep) if part)


def steps() -> Step:
    """A progress bar a step on a terminal, one line a step elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)

    @contextmanager
    def step(name: str, total: int) -> Iterator[Advance]:
        if not console.is_terminal:
            console.print(f"{name} ({total})", highlight=False)
            yield _nothing
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(name, total=total)
            yield lambda count=1: progress.advance(task, count)

    return step
