"""`poxlens data leak-demo`: what a split that leaks adds to the figures of the same head on the same images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.options import Offline, Weights, weight_folders
from poxlens.cli.progress import steps
from poxlens.errors import ManifestError, MissingExtraError

if TYPE_CHECKING:
    from poxlens.data.manifest import Manifest
    from poxlens.recipes.leak.report import Report
    from poxlens.recipes.leak.tasks import Plan

_LISTED = 20  # unreadable files named in the terminal; the page and the JSON name all


def leak_demo(
    manifest: Annotated[Path, typer.Argument(help="Table of images; see docs/leak.md.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for page, figure, metrics and predictions.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="The data set to test. Default: the whole table.")
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option("--with", help="Another data set to learn from in two more protocols. Repeatable."),
    ] = None,
    target: Annotated[str, typer.Option("--target", help="The label screened for.")] = "mpox",
    binary: Annotated[bool, typer.Option("--binary", help="The target against all other labels.")] = False,
    copies: Annotated[int, typer.Option("--copies", min=1, help="Augmented copies of each image.")] = 13,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="CSV with file and group: near-duplicates held together.")
    ] = None,
    weights: Weights = None,
    network: Annotated[str, typer.Option("--network", help="The frozen backbone.")] = "efficientnet-lite0",
    heads: Annotated[
        list[str] | None, typer.Option("--head", help="A head to train. Repeatable; default: all.")
    ] = None,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Also fine-tune a whole small network, once.")
    ] = False,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Of the fine-tuning.")] = 4,
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Repeats of the cross-validation.")] = 5,
    folds: Annotated[int, typer.Option("--folds", min=2, help="Folds of each.")] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of copies, splits and bootstrap.")] = 0,
    cache: Annotated[Path | None, typer.Option("--cache", help="Features; default: OUT/features.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Images and splits worked on at once.")] = 2,
    offline: Offline = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Train one head under the field's common protocol and the honest one on the same images, and compare."""
    try:
        from poxlens.recipes.leak.heads import HEADS
        from poxlens.recipes.leak.network import Tuning
        from poxlens.recipes.leak.run import run
        from poxlens.recipes.leak.tasks import Plan
    except ModuleNotFoundError as missing:
        raise MissingExtraError("train", f"poxlens data leak-demo (it needs {missing.name})") from missing
    from poxlens.recipes.default import Where
    from poxlens.recipes.leak.report import report
    from poxlens.train.backbones import NETWORKS

    _known("--network", network, NETWORKS)
    for head in heads or ():
        _known("--head", head, HEADS)
    if others and dataset is None:
        raise MisuseError("data leak-demo: --with needs --dataset: which data set is tested?")
    if others and groups is None:
        raise MisuseError(
            "data leak-demo: --with needs --groups: which images of the data sets are the same?"
        )
    if dataset in (others or ()):
        raise MisuseError(f"data leak-demo: {dataset} cannot be both --dataset and --with")
    table, held = _tables(manifest, root, groups)
    plan = Plan(
        dataset=dataset,
        others=tuple(dict.fromkeys(others or ())),
        target=target,
        binary=binary,
        copies=copies,
        network=network,
        heads=tuple(dict.fromkeys(heads or HEADS)),
        repeats=repeats,
        folds=folds,
        seed=seed,
        tuning=Tuning(epochs=epochs) if fine_tune else None,
    )
    _check_rows(table, plan)
    folders = weight_folders(weights)
    where = Where(out, folders, cache, None if offline else out / "weights", jobs)
    found = report(run(table, where, plan, held, step=steps()))
    _finish(found, out, as_json=as_json)


def _known(option: str, name: str, names: object) -> None:
    known = list(names)  # type: ignore[call-overload]
    if name not in known:
        raise MisuseError(f"data leak-demo: {option} must be one of {', '.join(known)}, not {name!r}")


def _tables(manifest: Path, root: Path | None, groups: Path | None) -> tuple[Manifest, dict[str, str]]:
    from pathlib import PurePosixPath

    from poxlens.data.manifest import read_manifest
    from poxlens.recipes.leak.collection import read_groups

    if root is not None and not root.is_dir():
        raise MisuseError(f"data leak-demo: --root {root}: no such folder")
    try:
        table = read_manifest(manifest, root=root)
        held = read_groups(groups) if groups else {}
    except ManifestError as fault:
        raise MisuseError(f"data leak-demo: {fault}") from fault
    if groups and not any(str(PurePosixPath(row.file)) in held for row in table.rows):
        raise MisuseError(f"data leak-demo: --groups {groups}: names no file of {manifest}")
    return table, held


def _check_rows(table: Manifest, plan: Plan) -> None:
    """What is asked of the table that it does not hold is misuse, told before any work."""
    from poxlens.errors import TrainingError
    from poxlens.recipes.leak.collection import choose_rows

    try:
        choose_rows(table, plan.dataset, plan.others, plan.target, binary=plan.binary)
    except TrainingError as fault:
        raise MisuseError(f"data leak-demo: {fault}") from fault


def _finish(found: Report, out: Path, *, as_json: bool) -> None:
    from poxlens.files import write_atomically
    from poxlens.recipes.leak.figures import FIGURES
    from poxlens.recipes.leak.page import page
    from poxlens.recipes.leak.plots import copies_panel, figure_panel, standalone
    from poxlens.recipes.leak.report import to_json

    text = json.dumps(to_json(found), indent=1, ensure_ascii=True, allow_nan=False)
    write_atomically(out / "metrics.json", text + "\n")
    write_atomically(out / "leak.html", page(found))
    panels = [*(figure_panel(found, name) for name in FIGURES), copies_panel(found, "accuracy")]
    write_atomically(out / "leak.svg", standalone(panels))
    if as_json:
        print(text)
    else:
        _show(found, out)
    if found.skipped:
        raise typer.Exit(FAILED)


def _show(found: Report, out: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from poxlens.recipes.leak.figures import FIGURES
    from poxlens.recipes.leak.report import TOLD, written

    # A pipe or a file has no width: wide enough for the table.
    console = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    title = (
        f"{found.images} images in {found.groups} groups, {found.plan.copies} copies of each; 95 % intervals"
    )
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("head", "protocol", "tested rows", "seen", *FIGURES):
        made.add_column(name, justify="left" if name in ("head", "protocol") else "right", overflow="fold")
    for head in found.heads:
        for protocol in TOLD:
            one = found.of(head, protocol)
            if one is not None:
                seen = "–" if one.seen is None else f"{one.seen:.0%}"
                figures = (written(one.clustered[name]) for name in FIGURES)
                made.add_row(head, protocol, str(one.rows), seen, *figures)
        gap = found.gap(head, "common", "grouped")
        if gap is not None:
            figures = (written(gap.figures[name], signed=True) for name in FIGURES)
            made.add_row("", "common − grouped", "", "", *figures, style="bold", end_section=True)
    console.print(made)
    for skipped in found.skipped[:_LISTED]:
        console.print(Text(f"Not read: {skipped.file} ({skipped.reason})", style="red"))
    if len(found.skipped) > _LISTED:
        console.print(f"... and {len(found.skipped) - _LISTED} more that could not be read")
    console.print(f"Written: {out / 'leak.html'}, leak.svg, metrics.json, predictions", soft_wrap=True)
