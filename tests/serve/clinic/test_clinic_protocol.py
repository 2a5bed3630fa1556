"""HTTP as it comes over the wire: heads without end, several requests at once, and what is no HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from poxlens.serve.clinic.protocol import LONGEST_HEAD
from poxlens.serve.clinic.running import config
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.server import listen


async def lengths(scope, receive, send) -> None:
    """Answers with the bytes of the body."""
    total, more = 0, True
    while more:
        message = await receive()
        total, more = total + len(message.get("body", b"")), message.get("more_body", False)
    body = str(total).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def port(tmp_path) -> Iterator[int]:
    """A server as `poxlens serve` runs one, around an application that only counts."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(config(lengths, Settings(data=tmp_path, keys=tmp_path / "keys.json"), None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)


def sent(port: int, pieces: list[bytes]) -> bytes:
    """What comes back until the server closes; a piece after the other, so that each is read by itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except OSError:
            pass  # it has closed already
        found = b""
        try:
            while data := line.recv(65_536):
                found += data
        except ConnectionResetError:
            pass
    return found


def post(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST / HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def test_long_heads_within_the_limit_and_large_bodies_pass(port):
    own = b"X-Long: " + b"a" * (LONGEST_HEAD // 2)
    answer = sent(port, [post(b"b" * 2_000_000, own, b"Connection: close")])
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n2000000")


def test_several_requests_at_once_are_answered_one_after_the_other(port):
    last = post(b"ccc", b"Connection: close")
    answer = sent(port, [post(b"a" * 300_000) + post(b"bb") + last])
    assert [part[-1:] for part in answer.split(b"HTTP/1.1 200")[1:]] == [b"0", b"2", b"3"]


def test_a_head_without_end_is_refused_before_it_takes_memory(port):
    # Far more than the system's buffers hold: a server that went on reading would take all of it.
    answer = sent(
        port,
        [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n",
            *[b"X-%d: %s\r\n" % (n, b"a" * 5_000) for n in range(4_000)],
        ],
    )
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"200" not in answer


def test_what_is_no_request_is_refused(port):
    answer = sent(port, [b"\x16\x03\x01\x02\x00 is no HTTP\r\n\r\n"])
    assert answer.startswith(b"HTTP/1.1 400")
    # Two lengths: a proxy before this server could see another request in it than this server does.
    two = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert sent(port, [two]).startswith(b"HTTP/1.1 400")
