"""One program at a time writes a table of labels: two would take each other's answers away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from poxlens.errors import AnnotationError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks of this kind: there, nothing keeps a second program away
    fcntl = None  # type: ignore[assignment]


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold a table of labels; the hold ends with the program, however it ends.

    Raises:
        AnnotationError: another program holds it.
        OSError: its folder is not writable.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    mark = out.parent / f".{out.name}.lock"
    handle = os.open(mark, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                raise AnnotationError(
                    f"{out}: another `poxlens data annotate` is writing it. Use its page."
                ) from fault
        try:
            yield
        finally:
            with suppress(OSError):
                mark.unlink()
    finally:
        os.close(handle)
