"""`poxlens train`: a table of images becomes a bundle with its evidence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.errors import ManifestError, MissingExtraError

if TYPE_CHECKING:
    from poxlens.recipes.default import Advance, Step

RECIPES = ("default",)


def train(
    out: Annotated[Path, typer.Option("--out", help="Run folder; the bundle is written to OUT/bundle.")],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="CSV of images; default: manifest.csv in --data.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder that the files are relative to; default: the table's."),
    ] = None,
    recipe: Annotated[str, typer.Option("--recipe", help=f"One of: {', '.join(RECIPES)}.")] = "default",
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            "--weights", help="Folder of pretrained weights; also the environment's POXLENS_WEIGHTS."
        ),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of features; default: OUT/features.")
    ] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Repeats of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every split.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Folds and images worked on at once.")] = 2,
    offline: Annotated[bool, typer.Option("--offline", help="Never download weights.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print where everything is as JSON.")] = False,
) -> None:
    """Train a bundle from a table of images (CSV with the columns file, label and, better, dataset and patient)."""
    from poxlens.cli.main import MisuseError
    from poxlens.data.manifest import read_manifest

    if recipe not in RECIPES:
        raise MisuseError(f"--recipe must be one of {', '.join(RECIPES)}, not {recipe!r}.")
    table = manifest or (data / "manifest.csv" if data else None)
    if table is None:
        raise MisuseError("Name the table of images with --manifest, or its folder with --data.")
    try:
        images = read_manifest(table, root=data)
    except ManifestError as fault:
        raise MisuseError(str(fault)) from fault
    try:
        from poxlens.recipes.default import Recipe, Where
        from poxlens.recipes.default import train as run
        from poxlens.recipes.protocol import Plan
    except ModuleNotFoundError as missing:
        raise MissingExtraError("train", f"poxlens train (it needs {missing.name})") from missing
    folders = tuple(weights or ()) + _environment_folders()
    where = Where(out, folders, cache, None if offline else out / "weights", jobs)
    bundle = run(images, where, Recipe(plan=Plan(repeats=repeats, seed=seed, jobs=jobs)), step=_steps())
    told = {
        "bundle": str(out / "bundle"),
        "card": str(out / "bundle" / "MODEL_CARD.md"),
        "predictions": str(out / "predictions.csv"),
        "digest": bundle.digest,
    }
    if as_json:
        print(json.dumps(told))
    else:
        print(f"Bundle {bundle.label}")
        for name in ("bundle", "card", "predictions"):
            print(f"  {name:<12}{told[name]}")


def _nothing(count: int = 1, /) -> None:
    del count


def _environment_folders() -> tuple[Path, ...]:
    told = os.environ.get("POXLENS_WEIGHTS", "")
    return tuple(Path(part) for part in told.split(os.pathsep) if part)


def _steps() -> Step:
    """A progress bar a step on a terminal, one line a step elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)

    @contextmanager
    def step(name: str, total: int) -> Iterator[Advance]:
        if not console.is_terminal:
            console.print(f"{name} ({total})", highlight=False)
            yield _nothing
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(name, total=total)
            yield lambda count=1: progress.advance(task, count)

    return step
