"""`poxlens pretrain METHOD`: imports the module of the method asked for and no other."""

from __future__ import annotations

import sys

from poxlens.cli.main import MISUSE, OK, MisuseError, run_typer

VERBS = {"simclr": "Teach a network, without labels, that two views of one image are alike (SimCLR)."}
"""Method -> what it does."""


def run(arguments: list[str]) -> int:
    """Run `poxlens pretrain` with these arguments; the exit code."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        (sys.stdout if arguments else sys.stderr).write(usage())
        return OK if arguments else MISUSE
    method = arguments[0]
    if method not in VERBS:
        raise MisuseError(f"pretrain: no method {method!r}; there is: {', '.join(VERBS)}")
    return run_typer(f"pretrain {method}", arguments[1:])


def usage() -> str:
    """The text of `poxlens pretrain --help`."""
    width = max(map(len, VERBS))
    methods = "\n".join(f"  {method:<{width}}  {text}" for method, text in VERBS.items())
    return (
        "Usage: poxlens pretrain METHOD [OPTIONS] ...\n\n"
        "Let a network learn from images without labels, to be fine-tuned later on a few with labels.\n\n"
        f"Methods:\n{methods}\n\n"
        "Options:\n  --help  Print this text; `poxlens pretrain METHOD --help` for a method.\n"
    )
