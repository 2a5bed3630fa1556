"""Memory of training: what is freed is kept for the next step, and how a lack of it is told from other faults.

Gradients of large layers are tens of MB. glibc maps each of them anew and unmaps it after the step, and the system
clears every page of it: on layers of 4096 units a third of a training step went there (114 ms, 73 without).
"""

from __future__ import annotations

import ctypes
import functools
import sys

# <malloc.h>
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_MIB = 2**20
# Of PyTorch on a processor and on a GPU, and of cuBLAS and cuDNN, which ask for their own.
_LACKS = ("can't allocate memory", "not enough memory", "out of memory", "alloc_failed")


@functools.cache
def keep_freed_memory() -> bool:
    """For the rest of this process; whether its allocator is glibc's, which alone has this habit."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):  # musl
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 256 * _MIB))
    done = [library.mallopt(name, value) == 1 for name, value in settings]
    return all(done)


def lacks_memory(fault: BaseException) -> bool:
    """Whether a step failed for want of memory, as PyTorch, cuBLAS or cuDNN say it."""
    told = str(fault).lower()
    return isinstance(fault, MemoryError) or any(words in told for words in _LACKS)
