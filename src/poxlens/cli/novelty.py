"""`poxlens novelty`: what a model does not know, measured."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.options import Cache, Offline, Resume, Weights, WhereAsJson, refuse_used, weight_folders
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.recipes.novelty.verb import Told


def novelty(
    study: Annotated[
        Path, typer.Argument(help="The study: a TOML file; docs/novelty.md says what is in it.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    weights: Weights = None,
    cache: Cache = None,
    resume: Resume = False,
    fold: Annotated[
        list[str] | None,
        typer.Option("--fold", help="Of MIM: only this fold, as sane-1 or printed-3; as often as needed."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0, help="Of MIM: train no longer; go on later with --resume."),
    ] = None,
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Of MIM: also a local page with the inpainted photos.")
    ] = False,
    gate: Annotated[
        str | None,
        typer.Option("--gate", help='"mim": write MIM for the runtimes of a bundle, into OUT/gate-mim.'),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images worked on at once.")] = 2,
    offline: Offline = False,
    as_json: WhereAsJson = False,
) -> None:
    """Measure detectors of novelty: each condition left out of training, another kind of photo, no skin at all."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.time_left import long_steps

    refuse_used(out, "study.json", resume=resume)
    if gate not in (None, "mim"):
        raise MisuseError(
            f'--gate must be "mim", not {gate!r}; the gate of a bundle comes with poxlens train.'
        )
    try:
        from poxlens.recipes.default import Where
        from poxlens.recipes.novelty.study import StudyError, read_study
        from poxlens.recipes.novelty.verb import Asked, run
    except ModuleNotFoundError as missing:
        raise MissingExtraError("study", f"poxlens novelty (it needs {missing.name})") from missing
    try:
        asked = read_study(study)
    except StudyError as fault:
        raise MisuseError(str(fault)) from fault
    if asked.mim is None and (fold or gallery or gate or minutes is not None):
        raise MisuseError(f"{study} has no [mim]: --fold, --minutes, --gallery and --gate are of MIM.")
    where = Where(
        out=out,
        weights=weight_folders(weights),
        cache=cache,
        downloads=None if offline else out / "weights",
        workers=jobs,
    )
    names = tuple(fold or ())
    limit = math.inf if minutes is None else minutes
    told = run(asked, where, Asked(names, limit, gallery, gate is not None), step=long_steps())
    _show(told, as_json=as_json)
    if told.failed:
        raise typer.Exit(1)


def _show(told: Told, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told.to_json()))
        return
    for name, path in told.files.items():
        print(f"{name}: {path}")
    for name, epochs in told.epochs.items():
        print(f"  MIM {name}: {epochs} epochs")
    for what, why in told.failed.items():
        print(f"  failed: {what}: {why}")
    for file, why in told.skipped:
        print(f"  left out: {file}: {why}")
