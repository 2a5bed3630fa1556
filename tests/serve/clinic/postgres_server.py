"""A real PostgreSQL for the tests: its own cluster in a temporary folder, started as its own user where we are root."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import socket
import subprocess
import time
from pathlib import Path


class PostgresServer:
    """A cluster that listens on a socket and a port of this machine.

    Args:
        folder: for the cluster; made here, given to PostgreSQL's user.
    """

    def __init__(self, folder: Path) -> None:
        found = binaries()
        assert found is not None
        self.binaries, self.folder = found, folder
        self.user = _user()
        folder.mkdir(mode=0o755)
        if os.getuid() == 0:
            shutil.chown(folder, self.user)
            folder.parent.chmod(0o755)
        self.port = _free_port()
        self._run(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "poxlens", "--no-sync", "-E", "UTF8"
        )

    def start(self, *, largest: int | None = None) -> None:
        """Start it and wait until it answers.

        Args:
            largest: bytes of a file beyond which writing fails, as on a full disk; PostgreSQL ignores the signal.
        """
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -c max_connections=200"
        log = str(self.folder / "log")
        self._run(
            "pg_ctl",
            "-D",
            str(self.folder / "data"),
            "-w",
            "-l",
            log,
            "-o",
            options,
            "start",
            largest=largest,
        )

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a power cut does."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def database(self, name: str) -> str:
        """Make an empty database; its address."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "poxlens", name)
        return f"postgresql://poxlens@127.0.0.1:{self.port}/{name}"

    def _run(self, name: str, *arguments: str, largest: int | None = None) -> None:
        def limit() -> None:
            if largest is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

        command = [str(self.binaries / name), *arguments]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        # Its own session: a Ctrl-C of the tests is not PostgreSQL's.
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, start_new_session=True, timeout=120, preexec_fn=limit,
            env={**os.environ, "LC_ALL": "C", "HOME": "/"},
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {done.stdout[-2_000:]}"


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs; None where it is not installed."""
    for found in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (found / "initdb").exists():
            return found
    told = shutil.which("initdb")
    return Path(told).resolve().parent if told else None


def missing() -> str | None:
    """Why there can be no server here, or None."""
    if binaries() is None:
        return "PostgreSQL is not installed (Debian's package postgresql)"
    if os.getuid() == 0 and (shutil.which("setpriv") is None or _user() == "root"):
        return "PostgreSQL does not run as root, and there is no other user to run it as"
    return None


def _user() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return "root"


def _free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def wait_for(port: int, seconds: float = 30.0) -> None:
    """Wait until something listens on a port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")
