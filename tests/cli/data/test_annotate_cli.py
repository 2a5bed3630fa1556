"""`poxlens data annotate` as a person meets it: messages, exit codes, what it prints."""

from __future__ import annotations

import importlib.util
import json
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from poxlens.cli.main import main
from poxlens.serve.annotate.alone import alone


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "photos.csv"
    path.write_text("file,label\na.jpg,mpox\nb.jpg,mpox\nc.jpg,acne\n")
    return path


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The pages that would have been served; each call ends as by Ctrl+C."""
    pages: list[Any] = []

    def run_server(page: Any, listener: Any, on_start: Any) -> None:
        pages.append((page, listener.getsockname()[1]))
        if on_start is not None:
            on_start()
        raise KeyboardInterrupt

    monkeypatch.setattr("poxlens.cli.data.annotate.run_server", run_server)
    return pages


def _run(*arguments: object) -> int:
    return main(["data", "annotate", *map(str, arguments), "--port", "0"])


def test_it_prints_the_address_opens_it_and_counts_at_the_end(
    table: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    out = table.with_name("labels.csv")
    out.write_text("file,body_site,range,stage\na.jpg,hand,close,later\nb.jpg,hand,,\n")
    assert _run(table, "--out", out, "--where", "label=mpox") == 0
    told, err = capsys.readouterr()
    url = f"http://127.0.0.1:{served[0][1]}"
    assert err.startswith(f"The page is at {url} (Ctrl+C stops it)\n")
    assert opened == [url]
    assert told == (
        f"1 of 2 images labelled, 1 open.\nLabels: {out}\n"
        "Non-clinical: read off the photos alone, not by a clinician and not checked by one.\n"
    )
    assert sorted(path.name for path in table.parent.iterdir()) == ["labels.csv", "photos.csv"]


def test_json_counts_of_a_scheme_of_ones_own(
    table: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    scheme = table.with_name("light.toml")
    scheme.write_text(
        'title = "Light"\nnotice = "By two students."\n[[label]]\nname = "light"\ntitle = "Light"\n'
        '[[label.value]]\nname = "flash"\nkey = "f"\n[[label.value]]\nname = "day"\nkey = "d"\n'
    )
    out = table.with_name("labels.csv")
    assert _run(table, "--out", out, "--scheme", scheme, "--no-browser", "--json", "--seed", 1) == 0
    assert json.loads(capsys.readouterr().out) == {
        "images": 3, "labelled": 0, "open": 3, "labels": str(out), "notice": "By two students.",
    }  # fmt: skip


def test_an_open_address_is_told(table: Path, served: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(table, "--out", table.with_name("labels.csv"), "--no-browser", "--host", "0.0.0.0") == 0
    assert "Others on this network can reach it, see the photos and label." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--out", "labels.txt"], 2, "a table of labels ends in .csv"),
        (["--out", "photos.csv"], 2, "--out must not be the table of images itself"),
        (["--out", "l.csv", "--root", "nowhere"], 2, "--root nowhere: no such folder"),
        (["--out", "l.csv", "--where", "label=measles"], 2, "no image of the table is left to label"),
        (["--out", "l.csv", "--where", "label"], 2, '"label" is no condition'),
        (["--out", "l.csv", "--listed", "none.csv"], 2, "none.csv: no such file"),
        (["--out", "l.csv", "--scheme", "none.toml"], 2, "none.toml: no such file"),
        (["--out", "l.csv", "--port", "70000"], 2, "--port must be 0 to 65535, not 70000"),
    ],
)
def test_what_makes_no_sense(
    table: Path,
    served: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(table.parent)
    port = [] if "--port" in arguments else ["--port", "0"]
    assert main(["data", "annotate", "photos.csv", *arguments, *port]) == code
    assert told in capsys.readouterr().err
    assert served == []
    assert sorted(path.name for path in table.parent.iterdir()) == ["photos.csv"]


def test_a_second_program_on_the_same_table_is_kept_away(
    table: Path, served: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fcntl")
    with alone(table.with_name("labels.csv")):
        assert _run(table, "--out", table.with_name("labels.csv"), "--no-browser") == 1
    assert "another `poxlens data annotate` is writing it" in capsys.readouterr().err
    assert served == []


def test_without_the_extra_it_says_what_to_install(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert _run(table, "--out", table.with_name("labels.csv")) == 2
    assert 'pip install "poxlens[serve]"' in capsys.readouterr().err


def test_a_table_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "none.csv"
    assert main(["data", "annotate", str(table), "--out", str(tmp_path / "labels.csv")]) == 2
    assert f"{table}: no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
