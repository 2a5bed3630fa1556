"""`poxlens data import`: a folder or a table becomes a checked table of images."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.data.sets import find
from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.output import clip, write
from poxlens.cli.progress import bars

if TYPE_CHECKING:
    from poxlens.data.catalogue import SetSpec
    from poxlens.data.importing import Imported, Wish


def import_(
    name: Annotated[str, typer.Argument(help="A set (see poxlens data sets), or folder, or csv.")],
    path: Annotated[Path, typer.Argument(help="Its folder; for csv, the table.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Table to write, .csv or .parquet.", show_default=False)
    ] = None,
    check_only: Annotated[bool, typer.Option("--check-only", help="Check, write nothing.")] = False,
    with_augmented: Annotated[
        bool, typer.Option("--with-augmented", help="Import augmented copies too, flagged.")
    ] = False,
    dataset: Annotated[
        str, typer.Option("--dataset", help="Name of the source. Default: the set's, or the folder's.")
    ] = "",
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="LABEL=CLASS", help="For folder and csv: what a label means. Repeatable."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images", help="For csv: folder that its files are relative to. Default: the table's."
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option("--root", help="Folder that the files become relative to. Default: that of --out."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Faults shown; the rest is counted.")] = 50,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Files read side by side. Default: one a core.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Make a table of images from a folder, checked against what is known of the set.

    Exit code 0: as published; 1: something deviates or cannot be read, each named, the rest imported; 2: this
    is not that set.
    """
    from poxlens.data.importing import Wish, write_imported

    spec = find(name)
    _check(spec, path, out, check_only, images, mapping)
    base = root or (out.parent if out else Path())
    wish = Wish(base, dataset, with_augmented, _meaning(mapping or []), workers)
    found = _look(spec, path, wish, images)
    sha256, beside = "", None
    if out is not None and not check_only and found.rows:
        sha256, beside = write_imported(found, out)
    told = _told(found, None if check_only or not sha256 else out, beside, sha256, limit)
    write(json.dumps(told, indent=2) + "\n" if as_json else _text(told))
    if not found.as_published:
        raise typer.Exit(FAILED)


def _check(
    spec: SetSpec,
    path: Path,
    out: Path | None,
    check_only: bool,
    images: Path | None,
    mapping: list[str] | None,
) -> None:
    if out is None and not check_only:
        raise MisuseError("data import: name the table to write with --out, or --check-only")
    if out is not None and out.suffix.lower() not in (".csv", ".parquet"):
        raise MisuseError(f"data import: --out {out}: must end in .csv or .parquet")
    if not path.exists():
        raise MisuseError(f"data import: {path}: no such {'file' if spec.name == 'csv' else 'folder'}")
    if images is not None and spec.name != "csv":
        raise MisuseError("data import: --images is for csv")
    if mapping and spec.classes:
        raise MisuseError(f"data import: --map is for folder and csv; the classes of {spec.name} are known")
    if out is not None and spec.name == "csv" and out.resolve() == path.resolve():
        raise MisuseError(f"data import: --out {out} is the table itself; name another")


def _meaning(mapping: list[str]) -> dict[str, str]:
    meaning = {}
    for pair in mapping:
        label, equals, name = (part.strip() for part in pair.rpartition("="))
        if not (label and equals and name):
            raise MisuseError(f"data import: --map {pair}: write LABEL=CLASS, such as --map Monkeypox=mpox")
        meaning[label] = name
    return meaning


def _look(spec: SetSpec, path: Path, wish: Wish, images: Path | None) -> Imported:
    from poxlens.data.importing import import_folder, import_table
    from poxlens.errors import ManifestError

    with bars() as begin:
        progress = partial(begin, "reading files")
        try:
            if spec.name == "csv":
                return import_table(path, wish, progress, images=images)
            return import_folder(spec, path, wish, progress)
        except ManifestError as fault:
            raise MisuseError(f"data import: {path}: {str(fault).removeprefix(f'{path}: ')}") from fault


def _told(found: Imported, out: Path | None, beside: Path | None, sha256: str, limit: int) -> dict[str, Any]:
    from poxlens.data.faults import KINDS, told
    from poxlens.data.official import official_path

    notes = list(found.notes)
    if out is not None and beside is None and official_path(out).exists():
        notes.append(f"{official_path(out)} is from before and does not belong to this table: remove it.")
    kinds = Counter(fault.kind for fault in found.faults)
    published = {one.label: one.images for one in found.spec.classes if one.images is not None}
    return {
        "set": found.spec.name,
        "as_published": found.as_published,
        "seen": found.seen,
        "imported": len(found.rows),
        "counts": found.counts,
        "published": published,
        "patients": found.patients,
        "left_out": found.left_out,
        "faults": [
            {"kind": one.kind, "row": one.row, "column": one.column, "file": one.file, "message": one.message}
            for one in found.faults[:limit]
        ],
        "faults_by_kind": {kind: {"n": n, "what": KINDS[kind]} for kind, n in kinds.most_common()},
        "lines": told(found.faults, limit),
        "notes": notes,
        "manifest": str(out) if out else None,
        "manifest_sha256": sha256 or None,
        "official": str(beside) if beside else None,
        "official_splits": dict(sorted(Counter(one.split for one in found.official).items())),
        "licence": found.spec.licence,
        "citation": found.spec.citation,
    }


def _text(told: dict[str, Any]) -> str:
    lines = [f"{told['set']}: {told['imported']:,} of {told['seen']:,} images imported"]
    for label, count in told["counts"].items():
        published = told["published"].get(label)
        people = told["patients"].get(label)
        aside = [] if published is None else [f"published {published:,}"]
        aside += [] if people is None else [f"{people:,} patients or lesions"]
        lines.append(f"  {clip(label):<22}{count:>7,}  {', '.join(aside)}".rstrip())
    lines += [f"Left out: {count:,} {why}" for why, count in told["left_out"].items()]
    lines += [f"Note: {clip(note)}" for note in told["notes"]]
    if told["lines"]:
        total = sum(kind["n"] for kind in told["faults_by_kind"].values())
        lines += [f"Deviates in {total:,} point{'s' if total > 1 else ''}:"]
        lines += [f"  {clip(line)}" for line in told["lines"]]
    elif told["published"]:
        lines.append("As published.")
    else:
        lines.append("No fault found; nothing was published to compare it with.")
    if not told["imported"]:
        lines.append("Nothing to write.")
    if told["manifest"]:
        lines.append(f"Written: {clip(told['manifest'])} (SHA-256 {told['manifest_sha256'][:12]}…)")
    if told["official"]:
        splits = ", ".join(told["official_splits"])
        lines.append(f"Written: {clip(told['official'])}, the official splits {splits}")
    if told["licence"] != "yours to know":
        lines.append(f"Licence: {told['licence']}. Cite: {told['citation']}")
    return "\n".join(lines) + "\n"
