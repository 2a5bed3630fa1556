"""`poxlens compare`: networks and heads on one table of images, under one protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from poxlens.errors import MissingExtraError

ENGINES = ("local", "ray")


def compare(
    study: Annotated[
        Path, typer.Argument(help="The study: a TOML file; docs/compare.md says what is in it.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            "--weights", help="Folder of pretrained weights; also the environment's POXLENS_WEIGHTS."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of features; default: OUT/features.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what is in OUT; finished units are not done again.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Units worked on at once.")] = 2,
    engine: Annotated[str, typer.Option("--engine", help=f"One of: {', '.join(ENGINES)}.")] = "local",
    address: Annotated[
        str | None, typer.Option("--address", help="Address of a Ray cluster, with --engine ray.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print where everything is as JSON.")] = False,
) -> None:
    """Compare networks and heads: cross-validation, tuning, statistics, a report."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import environment_folders, steps

    if engine not in ENGINES:
        raise MisuseError(f"--engine must be one of {', '.join(ENGINES)}, not {engine!r}.")
    if (out / "units").exists() and not resume:
        raise MisuseError(
            f"{out} holds a run already: add --resume to go on with it, or name another folder."
        )
    try:
        from poxlens.recipes.compare.run import Where
        from poxlens.recipes.compare.run import compare as run
        from poxlens.recipes.compare.study import StudyError, read_study
    except ModuleNotFoundError as missing:
        raise MissingExtraError("study", f"poxlens compare (it needs {missing.name})") from missing
    try:
        asked = read_study(study)
    except StudyError as fault:
        raise MisuseError(str(fault)) from fault
    where = Where(
        out=out,
        base=study.parent,
        weights=tuple(weights or ()) + environment_folders(),
        downloads=None if offline else out / "weights",
        cache=cache,
        jobs=jobs,
        engine="ray" if engine == "ray" else "local",
        address=address,
    )
    done = run(asked, where, step=steps())
    told = {
        "out": str(out),
        "predictions": str(out / "predictions.csv"),
        "units": done.units,
        "failed": done.failed,
        "skipped": [list(one) for one in done.skipped],
    }
    if as_json:
        print(json.dumps(told))
    else:
        print(f"{done.units} units are done; predictions: {told['predictions']}")
        for name, why in done.failed.items():
            print(f"  failed: {name}: {why}")
        for file, why in done.skipped:
            print(f"  left out: {file}: {why}")
    if done.failed:
        raise typer.Exit(1)
