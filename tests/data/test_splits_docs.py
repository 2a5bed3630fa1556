"""docs/splits.md: its program runs and its options are those of the verb."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poxlens.cli.main import main
from poxlens.data.tones import CAMPANA_MCSI

TEXT = (Path(__file__).parents[2] / "docs" / "splits.md").read_text("utf-8")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_programs_run(code, capsys):
    exec(compile(code, "splits.md", "exec"), {})
    assert capsys.readouterr().out == "20 groups\n"


def test_every_option_is_told(capsys):
    main(["data", "split", "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help", "--tones"}
    assert len(options) == 16
    assert [option for option in sorted(options) if not re.search(rf"{option}\b", TEXT)] == []


def test_the_published_counts_are_told():
    for name, (light, dark) in CAMPANA_MCSI.items():
        assert f"| {name} | {light} / {dark} |" in TEXT
