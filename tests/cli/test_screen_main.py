from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest
import typer

import poxlens
from poxlens.cli import main as main_module
from poxlens.cli.main import VERBS, main


def test_help_lists_every_verb_without_importing_it():
    code = (
        "import sys; from poxlens.cli.main import main; main(['--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('poxlens.') or m in ('typer', 'numpy')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    *help_text, modules = out.splitlines()
    for verb, text in VERBS.items():
        assert any(line.split(None, 1) == [verb, text] for line in help_text)
    assert modules == "['poxlens.cli', 'poxlens.cli.main', 'poxlens.errors']"


FAMILIES = ("data", "pretrain")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("screen", *FAMILIES)])
def test_every_verb_is_a_command_with_help(verb, capsys):
    member = getattr(importlib.import_module(f"poxlens.cli.{verb}"), verb)
    assert isinstance(member, typer.Typer) or inspect.isfunction(member)
    assert main([verb, "--help"]) == 0
    assert f"Usage: poxlens {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_verbs_lists_them(family, capsys):
    verbs = importlib.import_module(f"poxlens.cli.{family}").VERBS
    assert main([family, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: poxlens {family}")
    for verb, text in verbs.items():
        assert any(line.split(None, 1) == [verb, text] for line in shown.splitlines())


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"poxlens {poxlens.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scren"], "no verb 'scren'; did you mean screen?"),
        (["qqq"], "no verb 'qqq'; see: poxlens --help"),
        (["--verbose"], "no option --verbose; see: poxlens --help"),
        (["pyproject.toml"], "to screen a photo: poxlens screen pyproject.toml"),
    ],
)
def test_what_is_no_verb_is_misuse(arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_nothing_is_misuse_and_shows_the_verbs(capsys):
    assert main([]) == 2
    assert "Verbs:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (poxlens.errors.BundleError("the bundle is damaged"), 1, "poxlens: the bundle is damaged\n"),
        (main_module.MisuseError("no such thing"), 2, "poxlens: no such thing\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "poxlens: /x: Permission denied\n"),
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("by zero"), 1, "poxlens: internal fault at test_screen_main.py:"),
    ],
)
def test_every_fault_becomes_a_code_and_at_most_a_line(fault, code, message, capsys, monkeypatch):
    def fail(_):
        raise fault

    monkeypatch.setattr(main_module, "_dispatch", fail)
    assert main(["screen"]) == code
    found = capsys.readouterr().err
    assert found == message or (
        message and found.startswith(message) and "ZeroDivisionError: by zero\n" in found
    )


def test_a_missing_package_says_what_to_install(capsys, monkeypatch):
    def missing(_):
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(main_module, "import_module", missing)
    assert main(["train"]) == 1
    assert "needs the Python package 'torch'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["phantom"], "phantom: missing option '--out'; see: poxlens phantom --help"),
        (["phantom", "--n", "x", "--out", "p"], "phantom: invalid value for '--n': "),
        (["evaluate", "default"], "evaluate: missing argument 'manifest'; see: poxlens evaluate --help"),
        (["app", "--bogus"], "app: no such option: --bogus"),
        (["bundle"], "bundle: say which: show, verify; see: poxlens bundle --help"),
        (["bundle", "shw"], "bundle: no such command 'shw'"),
        (["bundle", "show", "--jsn"], "bundle show: no such option: --jsn"),
    ],
)
def test_a_wrong_command_line_is_one_line_for_every_verb(arguments, message, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"poxlens: {message}")
    assert err.count("\n") == 1
    assert err.endswith("--help\n")
