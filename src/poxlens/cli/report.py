"""`poxlens report`: make the report of a study again, from its run folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.recipes.compare.report.write import Report

LEAST_RESAMPLES = 100


def report(
    run: Annotated[Path, typer.Argument(help="Run folder of poxlens compare, with predictions.csv.")],
    resamples: Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")] = 2000,
    no_umap: Annotated[
        bool, typer.Option("--no-umap", help="Leave out the plots by UMAP, which take longest.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every number as JSON.")] = False,
) -> None:
    """Make a study's report: tables, statistics, figures, one page, in RUN/report."""
    from poxlens.cli.main import MisuseError
    from poxlens.cli.progress import steps

    if not run.is_dir():
        raise MisuseError(f"report: {run}: no such folder")
    if resamples < LEAST_RESAMPLES:
        raise MisuseError(f"report: --resamples must be {LEAST_RESAMPLES} or more, not {resamples}")
    try:
        from poxlens.recipes.compare.report.write import write_report

        made = write_report(run, resamples=resamples, with_umap=not no_umap, step=steps())
    except ModuleNotFoundError as missing:
        raise MissingExtraError("study", f"poxlens report (it needs {missing.name})") from missing
    show(made, as_json=as_json)


def show(made: Report, *, as_json: bool) -> None:
    """Print the most important of a report, or all of it as JSON."""
    if as_json:
        print((made.folder / "metrics.json").read_text("utf-8"), end="")
        return
    from poxlens.recipes.compare.report.wording import result_told

    found = made.analysis
    if found.record.warning:
        print(found.record.warning)
    for told in found.incomplete:
        print(f"Incomplete, left out: {told}")
    print(result_told(found))
    print(f"Report: {made.folder / 'report.html'} ({len(made.files)} files)")
