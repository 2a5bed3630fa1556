"""`poxlens data audit`: what in a table of images, and in its split, would make figures lie."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars, steps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from poxlens.audit.audit import Audit
    from poxlens.audit.material import Material
    from poxlens.data.duplicates.labels import Compatible
    from poxlens.data.faults import Faults
    from poxlens.data.manifest import Manifest

FAIL_ON = ("leak", "fault", "warning")


def audit(
    manifest: Annotated[Path, typer.Argument(help="Table of images: CSV or Parquet with file and label.")],
    splits: Annotated[
        Path | None,
        typer.Argument(
            help="How images were dealt: a file of poxlens data split, or a CSV of file and fold."
        ),
    ] = None,
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for audit.json and report.html.")] = Path(
        "poxlens-audit"
    ),
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of what was seen of each file. Default: OUT/scan.")
    ] = None,
    compatible: Annotated[
        list[str] | None,
        typer.Option(
            "--compatible",
            metavar="LABEL=LABEL,...",
            help="Labels that do not contradict each other, such as others=chickenpox,measles. Repeatable.",
        ),
    ] = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm/--no-confirm",
            help="Compare the pixels of photos that may be one. Without: by fingerprint alone, for very large tables.",
        ),
    ] = True,
    folds: Annotated[
        str, typer.Option("--folds", help="Without SPLITS: random folds to tell the leak of.")
    ] = "5,10",
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="Exit 1 at this severity or above: leak, fault or warning.")
    ] = "leak",
    fix: Annotated[
        Path | None, typer.Option("--fix", help="Write a cleaned table here, .csv or .parquet.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Images worked on side by side.")] = 2,
    resamples: Annotated[int, typer.Option("--resamples", help="Bootstrap resamples.")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="Seed of folds, samples and bootstrap.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print audit.json.")] = False,
) -> None:
    """Find leaks, copies, label conflicts, confounded classes and whatever else would make figures lie."""
    from poxlens.audit.audit import Options
    from poxlens.audit.audit import audit as run
    from poxlens.audit.finding import reaches
    from poxlens.audit.folds import read_assignments
    from poxlens.data.duplicates.labels import read_compatible
    from poxlens.errors import ManifestError

    _check(manifest, splits, root, out, fail_on, fix, jobs, resamples)
    table, faults = _read(manifest, root)
    try:
        agree = read_compatible(compatible or [], table.labels)
    except ManifestError as fault:
        raise MisuseError(f"data audit: --compatible {fault}") from fault
    options = Options(_folds(folds), agree, resamples=resamples, seed=seed, workers=jobs)
    assignments = read_assignments(splits, table) if splits else ()
    finder = _finder()
    material = _measure(table, store or out / "scan", agree, jobs, confirm=confirm)
    found = run(
        material,
        name=str(manifest),
        table_sha256=table.sha256,
        options=options,
        table_faults=faults.faults,
        assignments=assignments,
        split=str(splits) if splits else "",
        finder=finder,
        step=steps(),
    )
    written = _write(found, out)
    _show(found, written, as_json=as_json)
    if fix:
        # After the report: a table of which nothing is left has one all the same.
        told = _fix(fix, material, found, faults, table.root)
        print(told, file=sys.stderr if as_json else sys.stdout)
    if reaches(found.findings, fail_on) or found.readable < found.images:
        raise typer.Exit(FAILED)


def _check(
    manifest: Path,
    splits: Path | None,
    root: Path | None,
    out: Path,
    fail_on: str,
    fix: Path | None,
    jobs: int,
    resamples: int,
) -> None:
    """Before any image is opened."""
    if not manifest.is_file():
        raise MisuseError(f"data audit: table {manifest}: no such file")
    if splits is not None and not splits.is_file():
        raise MisuseError(f"data audit: splits {splits}: no such file")
    if root is not None and not root.is_dir():
        raise MisuseError(f"data audit: --root {root}: no such folder")
    if out.exists() and not out.is_dir():
        raise MisuseError(f"data audit: --out {out}: is a file")
    if fail_on not in FAIL_ON:
        raise MisuseError(f"data audit: --fail-on must be one of {', '.join(FAIL_ON)}, not {fail_on!r}")
    if fix is not None and fix.suffix.lower() not in (".csv", ".parquet"):
        raise MisuseError(f"data audit: --fix {fix}: a table ends in .csv or .parquet")
    if fix is not None and fix.exists() and fix.resolve() == manifest.resolve():
        raise MisuseError(f"data audit: --fix {fix} is the table itself: name another file")
    if jobs < 1:
        raise MisuseError(f"data audit: --jobs must be 1 or more, not {jobs}")
    if resamples < 100:
        raise MisuseError(f"data audit: --resamples must be 100 or more, not {resamples}")


def _folds(given: str) -> tuple[int, ...]:
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdecimal() and 2 <= int(part) <= 1000 for part in parts):
        raise MisuseError(f"data audit: --folds must be numbers of 2 to 1000 such as 5,10, not {given!r}")
    return tuple(dict.fromkeys(map(int, parts)))


def _read(path: Path, root: Path | None) -> tuple[Manifest, Faults]:
    """The sound rows as a table, and what is wrong with it.

    Raises:
        ManifestError: no row is sound; tells the first faults.
    """
    from poxlens.data.faults import all_faults
    from poxlens.data.manifest import Manifest
    from poxlens.errors import ManifestError
    from poxlens.files import sha256_file

    faults = all_faults(path, root=root)
    if not faults.rows:
        raise ManifestError(f"{path}: no row can be audited. {' '.join(faults.told(3))}".rstrip())
    rows = tuple(row for _, row in faults.rows)
    return Manifest(rows, path.parent if root is None else root, sha256_file(path)), faults


def _measure(table: Manifest, store: Path, compatible: Compatible, jobs: int, *, confirm: bool) -> Material:
    from poxlens.audit.material import gather
    from poxlens.data.duplicates import find_duplicates
    from poxlens.data.scan import scan

    with bars() as begin:
        seen = scan(table, store, workers=jobs, advance=begin("reading files", len(table.rows)))
        found = find_duplicates(
            table,
            seen,
            confirm=confirm,
            compatible=compatible,
            store=store,
            workers=jobs,
            begin=begin,
        )
    return gather(table.rows, seen, found.pairs)


def _finder() -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    from poxlens.data.curate.finder import shipped_finder

    finder = shipped_finder()
    return lambda pixels: finder.maps(pixels)[1]


def _write(found: Audit, out: Path) -> Path:
    from poxlens.audit.page import page
    from poxlens.audit.record import text
    from poxlens.files import write_atomically

    write_atomically(out / "audit.json", text(found))
    write_atomically(out / "report.html", page(found))
    return out / "report.html"


def _fix(path: Path, material: Material, found: Audit, faults: Faults, root: Path) -> str:
    """Write the cleaned table; what was done, in words."""
    from poxlens.audit.clean import clean, write_cleaned

    cleaned = clean(material, found.conflicts, faults.faults)
    beside = write_cleaned(path, cleaned)
    done = ", ".join(
        f"{cleaned.count(action):,} {action}"
        for action in ("removed", "relabelled", "grouped")
        if cleaned.count(action)
    )
    elsewhere = "" if path.parent.resolve() == root.resolve() else f"; files are relative to {root} (--root)"
    return (
        f"Cleaned: {path}, {len(cleaned.rows):,} rows ({done or 'nothing removed'}); why: {beside}{elsewhere}"
    )


def _show(found: Audit, written: Path, *, as_json: bool) -> None:
    if as_json:
        from poxlens.audit.record import text

        print(text(found), end="")
        return
    from rich.console import Console

    from poxlens.audit.terminal import show

    # A pipe or a file has no width: wide enough for every table.
    console = Console(width=None if sys.stdout.isatty() else 140)
    show(found, console)
    console.print(f"Written: {written}, audit.json", soft_wrap=True, highlight=False)
