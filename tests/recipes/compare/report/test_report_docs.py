"""The snippets of docs/report.md run."""

import re
import shlex
from pathlib import Path

from poxlens.cli.main import main

DOCUMENT = Path(__file__).parents[4] / "docs" / "report.md"


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_commands_run(make_run, tmp_path, monkeypatch, capsys):
    make_run(tmp_path / "runs" / "msld")
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for block in snippets("sh") for line in block.splitlines()]
    assert [command[:2] for command in commands] == [["poxlens", "report"]]
    for command in commands:
        assert main(command[1:]) == 0
    assert "Most accurate" in capsys.readouterr().out
    assert (tmp_path / "runs" / "msld" / "report" / "report.html").is_file()


def test_the_python_runs():
    (code,) = snippets("python")
    exec(compile(code, "docs/report.md", "exec"), {})
