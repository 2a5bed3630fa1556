"""Options that several verbs of the laboratory have, and what they mean."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from poxlens.cli.main import MisuseError

Weights = Annotated[
    list[Path] | None,
    typer.Option("--weights", help="Folder of pretrained weights; also the environment's POXLENS_WEIGHTS."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never download weights.")]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder of features; default: OUT/features.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with what is in OUT; what is finished is not done again.")
]
WhereAsJson = Annotated[bool, typer.Option("--json", help="Print where everything is as JSON.")]


def weight_folders(named: list[Path] | None) -> tuple[Path, ...]:
    """The folders to look for weights in: those named, then those in POXLENS_WEIGHTS."""
    told = os.environ.get("POXLENS_WEIGHTS", "")
    return (*(named or ()), *(Path(part) for part in told.split(os.pathsep) if part))


def refuse_used(out: Path, mark: str, *, resume: bool) -> None:
    """Keep a run apart from one that the folder holds already.

    Args:
        out: the run folder.
        mark: a file or folder in it that any run leaves.
        resume: whether going on was asked for.

    Raises:
        MisuseError: it holds a run, and nobody asked to go on with it.
    """
    if (out / mark).exists() and not resume:
        raise MisuseError(
            f"{out} holds a run already: add --resume to go on with it, or name another folder."
        )
