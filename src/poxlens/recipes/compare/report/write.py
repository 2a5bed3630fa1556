"""The report on disk: made aside and put in place whole, the same bytes from the same run folder."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from poxlens.evaluate.intervals import RESAMPLES
from poxlens.files import write_atomically
from poxlens.recipes.compare.report.analysis import Analysis, analyse
from poxlens.recipes.compare.report.curves import curve_figures
from poxlens.recipes.compare.report.drawing import Figure
from poxlens.recipes.compare.report.embeddings import Embedding, pca, read_features, umap
from poxlens.recipes.compare.report.metrics import metrics
from poxlens.recipes.compare.report.page import page
from poxlens.recipes.compare.report.spaces import embedding_figure, search_figure
from poxlens.recipes.compare.report.table import Table, joined
from poxlens.recipes.compare.report.tables import tables as all_tables
from poxlens.recipes.default import Step, silent

LEAST_EMBEDDED = 10  # images; fewer make no cloud


@dataclass(frozen=True, eq=False)
class Report:
    """A report that was written."""

    folder: Path
    analysis: Analysis
    files: tuple[str, ...]  # relative to the folder


def write_report(
    run: Path, *, resamples: int = RESAMPLES, with_umap: bool = True, step: Step = silent
) -> Report:
    """Make `report/` of a run folder, from what is in it alone.

    Args:
        run: the run folder of a study.
        resamples: of each bootstrap.
        with_umap: draw the features by UMAP too, whose import takes seconds.
        step: shows progress.

    Raises:
        ReportError: the folder is not one of a study, or a table in it is not as it should be.
        OSError: the report cannot be written; an earlier one is still whole.
    """
    found = analyse(run, resamples=resamples, step=step)
    tables = all_tables(found)
    embeddings = _embeddings(run, found, with_umap, step)
    figures = [*curve_figures(found), *(search_figure(one) for one in found.searches)]
    stills = [(one, embedding_figure(one, found.tested)) for one in embeddings]
    target = run / "report"
    aside = Path(tempfile.mkdtemp(dir=run, prefix=".report."))
    try:
        aside.chmod(0o755)
        _write_tables(aside, tables)
        _write_figures(aside, [*figures, *(figure for _, figure in stills)], step)
        told = json.dumps(metrics(found), indent=1, allow_nan=False)
        write_atomically(aside / "metrics.json", told + "\n")
        write_atomically(aside / "report.html", page(found, tables, figures, stills))
        _replace(target, aside)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    written = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    return Report(target, found, tuple(written))


def _embeddings(run: Path, found: Analysis, with_umap: bool, step: Step) -> list[Embedding]:
    if len(found.tested.files) < LEAST_EMBEDDED:
        return []
    features = read_features(run, found.record, found.tested)
    methods = (pca, umap) if with_umap else (pca,)
    made = []
    with step("features in three dimensions", len(features) * len(methods)) as tick:
        for network, table in features.items():
            for method in methods:
                made.append(method(network, table))
                tick(1)
    return made


def _write_tables(folder: Path, tables: tuple[Table, ...]) -> None:
    for table in tables:
        write_atomically(folder / "tables" / f"{table.name}.csv", table.csv())
        write_atomically(folder / "tables" / f"{table.name}.md", table.markdown())
        write_atomically(folder / "tables" / f"{table.name}.tex", table.latex())
    write_atomically(folder / "tables" / "all.md", joined(tables))


def _write_figures(folder: Path, figures: list[Figure], step: Step) -> None:
    with step("figures drawn", len(figures)) as tick:
        for figure in figures:
            for name, content in figure.files().items():
                write_atomically(folder / "figures" / name, content)
            tick(1)


def _replace(target: Path, made: Path) -> None:
    """Put a folder in another's place; a reader sees the old one or the new one, but for the blink between."""
    old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".report.")) / "old"
    try:
        if target.exists():
            os.replace(target, old)  # noqa: PTH105
        os.replace(made, target)  # noqa: PTH105
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
