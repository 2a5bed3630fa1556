"""One function in a thread of its own, for work that releases the interpreter: decoding, loading, models."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Starts at once; `result` waits. concurrent.futures does the same and takes 9 ms to import.

    Args:
        function: called without arguments.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._value: list[T] = []
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._run, name="poxlens-background", daemon=True)
        self._thread.start()

    def result(self) -> T:
        """What the function returned; what it raised is raised here."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._value[0]

    def _run(self) -> None:
        try:
            self._value.append(self._function())
        except BaseException as fault:
            self._fault = fault


def available_cores() -> int:
    """Cores that this process may use (a container often grants fewer than the machine has)."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows
        return os.cpu_count() or 1
