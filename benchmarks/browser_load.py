"""What a browser may use and does use: a share of a core, memory, and bytes sent to it."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

GROUPS = Path("/sys/fs/cgroup")
PERIOD = 100_000  # microseconds


@contextmanager
def held(browser: str, share: float | None) -> Iterator[str]:
    """An executable that runs a browser, with all its processes, on a share of one core.

    A quota of a control group (version 2 or 1), since what developer tools throttle is the page's main thread alone.

    Args:
        browser: the browser's path.
        share: of one core; None for as much as there is.

    Raises:
        OSError: where this user may not make control groups.
    """
    if share is None:
        yield browser
        return
    unified = (GROUPS / "cgroup.controllers").is_file()
    group = (GROUPS if unified else GROUPS / "cpu") / f"poxlens-benchmark-{os.getpid()}"
    group.mkdir()
    quota = round(share * PERIOD)
    try:
        if unified:
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "browser"
            script.write_text(f'#!/bin/sh\necho $$ > "{group}/cgroup.procs"\nexec "{browser}" "$@"\n')
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
            yield str(script)
    finally:
        for pid in (
            (group / "cgroup.procs").read_text().split()
        ):  # those that outlive their browser by a moment
            with suppress(OSError):
                (group.parent / "cgroup.procs").write_text(pid)
        group.rmdir()


@contextmanager
def peak_memory(every: float = 0.02) -> Iterator[list[float]]:
    """The most memory that the process of the page takes while the block runs, in MB, as a list of one.

    Of the browser's page processes the largest: others are kept ready, or hold its own pages. Proportional set size, so
    that what processes share counts once in all.
    """
    found = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(every):
            found[0] = max([found[0], *map(_pss, _renderers())])

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def processor_seconds() -> float:
    """Processor time of all processes of the browser so far: other work on the machine hardly changes it."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if child.name() != "node":  # Playwright's own
                times = child.cpu_times()
                total += times.user + times.system
    return total


def _renderers() -> list[int]:
    pids = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "--type=renderer" in child.cmdline():
                pids.append(child.pid)
    return pids


def _pss(pid: int) -> float:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
    return 0.0


class Meter:
    """An ASGI application that counts the bytes it sends.

    Args:
        app: the application behind it.

    Attributes:
        bodies: bytes by path, as they were sent (compressed, where they were).
        headers: bytes of all headers.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.bodies: dict[str, int] = {}
        self.headers = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one request on."""

        async def counting(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.headers += sum(len(name) + len(value) + 4 for name, value in message["headers"]) + 19
            else:
                path = scope["path"]
                self.bodies[path] = self.bodies.get(path, 0) + len(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, counting)
