import importlib
import inspect
import subprocess
import sys

import pytest

from poxlens.cli.data import VERBS
from poxlens.cli.main import main


def test_help_lists_every_verb_without_importing_it():
    code = (
        "import sys; from poxlens.cli.main import main; main(['data', '--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('poxlens.cli.data.') or m in ('typer', 'numpy')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *shown, modules = out.splitlines()
    assert {
        verb for verb in VERBS if any(line.split(None, 1) == [verb, VERBS[verb]] for line in shown)
    } == set(VERBS)
    assert modules == "[]"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_command_with_help(verb, capsys):
    name = "import_" if verb == "import" else verb.replace("-", "_")
    assert inspect.isfunction(getattr(importlib.import_module(f"poxlens.cli.data.{name}"), name))
    assert main(["data", verb, "--help"]) == 0
    assert f"Usage: poxlens data {verb}" in capsys.readouterr().out


def test_a_wrong_verb_is_misuse_with_a_hint(capsys):
    assert main(["data", "splti"]) == 2
    assert "data: no verb 'splti'; did you mean split?" in capsys.readouterr().err
    assert main(["data"]) == 2
    assert "Verbs:" in capsys.readouterr().err
