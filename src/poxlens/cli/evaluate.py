"""`poxlens evaluate`: test a finished bundle on labelled photos of one's own."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import FAILED, MisuseError

if TYPE_CHECKING:
    from poxlens.bundle.manifest import Manifest as BundleManifest
    from poxlens.data.manifest import Manifest
    from poxlens.evaluate.predictions import Prediction
    from poxlens.evaluate.study import Study

EMBEDDED = "default"


def evaluate(
    bundle: Annotated[str, typer.Argument(help=f'Bundle (folder or .zip), or "{EMBEDDED}".')],
    manifest: Annotated[
        Path, typer.Argument(help="CSV with the columns file and label; see docs/evaluate.md.")
    ],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", metavar="LABEL=CLASS", help="What a label means. Repeatable.")
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option("--positive", metavar="LABEL", help="The label that means the class screened for."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for predictions.csv, evaluation.json and report.html.")
    ] = Path("poxlens-evaluation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", help="Photos worked on side by side. Default: one a core.")
    ] = None,
    resamples: Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
) -> None:
    """Test a bundle on labelled photos: outcomes, sensitivity, specificity, AUROC, with intervals."""
    from poxlens.data.manifest import read_manifest
    from poxlens.evaluate.predictions import Predictions, predict, read_predictions, write_predictions
    from poxlens.evaluate.study import study
    from poxlens.files import write_atomically
    from poxlens.screen.screener import Screener

    _check(bundle, manifest, root, workers, resamples)
    table = read_manifest(manifest, root=root)
    screener = Screener(None if bundle == EMBEDDED else Path(bundle))
    promises = screener.bundle.manifest
    meaning = meanings(table, promises, mapping or [], positive)
    rows = tuple(_progress(predict(screener, table, meaning, workers=workers), len(table.rows)))
    # Every figure comes from the file, so that anyone can compute it again.
    write_predictions(out / "predictions.csv", Predictions(tuple(promises.classes), rows))
    found = study(
        read_predictions(out / "predictions.csv"),
        promises,
        label=screener.bundle.label,
        table_sha256=table.sha256,
        resamples=resamples,
        seed=seed,
    )
    text = json.dumps(to_json(found), indent=2, ensure_ascii=True, allow_nan=False)
    write_atomically(out / "evaluation.json", text + "\n")
    _write_page(found, out / "report.html")
    _show(found, text, out, as_json=as_json)
    if found.unreadable:
        raise typer.Exit(FAILED)


def meanings(
    table: Manifest, bundle: BundleManifest, mapping: Iterable[str], positive: str | None
) -> dict[str, str]:
    """Label -> class of the bundle, for the labels that mean one.

    Raises:
        MisuseError: a label that no row has, a class that the bundle has not, or two meanings of one label.
    """
    found = {label: label for label in table.labels if label in bundle.classes}
    said: dict[str, str] = {}
    for pair in mapping:
        label, equals, name = (part.strip() for part in pair.rpartition("="))
        if not (label and equals and name):
            raise MisuseError(f'evaluate: --map {pair}: write LABEL=CLASS, such as "--map monkeypox=mpox"')
        _agree(said, label, name, f"--map {pair}")
    if positive is not None and positive != bundle.target:
        if positive in bundle.classes:
            raise MisuseError(
                f"evaluate: --positive {positive} is a class of its own in this bundle,"
                f" which screens for {bundle.target}"
            )
        _agree(said, positive, bundle.target, f"--positive {positive}")
    for label, name in said.items():
        if label not in table.labels:
            raise MisuseError(f"evaluate: no row has the label {label}; labels: {', '.join(table.labels)}")
        if name not in bundle.classes:
            raise MisuseError(
                f"evaluate: no class {name} in this bundle; classes: {', '.join(bundle.classes)}"
            )
    return {**found, **said}


def to_json(study: Study) -> dict[str, Any]:
    """The study as JSON-ready values: NaN is null, and every estimate says whether its cases are too few."""
    found: dict[str, Any] = _plain(asdict(study))
    return found


def _agree(said: dict[str, str], label: str, name: str, source: str) -> None:
    if said.setdefault(label, name) != name:
        raise MisuseError(f"evaluate: {source}: {label} is said to mean {said[label]} already")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        plain = {key: _plain(one) for key, one in value.items()}
        if {"low", "high", "cases"} <= value.keys():
            from poxlens.evaluate.intervals import Estimate

            plain["too_few"] = Estimate(**value).too_few
        return plain
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _check(bundle: str, manifest: Path, root: Path | None, workers: int | None, resamples: int) -> None:
    if bundle != EMBEDDED and not Path(bundle).exists():
        raise MisuseError(f"evaluate: bundle {bundle}: no such folder or file")
    if not manifest.is_file():
        raise MisuseError(f"evaluate: table {manifest}: no such file")
    if root is not None and not root.is_dir():
        raise MisuseError(f"evaluate: --root {root}: no such folder")
    if workers is not None and workers < 1:
        raise MisuseError(f"evaluate: --workers must be 1 or more, not {workers}")
    if resamples < 100:
        raise MisuseError(f"evaluate: --resamples must be 100 or more, not {resamples}")


def _progress(predictions: Iterator[Prediction], total: int) -> Iterator[Prediction]:
    if not sys.stderr.isatty():
        yield from predictions
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(predictions, total=total, description="Screening")


def _write_page(found: Study, path: Path) -> None:
    from poxlens.evaluate.page import page
    from poxlens.files import write_atomically

    write_atomically(path, page(found))


def _show(found: Study, text: str, out: Path, *, as_json: bool) -> None:
    if as_json:
        print(text)
        return
    from rich.console import Console

    from poxlens.evaluate.terminal import show

    # A pipe or a file has no width: wide enough for every table.
    console = Console(width=None if sys.stdout.isatty() else 140)
    show(found, console)
    console.print(f"Written: {out / 'report.html'}, evaluation.json, predictions.csv", soft_wrap=True)
