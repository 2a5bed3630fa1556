"""`poxlens data add-labels`: labels given by people, written into a table of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poxlens.cli.main import FAILED, MisuseError


def add_labels(
    table: Annotated[Path, typer.Argument(help="Table of images with the columns file and label.")],
    labels: Annotated[
        Path, typer.Argument(help="CSV of labels: consensus.csv of poxlens data agree, or one person's.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The new table, .csv or .parquet.")],
    scheme: Annotated[
        Path | None,
        typer.Option("--scheme", metavar="TOML", help="What was asked. Default: as data annotate."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write labels into the columns and flags that their scheme names; everything else stays as it is."""
    from poxlens.cli.output import json_line, write
    from poxlens.data.annotate.joining import with_labels
    from poxlens.data.annotate.scheme import read_scheme
    from poxlens.data.annotate.tables import read_labels
    from poxlens.data.manifest import read_manifest, write_manifest

    if out.suffix.lower() not in (".csv", ".parquet"):
        raise MisuseError(f"data add-labels: --out {out}: a table of images ends in .csv or .parquet")
    asked = read_scheme(scheme)
    manifest = read_manifest(table)
    given = read_labels(labels, asked)
    written = with_labels(manifest, asked, given)
    write_manifest(out, written.rows)
    known = {row.file for row in manifest.rows}
    missing = [file for file in given if file not in known]
    elsewhere = out.resolve().parent != manifest.root.resolve()
    told = {
        "images": len(known),
        "labelled": len(given) - len(missing),
        "missing": missing,
        "manifest": str(out),
        "root": str(manifest.root),
        "notice": asked.notice,
    }
    if as_json:
        write(json_line(told) + "\n")
    else:
        write(f"{told['labelled']} of {len(known)} images labelled.\nTable: {out}\n{asked.notice}\n")
        if elsewhere:
            write(f"Its files are relative to {manifest.root}: give --root {manifest.root} with it.\n")
        for file in missing:
            write(f"not in the table: {file}\n")
    if missing:
        raise typer.Exit(FAILED)
