"""`poxlens app` as a person meets it: messages, exit codes, the address it prints."""

from __future__ import annotations

import importlib.util
import socket
import webbrowser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from poxlens.cli.app import DEFAULT_PORT, app
from poxlens.errors import BundleError
from poxlens.serve import server

APP = typer.Typer()
APP.command()(app)


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls of the server, which is not run; the screener is not made."""
    calls: list[dict[str, Any]] = []

    def serve(screener: Any, listener: socket.socket, host: str, *, on_start: Any = None) -> None:
        if on_start is not None:
            on_start()
        calls.append({"bundle": screener.bundle, "host": host, "port": listener.getsockname()[1]})

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(
        "poxlens.screen.screener.Screener", lambda bundle, **_: SimpleNamespace(bundle=bundle)
    )
    monkeypatch.setenv("DISPLAY", ":0")
    return calls


def test_it_prints_the_address_and_opens_it(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    code, out, err = _run("--port", 0)
    assert (code, err) == (0, "")
    url = f"http://127.0.0.1:{served[0]['port']}"
    assert out == f"poxlens is at {url} (Ctrl+C stops it)\n"
    assert opened == [url]


def test_no_browser_opens_none(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("a browser was opened"))
    assert _run("--port", 0, "--no-browser")[0] == 0


def test_a_taken_port_is_no_fault(served: list[dict[str, Any]]) -> None:
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, out, _ = _run("--port", port, "--no-browser")
    assert code == 0
    assert served[0]["port"] > port
    assert f":{served[0]['port']} " in out


def test_a_wide_host_is_warned_of(served: list[dict[str, Any]]) -> None:
    code, _, err = _run("--host", "0.0.0.0", "--port", 0, "--no-browser")
    assert code == 0
    assert "Others on this network can reach it" in err
    assert served[0]["host"] == "0.0.0.0"


def test_the_bundle_is_passed_on(served: list[dict[str, Any]], tmp_path: Path) -> None:
    _run("--bundle", tmp_path, "--port", 0, "--no-browser")
    assert served[0]["bundle"] == tmp_path


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))
    code, out, err = _run("--port", 0)
    assert (code, out) == (2, "")
    assert (
        err == 'poxlens: poxlens app needs the "serve" extra. Install it with: pip install "poxlens[serve]"\n'
    )


def test_a_damaged_bundle_is_told_before_anything_is_served(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(bundle: object, **_: object) -> None:
        raise BundleError("model.onnx was changed")

    monkeypatch.setattr("poxlens.screen.screener.Screener", damaged)
    assert _run("--port", 0) == (1, "", "poxlens: model.onnx was changed\n")
    assert served == []


@pytest.mark.parametrize("arguments", [["--host", "no-such-name.invalid"], ["--port", "70000"]])
def test_misuse_ends_with_two(served: list[dict[str, Any]], arguments: list[str]) -> None:
    code, _, err = _run(*arguments)
    assert code == 2
    assert arguments[1] in err
    assert err.count("\n") == 1


def test_the_default_port_is_the_documented_one() -> None:
    assert DEFAULT_PORT == server.DEFAULT_PORT == 8731
