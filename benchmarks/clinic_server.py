"""Servers to load, each a process of its own: the clinic's, and what one would write first around the same model."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PLAIN = """
import sys
import uvicorn
from fastapi import FastAPI, UploadFile
from poxlens.screen.screener import Screener

app, screener = FastAPI(), Screener()

@app.post("/v1/screen")
async def screen(photos: UploadFile) -> dict:
    return screener.screen(await photos.read()).to_json()

@app.get("/ready")
async def ready() -> dict:
    return {}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
_BOUNDARY = "poxlens-benchmark"


@dataclass(frozen=True)
class Server:
    """A server that answers on a port of this machine."""

    port: int
    process: psutil.Process
    token: str

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        return int(self.process.memory_info().rss)

    def request(self, photo: bytes) -> bytes:
        """A request to screen a photo, as it goes over the wire."""
        body = form(photo)
        lines = (
            "POST /v1/screen HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {self.token}",
            f"Content-Type: multipart/form-data; boundary={_BOUNDARY}", f"Content-Length: {len(body)}", "", "",
        )  # fmt: skip
        return "\r\n".join(lines).encode() + body


class Line:
    """A connection that stays open. It does as little as can be: clients run on the servers' cores here.

    Args:
        server: to which.
    """

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> int:
        """Send a request, wait for all of the answer; its status."""
        self._socket.sendall(request)
        answer = self._socket.recv(65_536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more()
        head = answer[:end].lower()
        _, _, after = head.partition(b"content-length:")
        missing = int(after.partition(b"\r\n")[0]) - (len(answer) - end - 4)
        while missing > 0:
            missing -= len(self._more())
        return int(head[9:12])

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def _more(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data


def form(photo: bytes) -> bytes:
    """A photo as the body of a request."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


@contextmanager
def clinic(folder: Path) -> Iterator[Server]:
    """`poxlens serve` on SQLite in a folder, with one device."""
    options = ["--data", str(folder / "data"), "--keys", str(folder / "keys" / "keys.json")]
    port = _free_port()
    command = [sys.executable, "-m", "poxlens", "serve", "--no-browser", "--port", str(port), *options]
    with _running(command, port) as process:
        made = subprocess.run(
            [sys.executable, "-m", "poxlens", "clinic", "add-device", "benchmark", "--json", *options],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        yield Server(port, process, json.loads(made.stdout)["token"])


@contextmanager
def plain() -> Iterator[Server]:
    """The same model behind the handler that one would write first."""
    port = _free_port()
    with _running([sys.executable, "-c", PLAIN, str(port)], port) as process:
        yield Server(port, process, "")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[psutil.Process]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdout=quiet, stderr=quiet, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        _wait(process, port)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError("the server did not come up")


def _free_port() -> int:
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])
