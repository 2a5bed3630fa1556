"""`poxlens app` as a person meets it: messages, exit codes, the address it prints."""

from __future__ import annotations

import importlib.util
import socket
import sys
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
from poxlens.serve.certificate import local_certificate
from poxlens.serve.deployment import Deployment
from poxlens.serve.page import File

APP = typer.Typer()
APP.command()(app)


def _run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(APP, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls of the server, which is not run; the screener is not made."""
    calls: list[dict[str, Any]] = []

    def serve(
        screener: Any, listener: socket.socket, host: str, *, on_start: Any = None, **given: Any
    ) -> None:
        if on_start is not None:
            on_start()
        calls.append({"bundle": screener.bundle, "host": host, "port": listener.getsockname()[1], **given})

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


def test_others_reach_it_encrypted_by_a_certificate_of_its_own(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(typer, "get_app_dir", lambda name: str(tmp_path / name))
    code, out, err = _run("--host", "0.0.0.0", "--port", 0, "--no-browser")
    assert code == 0
    assert served[0]["host"] == "0.0.0.0"
    made = served[0]["certificate"]
    assert made.own
    assert made.key == tmp_path / "poxlens" / "tls" / "key.pem"
    port = served[0]["port"]
    assert f"poxlens is at https://127.0.0.1:{port} " in out
    assert f"On this network: https://{server.names('0.0.0.0')[0]}:{port}" in out
    assert made.fingerprint in err
    _run("--host", "0.0.0.0", "--port", 0, "--no-browser")
    assert served[1]["certificate"].fingerprint == made.fingerprint  # whoever trusted it goes on doing so


def test_without_tls_others_are_told_what_is_missing(served: list[dict[str, Any]]) -> None:
    code, out, err = _run("--host", "0.0.0.0", "--port", 0, "--no-browser", "--no-tls")
    assert code == 0
    assert served[0]["certificate"] is None
    assert "http://127.0.0.1:" in out
    assert "unencrypted" in err


def test_a_terminal_is_shown_the_address_as_a_code(
    served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    app(host="0.0.0.0", port=0, no_browser=True, tls=False)
    out = capsys.readouterr().out
    assert sum(line.count("█") + line.count("▀") + line.count("▄") for line in out.splitlines()) > 200


def test_a_certificate_of_ones_own_is_taken(served: list[dict[str, Any]], tmp_path: Path) -> None:
    made = local_certificate(tmp_path, ["127.0.0.1"])
    code, out, _ = _run("--port", 0, "--no-browser", "--certificate", made.certificate, "--key", made.key)
    assert code == 0
    assert out.startswith("poxlens is at https://127.0.0.1:")
    assert not served[0]["certificate"].own
    code, _, err = _run("--port", 0, "--certificate", made.certificate)
    assert (code, "--key" in err) == (2, True)
    code, _, err = _run("--port", 0, "--certificate", made.certificate, "--key", made.certificate)
    assert (code, "cannot be used together" in err) == (2, True)


def test_settings_are_passed_on_or_named(served: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"prevalence": 0.3, "clinic": "https://clinic.example"}')
    assert _run("--port", 0, "--no-browser", "--settings", file)[0] == 0
    assert served[0]["deployment"] == Deployment(0.3, "https://clinic.example")
    file.write_text('{"clinic": "http://clinic.example"}')
    code, _, err = _run("--port", 0, "--settings", file)
    assert (code, "clinic must be an origin" in err) == (2, True)


def test_a_folder_for_a_static_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "poxlens.serve.page.page_files", lambda: [File("index.html", b"<p>"), File("sw.js", b"1")]
    )
    code, out, _ = _run("--static", tmp_path / "site")
    assert code == 0
    assert (tmp_path / "site" / "bundle" / "bundle.json").is_file()
    assert "_headers" in out


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
