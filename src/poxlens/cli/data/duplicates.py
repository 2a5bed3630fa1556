"""`poxlens data duplicates`: the same photo in several files of a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars

if TYPE_CHECKING:
    from poxlens.data.duplicates import Duplicates, Pair
    from poxlens.data.manifest import Manifest
    from poxlens.data.scan import Scan

METHODS = ("full", "hash")
_LISTED = 20  # conflicts shown on the terminal


def duplicates(
    manifest: Annotated[Path, typer.Argument(help="Table of images: CSV or Parquet with file and label.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for pairs.csv, groups.csv and pairs.html.")
    ] = Path("poxlens-duplicates"),
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of what was seen of each file and pair. Default: OUT/scan."),
    ] = None,
    compatible: Annotated[
        list[str] | None,
        typer.Option(
            "--compatible",
            metavar="LABEL=LABEL,...",
            help="Labels that do not contradict each other, such as others=chickenpox,measles. Repeatable.",
        ),
    ] = None,
    join_suspected: Annotated[
        bool, typer.Option("--join-suspected", help="Put suspected pairs in one group too.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="full, or hash: whole pictures only, no crops, in a third of the time: a first look.",
        ),
    ] = "full",
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Compare candidates by keypoints and pixels.")
    ] = True,
    zooms: Annotated[
        bool | None,
        typer.Option(
            "--zooms/--no-zooms", help="Look for small crops too. Default: in tables of up to 8,000 images."
        ),
    ] = None,
    write_manifest: Annotated[
        Path | None,
        typer.Option("--write-manifest", help="Also write the table with its column group filled."),
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Write pairs.html, with the photos.")] = True,
    jobs: Annotated[int, typer.Option("--jobs", help="Files and pairs worked on side by side.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Find files that show the same photo: copies, crops, mirrored, turned, re-toned; and label conflicts."""
    from poxlens.data.duplicates import find_duplicates
    from poxlens.data.manifest import read_manifest
    from poxlens.data.scan import scan

    _check(manifest, root, out, write_manifest, jobs, method)
    table = read_manifest(manifest, root=root)
    agree = _labels(compatible or [], table)
    keep = store or out / "scan"
    with bars() as begin:
        advance = begin("reading files", len(table.rows))
        seen = scan(table, keep, hashes_only=method == "hash", workers=jobs, advance=advance)
        found = find_duplicates(
            table,
            seen,
            confirm=confirm,
            zooms=zooms,
            join_suspected=join_suspected,
            compatible=agree,
            store=keep,
            workers=jobs,
            begin=begin,
        )
        written = _write(table, found, out, write_manifest, manifest.name, with_page=page, begin=begin)
    told = summary(table, found)
    if as_json:
        print(json.dumps(told | {"written": [str(path) for path in written]}))
    else:
        _show(table, seen, found, told, written)
    if found.conflicts or found.unreadable:
        raise typer.Exit(FAILED)


def summary(table: Manifest, found: Duplicates) -> dict[str, Any]:
    """The counts, ready for JSON."""
    from poxlens.data.duplicates import SAME_PHOTO
    from poxlens.data.duplicates.page import group_sizes
    from poxlens.data.duplicates.tables import patients

    rows = table.rows
    one_photo = [pair for pair in found.pairs if pair.kind in SAME_PHOTO]
    sizes = group_sizes(found)
    return {
        "table_sha256": table.sha256,
        "images": len(rows),
        "unreadable": len(found.unreadable),
        "compared": found.checked,
        "pairs": found.counts(),
        "across_sets": sum(rows[pair.first].dataset != rows[pair.second].dataset for pair in one_photo),
        "across_patients": sum(
            patients(rows[pair.first], rows[pair.second]) == "different" for pair in one_photo
        ),
        "conflicts": [_conflict(table, pair) for pair in found.conflicts],
        "groups": len(sizes),
        "groups_of_two_or_more": sum(size > 1 for size in sizes),
        "largest_groups": sorted(sizes, reverse=True)[:10],
    }


def _conflict(table: Manifest, pair: Pair) -> dict[str, str]:
    one, other = table.rows[pair.first], table.rows[pair.second]
    return {"file": one.file, "label": one.label, "other": other.file, "other_label": other.label,
            "kind": pair.kind, "relation": pair.relation}  # fmt: skip


def _labels(rules: list[str], table: Manifest) -> Any:
    from poxlens.data.duplicates import read_compatible
    from poxlens.errors import ManifestError

    try:
        return read_compatible(rules, table.labels)
    except ManifestError as fault:
        raise MisuseError(f"data duplicates: --compatible {fault}") from fault


def _check(manifest: Path, root: Path | None, out: Path, write: Path | None, jobs: int, method: str) -> None:
    """Before any image is opened."""
    if not manifest.is_file():
        raise MisuseError(f"data duplicates: table {manifest}: no such file")
    if root is not None and not root.is_dir():
        raise MisuseError(f"data duplicates: --root {root}: no such folder")
    if out.exists() and not out.is_dir():
        raise MisuseError(f"data duplicates: --out {out}: is a file")
    if write is not None and write.suffix.lower() not in (".csv", ".parquet"):
        raise MisuseError(f"data duplicates: --write-manifest {write}: a table ends in .csv or .parquet")
    if write is not None and write.exists() and write.resolve() == manifest.resolve():
        raise MisuseError(f"data duplicates: --write-manifest {write} is the table itself: name another file")
    if method not in METHODS:
        raise MisuseError(f"data duplicates: --method must be one of {', '.join(METHODS)}, not {method!r}")
    if jobs < 1:
        raise MisuseError(f"data duplicates: --jobs must be 1 or more, not {jobs}")


def _write(
    table: Manifest,
    found: Duplicates,
    out: Path,
    grouped: Path | None,
    name: str,
    *,
    with_page: bool,
    begin: Callable[[str, int], Callable[[int], None]],
) -> list[Path]:
    from poxlens.data.duplicates import tables
    from poxlens.files import write_atomically

    written = [out / "pairs.csv", out / "groups.csv"]
    tables.write_pairs(written[0], table.rows, found.pairs, found.conflicts)
    tables.write_groups(written[1], table.rows, found)
    if grouped is not None:
        tables.write_grouped(grouped, table.rows, found)
        written.append(grouped)
    if with_page:
        from poxlens.data.duplicates.page import page

        begin("writing the page", 1)
        write_atomically(out / "pairs.html", page(table, found, name=name))
        written.append(out / "pairs.html")
    return written


def _show(table: Manifest, seen: Scan, found: Duplicates, told: dict[str, Any], written: list[Path]) -> None:
    from poxlens.cli.output import clip, write
    from poxlens.data.duplicates import KINDS

    lines = [f"{told['images']:,} images, {told['compared']:,} pairs compared", ""]
    lines += [f"  {kind:<10} {told['pairs'][kind]:>7,}  {what}" for kind, what in KINDS.items()]
    lines += [
        "",
        f"  one photo across data sets: {told['across_sets']:,}; across patients of one set:"
        f" {told['across_patients']:,}",
        f"  groups: {told['groups']:,}, of two or more images: {told['groups_of_two_or_more']:,};"
        f" the largest: {', '.join(f'{size:,}' for size in told['largest_groups'][:5])}",
    ]
    for link in found.links[:3]:
        one, other = table.rows[link.pair.first].file, table.rows[link.pair.second].file
        if link.size > 2:
            lines.append(
                f"    the one of {link.size:,} hangs on {link.pair.kind} {clip(one)} = {clip(other)}"
                f" ({link.size - link.apart:,} and {link.apart:,} images)"
            )
    if found.conflicts:
        lines += ["", f"Labels that contradict each other: {len(found.conflicts):,}"]
        for one in told["conflicts"][:_LISTED]:
            lines.append(
                f"  {clip(one['file'])} ({clip(one['label'])}) = {clip(one['other'])} ({clip(one['other_label'])}),"
                f" {one['kind']}: {one['relation'] or 'alike'}"
            )
        if len(found.conflicts) > _LISTED:
            lines.append(f"  … all in {written[0]}")
    for row in found.unreadable[:_LISTED]:
        lines.append(f"  not read: {clip(table.rows[row].file)}: {seen.fault[row]}")
    lines += ["", "Written: " + ", ".join(str(path) for path in written)]
    if any(path.suffix == ".html" for path in written):
        lines.append("The page holds patient photos: do not publish it.")
    write("\n".join(lines) + "\n")
