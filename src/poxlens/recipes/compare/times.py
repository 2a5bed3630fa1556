"""How long a run took: times.json in the run folder, one entry for each time that the study was started.

Nothing but the report's page reads it, and no result depends on it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from poxlens.files import write_atomically
from poxlens.recipes.default import Advance, Step

FILE = "times.json"


@dataclass(frozen=True)
class Took:
    """One step of a run."""

    step: str
    count: int  # images or units
    seconds: float  # from start to end, on all hands


class Times:
    """Measures the steps of one run as they pass through a progress display.

    Args:
        folder: of the run.
        jobs: units at once.
        engine: "local" or "ray".
        inner: the progress display.
    """

    def __init__(self, folder: Path, jobs: int, engine: str, inner: Step) -> None:
        self._path = folder / FILE
        self._inner = inner
        self._earlier = read_times(folder)
        self._begun = time.perf_counter()
        self._own: dict[str, Any] = {"jobs": jobs, "engine": engine, "cores": os.cpu_count()}
        self._steps: list[Took] = []

    @contextmanager
    def step(self, name: str, count: int) -> Iterator[Advance]:
        """As the display's own step."""
        start = time.perf_counter()
        with self._inner(name, count) as advance:
            yield advance
        self._steps.append(Took(name, count, round(time.perf_counter() - start, 1)))

    def write(self) -> None:
        """Keep what was measured so far, beside that of earlier runs."""
        seconds = round(time.perf_counter() - self._begun, 1)
        own = {**self._own, "seconds": seconds, "steps": [asdict(one) for one in self._steps]}
        write_atomically(self._path, json.dumps([*self._earlier, own], indent=1) + "\n")


def read_times(folder: Path) -> list[dict[str, Any]]:
    """The entries of a run folder; none where the file is missing or damaged, as nothing depends on it."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
        return [
            {**one, "seconds": float(one["seconds"]), "jobs": int(one["jobs"]), "cores": int(one["cores"])}
            for one in found
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
