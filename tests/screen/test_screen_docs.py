"""Every snippet of docs/screening.md and docs/bundle.md runs, with the tiny bundle as the embedded one."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from poxlens.bundle import store
from poxlens.cli.main import main
from poxlens.screen.context import Context

DOCS = Path(__file__).parents[2] / "docs"


def snippets(language):
    for name in ("screening.md", "bundle.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        yield from re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def command_lines():
    return [line for block in snippets("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture
def desk(tiny, tiny_path, tmp_path, phantoms, monkeypatch):
    """A folder with what the snippets name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(store, "embedded_path", lambda: tiny_path)
    shutil.copytree(tiny_path, tmp_path / "my-bundle")
    (tmp_path / "folder").mkdir()
    for number, name in enumerate(["photo.jpg", "other.jpg", "folder/a.jpg", "folder/b.jpg"]):
        (tmp_path / name).write_bytes(phantoms[number])
    (tmp_path / "answers.json").write_text(next(iter(snippets("json"))))
    return tmp_path


@pytest.mark.parametrize("line", command_lines())
def test_command_lines(desk, line, capsys):
    words = shlex.split(line, comments=True)
    assert words[0] == "poxlens"
    assert main(words[1:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("code", list(snippets("python")))
def test_python(desk, code, capsys):
    exec(compile(code, "snippet", "exec"), {})
    assert capsys.readouterr().out


def test_the_answers_refer(desk):
    answers = Context.from_file(desk / "answers.json")
    assert answers.override == ("context.fever_and_nodes",)
    assert answers.age == 31


def test_every_reason_code_of_the_rule_is_documented():
    from poxlens.screen.reasons import REASONS

    text = (DOCS / "screening.md").read_text(encoding="utf-8")
    for code in REASONS:
        if not code.endswith(".probability"):
            assert f"`{code}`" in text
