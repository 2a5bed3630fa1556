from __future__ import annotations

import platform
import resource
import subprocess
import sys

import pytest

from poxlens.train.allocation import lacks_memory

STEPS = """
import resource, sys, torch
from poxlens.train.allocation import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(20):  # until the heap has grown to what the steps need
    torch.ones(2**24)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    torch.ones(2**24)
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 4)
"""


def faults(how):
    """Page faults for each array of 64 MiB that is made and dropped."""
    done = subprocess.run([sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_pages_of_large_arrays_are_asked_for_once():
    pages = 2**26 / resource.getpagesize()
    assert faults("kept") < pages / 50
    assert faults("given back") > pages / 4


AFTERWARDS = """
import resource, torch
from poxlens.train.allocation import freed_memory_kept
def held():  # MiB
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * resource.getpagesize() / 2**20
torch.ones(2**22)  # what the libraries take at first use is not meant
start = held()
with freed_memory_kept():
    [torch.ones(2**22) for _ in range(16)]  # 16 MiB each, and dropped
    inside = held()
large = torch.ones(2**24)
del large
print(inside - start, held() - start)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator is not glibc's")
def test_memory_goes_back_after_the_training():
    done = subprocess.run([sys.executable, "-c", AFTERWARDS], capture_output=True, text=True, check=True)
    inside, after = (float(figure) for figure in done.stdout.split())
    assert inside > 200
    assert after < 60


@pytest.mark.parametrize(
    ("fault", "lacks"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"), False),
    ],
)
def test_a_lack_of_memory_is_told_from_other_faults(fault, lacks):
    assert lacks_memory(fault) == lacks
