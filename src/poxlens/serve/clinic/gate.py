"""How many photos are decoded and screened at a time; who would wait too long is told to come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from poxlens.serve.clinic.faults import busy

_PATIENCE = 20.0  # seconds in the queue, then 503


class Gate:
    """Lets as many photos in as there are cores, and holds a few more at the door.

    Args:
        cores: photos at a time; each may hold a decoded 12-megapixel photo (36 MB) and a run of the model.
        waiting: photos that may wait.
    """

    def __init__(self, cores: int, waiting: int) -> None:
        self._cores = threading.BoundedSemaphore(cores)
        self._places = threading.BoundedSemaphore(cores + waiting)

    @contextmanager
    def core(self) -> Iterator[None]:
        """A core for one photo.

        Raises:
            ApiError: 503 when too many wait already, or the wait was too long.
        """
        if not self._places.acquire(blocking=False):
            raise busy("Too many photos at a time. Wait a moment and try again.")
        try:
            if not self._cores.acquire(timeout=_PATIENCE):
                raise busy("Too many photos at a time. Wait a moment and try again.", seconds=10)
            try:
                yield
            finally:
                self._cores.release()
        finally:
            self._places.release()
