"""`poxlens train`: a table of images becomes a bundle with its evidence."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from poxlens.cli.options import Cache, Offline, Weights, WhereAsJson, weight_folders
from poxlens.errors import ManifestError, MissingExtraError, SplitError

RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    "joined": {
        "name": "poxlens-joined",
        "networks": ("efficientnet-lite0", "mobilenet-v3-small", "mobilenet-v2"),
        "backbone_bytes": 11_000_000,
    },
    "steady": {"name": "poxlens-steady", "plan": {"steadiness": 1.0}},
}
"""Recipe -> what it changes of the default one; `joined` is of three networks side by side, `steady` heads read from
directions that computing in eight bits leaves alone (docs/accuracy.md says what that costs)."""

STUDIES = "aism"
"""The recipe that trains whole networks and judges them, as `poxlens aism` does; it makes no bundle."""


def train(
    out: Annotated[Path, typer.Option("--out", help="Run folder; the bundle is written to OUT/bundle.")],
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="CSV of images; default: manifest.csv in --data.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder that the files are relative to; default: the table's."),
    ] = None,
    recipe: Annotated[
        str, typer.Option("--recipe", help=f"One of: {', '.join([*RECIPES, STUDIES])}.")
    ] = "default",
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network", help="Network of the backbone, several side by side; default: the recipe's."
        ),
    ] = None,
    weights: Weights = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups", help="CSV file,group of `poxlens data duplicates`: one photo in several files."
        ),
    ] = None,
    cache: Cache = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Repeats of the cross-validation.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every split.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Folds and images worked on at once.")] = 2,
    offline: Offline = False,
    study: Annotated[
        Path | None,
        typer.Option(
            "--study", help="Of --recipe aism: the TOML file that decides everything; docs/aism.md."
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Of --recipe aism: only say what it will take on this machine.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Of --recipe aism: go on with what is in OUT.")
    ] = False,
    as_json: WhereAsJson = False,
) -> None:
    """Train a bundle from a table of images (CSV with the columns file, label and, better, dataset and patient)."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import steps
    from poxlens.data.manifest import read_manifest
    from poxlens.data.splits.units import with_groups

    if recipe == STUDIES:
        _aism(study, out, weights, cache, jobs, plan=plan, resume=resume, offline=offline, as_json=as_json)
        return
    if study is not None or plan or resume:
        raise MisuseError(f"--study, --plan and --resume are of --recipe {STUDIES}.")
    if recipe not in RECIPES:
        raise MisuseError(f"--recipe must be one of {', '.join([*RECIPES, STUDIES])}, not {recipe!r}.")
    table = manifest or (data / "manifest.csv" if data else None)
    if table is None:
        raise MisuseError("Name the table of images with --manifest, or its folder with --data.")
    try:
        images = read_manifest(table, root=data)
        images = with_groups(images, groups) if groups else images
    except (ManifestError, SplitError) as fault:
        raise MisuseError(str(fault)) from fault
    try:
        from poxlens.recipes.default import Recipe, Where
        from poxlens.recipes.default import train as run
        from poxlens.recipes.shipping import ONE_SOURCE
    except ModuleNotFoundError as missing:
        raise MissingExtraError("train", f"poxlens train (it needs {missing.name})") from missing
    folders = weight_folders(weights)
    where = Where(out, folders, cache, None if offline else out / "weights", jobs)
    changes = dict(RECIPES[recipe])
    protocol = replace(Recipe().plan, repeats=repeats, seed=seed, jobs=jobs)
    choices = replace(Recipe(), plan=replace(protocol, **changes.pop("plan", {})), **changes)
    if network:
        choices = replace(choices, networks=tuple(network))
    bundle = run(images, where, choices, step=steps())
    told = {
        "bundle": str(out / "bundle"),
        "card": str(out / "bundle" / "MODEL_CARD.md"),
        "predictions": str(out / "predictions.csv"),
        "digest": bundle.digest,
    }
    if ONE_SOURCE in bundle.manifest.limits:
        print(f"note: {ONE_SOURCE}", file=sys.stderr)
    if as_json:
        print(json.dumps(told))
    else:
        print(f"Bundle {bundle.label}")
        for name in ("bundle", "card", "predictions"):
            print(f"  {name:<12}{told[name]}")


def _aism(
    study: Path | None,
    out: Path,
    weights: list[Path] | None,
    cache: Path | None,
    jobs: int,
    *,
    plan: bool,
    resume: bool,
    offline: bool,
    as_json: bool,
) -> None:
    """The same as `poxlens aism STUDY`."""
    from poxlens.cli.aism import aism
    from poxlens.cli.main import MisuseError

    if study is None:
        raise MisuseError(f"--recipe {STUDIES} needs --study: a TOML file; docs/aism.md says what is in it.")
    aism(
        study,
        out,
        weights,
        cache,
        plan=plan,
        resume=resume,
        jobs=jobs,
        offline=offline,
        as_json=as_json,
    )
