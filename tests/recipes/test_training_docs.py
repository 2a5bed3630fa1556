"""docs/training.md: its commands and programs run, and its tables are those of the source."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from poxlens.cli.main import main
from poxlens.recipes import default
from poxlens.train.networks.levels import SUFFIX
from poxlens.train.networks.registry import find_network

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")


def test_the_command_line(tmp_path, monkeypatch, capsys):
    (line,) = re.findall(r"```sh\n(.*?)\n```", TEXT)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "manifest.csv").write_text("file,label\na.png,mpox\n")
    asked = []

    def run(manifest, where, recipe, *, step):
        asked.append((len(manifest.rows), where.out))
        return SimpleNamespace(digest="d", label="made", manifest=SimpleNamespace(limits=[]))

    monkeypatch.setattr(default, "train", run)
    words = shlex.split(line)
    assert words[0] == "poxlens"
    assert main(words[1:]) == 0
    assert asked == [(1, Path("runs/mine"))]


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_programs_run(code, capsys):
    exec(compile(code, "training.md", "exec"), {})
    assert capsys.readouterr().out


def test_every_label_and_network_is_told():
    for label in default.LABELS.meaning:
        assert f"`{label}`" in TEXT
    for name in (*default.Recipe().networks, default.Recipe().duplicate_network):
        network, base = find_network(name), name.removesuffix(SUFFIX)
        (row,) = [line for line in TEXT.splitlines() if line.startswith("| `") and f"`{base}`" in line]
        assert network.weights.licence in row
        assert (network.weights.package or "hub").replace("_", "-") in row
    for probe in default.Recipe().probes:
        assert f"`{probe}`" in TEXT


def test_the_files_of_the_source_are_there():
    root = Path(default.__file__).parents[1]
    named = re.findall(r"`((?:train|data|recipes|export)/\w+\.py)`", TEXT)
    assert len(named) >= 10
    assert [name for name in named if not (root / name).exists()] == []
