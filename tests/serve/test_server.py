"""Ports, addresses and stopping; the real server over a real socket."""

from __future__ import annotations

import socket
import webbrowser
from typing import Any

import httpx
import pytest

from poxlens.serve.server import AddressError, address, listen, open_browser


def test_a_taken_port_gives_the_next_free_one() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port) as second:
            assert port < second.getsockname()[1] <= port + 50


def test_zero_is_any_free_port() -> None:
    with listen("127.0.0.1", 0) as a, listen("127.0.0.1", 0) as b:
        assert a.getsockname()[1] != b.getsockname()[1]


def test_it_listens_on_the_local_machine_alone() -> None:
    with listen("localhost", 0) as listener:
        assert listener.getsockname()[0] in ("127.0.0.1", "::1")


@pytest.mark.parametrize("host", ["no-such-name.invalid", "203.0.113.9"])
def test_a_host_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(AddressError, match=host):
        listen(host, 0)


def test_a_last_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 65535))
        except OSError:
            pass  # by someone else: taken all the same
        else:
            taken.listen(1)
        with pytest.raises(AddressError, match="65535"):
            listen("127.0.0.1", 65535)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::1", "[::1]"),
        ("::", "[::1]"),
        ("clinic", "clinic"),
    ],
)
def test_the_address_can_be_opened(host: str, shown: str) -> None:
    with listen("127.0.0.1", 0) as listener:
        assert address(listener, host) == f"http://{shown}:{listener.getsockname()[1]}"


def test_a_photo_over_a_real_socket(start: Any, pustules: bytes) -> None:
    with start() as url:
        reply = httpx.post(f"{url}/api/screen", files=[("photos", ("a.jpg", pustules))])
        assert reply.status_code == 200
        assert reply.json()["person"]["outcome"] == "refer"
        assert "server" not in reply.headers
        assert httpx.get(url, headers={"host": "evil.example"}).status_code == 421
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_body_in_chunks_over_the_limit_over_a_real_socket(start: Any) -> None:
    with start(max_body=300_000) as url:
        head = b'--b\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'
        chunks = iter([head, *[b"x" * 50_000] * 10])
        reply = httpx.post(
            f"{url}/api/screen", content=chunks, headers={"content-type": "multipart/form-data; boundary=b"}
        )
        assert reply.status_code == 413
        assert reply.json()["error"]["code"] == "too_large"


def test_no_browser_is_opened_where_there_is_no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    open_browser("http://127.0.0.1:1")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    open_browser("http://127.0.0.1:1")
    assert opened == ["http://127.0.0.1:1"]
