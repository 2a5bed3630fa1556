"""What both verbs of the export are given: a run and the images that it learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.options import weight_folders
from poxlens.errors import ManifestError, MissingExtraError, SplitError

if TYPE_CHECKING:
    from poxlens.recipes.phone.material import Material

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder that the files of the table are relative to; default: the table's."),
]
Table = Annotated[
    Path | None,
    typer.Option(
        "--manifest", help="CSV of images that the run learnt from; default: manifest.csv in --data."
    ),
]
Groups = Annotated[Path | None, typer.Option("--groups", help="CSV file,group, where the run had one.")]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder of features; default: the run's.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Images read at once.")]


def material_of(
    run: Path,
    data: Path | None,
    table: Path | None,
    groups: Path | None,
    weights: list[Path] | None,
    cache: Path | None,
    *,
    jobs: int,
    offline: bool,
) -> Material:
    """The material of a run, from what the command line gives.

    Raises:
        MisuseError: the run or the table is not as it should be.
        MissingExtraError: torch and the rest are not installed.
        ExportError: the run and the table do not belong together.
    """
    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import steps
    from poxlens.data.manifest import read_manifest
    from poxlens.data.splits.units import with_groups

    if not run.is_dir():
        raise MisuseError(f"{run}: no such run; name a folder of poxlens train")
    try:
        from poxlens.recipes.default import Where
        from poxlens.recipes.phone.trained import is_trained, trained_material
    except ModuleNotFoundError as missing:
        raise MissingExtraError("export", f"poxlens export (it needs {missing.name})") from missing
    if (run / "study.json").is_file():
        raise MisuseError(
            f"{run}: a comparison keeps predictions and no fitted head. Train the network that it favours with: "
            "poxlens train --network NAME --out RUN, and export that run"
        )
    if not is_trained(run):
        raise MisuseError(f"{run}: no recipe.json in it; name a run folder of poxlens train")
    listed = table or (data / "manifest.csv" if data else None)
    if listed is None:
        raise MisuseError(
            "Name the table of images that the run learnt from with --manifest, or its folder with --data: ranges are "
            "read off its training images, and every form is tested on them."
        )
    try:
        images = read_manifest(listed, root=data)
        images = with_groups(images, groups) if groups else images
    except (ManifestError, SplitError) as fault:
        raise MisuseError(str(fault)) from fault
    where = Where(run, weight_folders(weights), cache, None if offline else run / "weights", jobs)
    return trained_material(run, images, where, steps())
