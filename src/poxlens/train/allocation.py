"""Memory of training: what is freed is kept for the next step, and how a lack of it is told from other faults.

Gradients of large layers are tens of MB. glibc maps each of them anew and unmaps it after the step, and the system
clears every page of it: on layers of 4096 units a third of a training step went there (114 ms, 73 without).
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# <malloc.h>
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_MIB = 2**20
_KEEPING = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 256 * _MIB))
_USUAL = ((_MMAP_MAX, 65_536), (_TRIM_THRESHOLD, 128 * 1024), (_TOP_PAD, 128 * 1024))  # as glibc begins
# Of PyTorch on a processor and on a GPU, and of cuBLAS and cuDNN, which ask for their own.
_LACKS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")


@functools.cache
def keep_freed_memory() -> bool:
    """For the rest of this process; whether its allocator is glibc's, which alone has this habit."""
    library = _glibc()
    return library is not None and _set(library, _KEEPING)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """As long as this lasts; what is free afterwards goes back to the system.

    For a training that thousands of photos are read after: in memory that is never given back those take several
    times their room.
    """
    library = _glibc()
    if library is not None:
        _set(library, _KEEPING)
    try:
        yield
    finally:
        if library is not None:
            _set(library, _USUAL)
            library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None  # musl has not


def _set(library: ctypes.CDLL, settings: tuple[tuple[int, int], ...]) -> bool:
    done = [library.mallopt(name, value) == 1 for name, value in settings]
    return all(done)


def lacks_memory(fault: BaseException) -> bool:
    """Whether a step failed for want of memory, as PyTorch, cuBLAS or cuDNN say it."""
    told = str(fault).lower()
    return isinstance(fault, MemoryError) or any(words in told for words in _LACKS)
