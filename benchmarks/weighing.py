"""Runs a command up to a deadline and weighs it: memory with its children's, told apart from files; processor time."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import psutil

_EVERY = 0.25  # seconds between two looks


def weighed(
    call: list[str], most: float | None, *, codes: tuple[int, ...] = (0,)
) -> tuple[str | None, float, float]:
    """The last line that a process prints, None when it was stopped; the peaks of its memory with its children's, MiB.

    Args:
        call: the command.
        most: seconds after which it is stopped; None waits.
        codes: exit codes that are no failure.
    """
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, text=True, env=dict(os.environ), start_new_session=True
    ) as process:
        peaks, ended = [0.0, 0.0], threading.Event()

        def weigh() -> None:
            seen = psutil.Process(process.pid)
            while not ended.wait(_EVERY):
                try:
                    parts = [seen, *seen.children(recursive=True)]
                    resident = sum(part.memory_info().rss for part in parts) / 2**20
                    peaks[:] = max(peaks[0], resident), max(peaks[1], sum(map(_anonymous, parts)))
                except (psutil.Error, OSError):
                    continue  # one of them has just ended

        watch = threading.Thread(target=weigh)
        watch.start()
        try:
            lines = process.communicate(timeout=most)[0].splitlines()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its children too
            process.communicate()
            return None, *peaks
        finally:
            ended.set()
            watch.join()
    if process.returncode not in codes:
        raise RuntimeError(f"{call[0]} ended with {process.returncode}")
    return lines[-1] if lines else "", *peaks


def processor_seconds() -> float:
    """Seconds of the processor of all processes that were started and have ended (POSIX)."""
    used = os.times()
    return used.children_user + used.children_system


def _anonymous(process: psutil.Process) -> float:
    """MiB of a process that are neither a file nor a map of one; pages shared by several are shared out (Linux)."""
    rollup = Path(f"/proc/{process.pid}/smaps_rollup")
    if not rollup.exists():
        return float("nan")
    lines = dict(line.split(":", 1) for line in rollup.read_text(encoding="ascii").splitlines()[1:])
    return float(lines["Pss_Anon"].split()[0]) / 1024
