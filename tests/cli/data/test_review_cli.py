"""`poxlens data review` as a person meets it: messages, exit codes, what it prints."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from poxlens.cli.main import main
from poxlens.data.curate.decisions import append_decision, decide
from poxlens.data.curate.proposals import NAME, Proposal, Proposals, write_proposals

SHA = "a" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    root.mkdir()
    found = tuple(
        Proposal(f"{name}.jpg", label, SHA, 300, 300, "crop", (0, 0, 300), "crop.skin", "All skin.", 1.0)
        for name, label in (("a", "mpox"), ("b", "mpox"), ("c", "acne scars"))
    )
    write_proposals(tmp_path / "out" / NAME, Proposals("0" * 64, str(root), 224, {}, found))
    return tmp_path / "out"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The pages that would have been served; each call ends as by Ctrl+C."""
    pages: list[Any] = []

    def run_server(page: Any, listener: Any, on_start: Any) -> None:
        pages.append((page, listener.getsockname()[1]))
        if on_start is not None:
            on_start()
        raise KeyboardInterrupt

    monkeypatch.setattr("poxlens.cli.data.review.run_server", run_server)
    return pages


def _run(*arguments: object) -> int:
    return main(["data", "review", *map(str, arguments)])


def test_it_prints_the_address_opens_it_and_counts_at_the_end(
    folder: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    append_decision(folder / "decisions.jsonl", decide("a.jpg", SHA, "accept", (0, 0, 300)))
    append_decision(folder / "decisions.jsonl", decide("b.jpg", SHA, "reject"))
    assert _run(folder, "--port", 0) == 0
    out, err = capsys.readouterr()
    url = f"http://127.0.0.1:{served[0][1]}"
    assert err.startswith(f"The review is at {url} (Ctrl+C stops it)\n")
    assert opened == [url]
    assert out.startswith(
        "2 of 3 images decided: 1 accepted, 0 with a crop of one's own, 1 without a crop.\n"
    )


def test_json_counts(folder: Path, served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    append_decision(folder / "decisions.jsonl", decide("c.jpg", SHA, "crop", (1, 1, 250)))
    assert _run(folder, "--port", 0, "--no-browser", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "images": 3, "accepted": 0, "own_crop": 1, "no_crop": 0, "undecided": 2,
        "decisions": str(folder / "decisions.jsonl"),
    }  # fmt: skip


def test_no_browser_opens_none(folder: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("a browser was opened"))
    assert _run(folder, "--port", 0, "--no-browser") == 0
    assert len(served) == 1


def test_a_network_address_comes_with_a_warning(
    folder: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, "--port", 0, "--no-browser", "--host", "0.0.0.0") == 0
    assert "see the photos and decide" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("only", "kept"),
    [
        ("undecided", "undecided"), ("crop", "crop"), ("none", "none"), ("class:mpox", "class:mpox"),
        ("class mpox", "class:mpox"), ("class:acne scars", "class:acne scars"),
        ("class acne scars", "class:acne scars"),
    ],
)  # fmt: skip
def test_only(folder: Path, served: list[Any], only: str, kept: str) -> None:
    from starlette.testclient import TestClient

    assert _run(folder, "--port", 0, "--no-browser", "--only", only, "--by", "Ada") == 0
    told = TestClient(served[0][0], base_url="http://localhost").get("/api/review").json()
    assert (told["only"], told["by"]) == (kept, "Ada")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "class:rash"], "no such class; classes: acne scars, mpox"),
        (["--only", "most"], "choose undecided, crop, none or class:LABEL"),
        (["--port", 70000], "--port must be 0 to 65535"),
        (["--root", "no/such/folder"], "--root no/such/folder: no such folder"),
        (["--host", "no-such-name.invalid"], "no-such-name.invalid"),
    ],
)
def test_misuse_is_told(
    folder: Path, served: list[Any], arguments: list[Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(folder, *arguments) == 2
    assert told in capsys.readouterr().err
    assert served == []


def test_folders_without_images_or_proposals(
    folder: Path, tmp_path: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(tmp_path) == 2
    assert "holds no proposals.json. Make it first with: poxlens data curate" in capsys.readouterr().err
    (tmp_path / "images").rename(tmp_path / "moved")
    assert _run(folder) == 2
    assert "say where it is with --root" in capsys.readouterr().err
    assert _run(folder, "--root", tmp_path / "moved", "--no-browser", "--port", 0) == 0


def test_files_that_cannot_be_read_are_faults(
    folder: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "decisions.jsonl").write_text("[1]\n")
    assert _run(folder) == 1
    assert "decisions.jsonl, line 1" in capsys.readouterr().err
    (folder / NAME).write_text("{")
    assert _run(folder) == 1
    assert "proposals.json: is not JSON" in capsys.readouterr().err


def test_a_missing_extra_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "uvicorn" else find(name, *a)
    )
    assert _run(folder) == 2
    assert 'poxlens data review needs the "serve" extra' in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="Ctrl+C is sent as a POSIX signal")
def test_ctrl_c_ends_the_real_server_with_the_counts(folder: Path) -> None:
    command = [sys.executable, "-m", "poxlens", "data", "review", str(folder), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        url = re.search(r"http://\S+", process.stderr.readline())
        assert url is not None
        deadline = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"{url[0]}/api/review") as reply:
                    assert len(json.load(reply)["items"]) == 3
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert out.startswith("0 of 3 images decided")
    assert "Traceback" not in err
