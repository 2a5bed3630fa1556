"""What a command weighs: memory told apart from files, a deadline that holds."""

import sys
import time

import pytest
from benchmarks.weighing import processor_seconds, weighed


def test_memory_of_files_is_told_from_the_rest(tmp_path):
    """A hundred MiB held, another hundred mapped from a file; linked in a process of its own."""
    (tmp_path / "file").write_bytes(bytes(100 << 20))
    script = (
        "import mmap, sys, time; held = bytearray(100 << 20); stream = open(sys.argv[1], 'rb');"
        "view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ);"
        "print(sum(view[::4096])); end = time.monotonic() + 2\nwhile time.monotonic() < end: time.sleep(0.1)"
    )
    answer, resident, anonymous = weighed([sys.executable, "-c", script, str(tmp_path / "file")], None)
    assert answer == "0"
    assert 100 <= anonymous <= 140
    assert resident >= anonymous + 90


def test_at_the_deadline_a_process_is_stopped_with_its_children():
    script = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    start = time.monotonic()
    assert weighed([sys.executable, "-c", script], 1.0)[0] is None
    assert time.monotonic() - start < 60
    with pytest.raises(RuntimeError, match="ended with 3"):
        weighed([sys.executable, "-c", "raise SystemExit(3)"], None)


def test_the_time_of_the_processor_is_that_of_ended_processes():
    before = processor_seconds()
    weighed([sys.executable, "-c", "import time\nwhile time.process_time() < 0.6: pass"], None)
    assert 0.5 <= processor_seconds() - before < 5  # the system counts in hundredths
