"""Import a table of images: read every file it names, compare it with what the table says, keep what is sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poxlens.data.catalogue.generic import CSV
from poxlens.data.faults import all_faults
from poxlens.data.importing.folder import Progress, Wish, relative_to
from poxlens.data.importing.read import Read, read_images
from poxlens.data.importing.result import Imported
from poxlens.data.manifest import Row
from poxlens.data.table import Fault
from poxlens.errors import ManifestError


def import_table(
    table: Path, wish: Wish, progress: Progress | None = None, *, images: Path | None = None
) -> Imported:
    """Look at a table of images; its files are read whole, nothing is written.

    A row is left out, and told, when its file is not there, cannot be read, or has another SHA-256 than the
    table says. Every other fault is told, and the row imported. Sizes and SHA-256 are those of the file.

    Args:
        table: CSV or Parquet.
        wish: how; `dataset` fills empty cells of that column.
        progress: as poxlens.data.importing.folder.Progress says.
        images: the folder that `file` is relative to; without it, the folder of the table.

    Raises:
        ManifestError: the table as a whole cannot be read, has the wrong columns, or not one sound row.
    """
    found = all_faults(table, root=images)
    if "columns" in found.counts:
        raise ManifestError(f"{table}, {found.faults[0]}")
    there = [(number, row) for number, row in found.rows if row.path.is_file()]
    advance = progress(len(there)) if progress else None
    answers = read_images([row.path for _, row in there], workers=wish.workers, advance=advance)
    faults = list(found.faults)
    rows = []
    for (number, row), answer in zip(there, answers, strict=True):
        wrong = _wrong(number, row, answer)
        faults += wrong
        if not any(fault.kind in ("unreadable", "sha256") for fault in wrong):
            rows.append(_row(row, answer, wish))
    if not rows:
        shown = "; ".join(map(str, faults[:3]))
        raise ManifestError(f"{table}: not one of its images can be imported: {shown or 'it holds none.'}")
    faults.sort(key=lambda fault: (fault.row is None, fault.row or 0))
    seen = len(found.rows) + sum(fault.kind in _ROW_KINDS for fault in found.faults)
    return Imported(CSV, seen, tuple(rows), faults=tuple(faults), left_out=_left_out(faults))


_ROW_KINDS = ("cells", "empty", "sha256", "size", "duplicate")  # kinds of all_faults that cost a row
_LEFT_OUT = {**dict.fromkeys(_ROW_KINDS, "faulty rows"), "missing": "not there", "unreadable": "unreadable"}


def _wrong(number: int, row: Row, answer: Read) -> list[Fault]:
    if answer.fault:
        return [Fault("unreadable", f"{row.file}: {answer.fault}", number, "file", row.file)]
    found = []
    if row.sha256 and row.sha256 != answer.sha256:
        text = f"{row.file} has SHA-256 {answer.sha256[:12]}…, not {row.sha256[:12]}…: it is another file."
        found.append(Fault("sha256", text, number, "sha256", row.file))
    sizes: Sequence[tuple[str, int | None, int]] = (
        ("width", row.width, answer.width),
        ("height", row.height, answer.height),
    )
    for name, said, true in sizes:
        if said is not None and said != true:
            found.append(Fault("dimension", f"{row.file} has {true} px, not {said}.", number, name, row.file))
    return found


def _row(row: Row, answer: Read, wish: Wish) -> Row:
    return replace(
        row,
        file=relative_to(row.path, wish.base),
        label=wish.meaning.get(row.label, row.label),
        dataset=row.dataset or wish.dataset,
        width=answer.width,
        height=answer.height,
        sha256=answer.sha256,
    )


def _left_out(faults: Sequence[Fault]) -> dict[str, int]:
    found: dict[str, int] = {}
    for fault in faults:
        why = _LEFT_OUT.get(fault.kind)
        if why:
            found[why] = found.get(why, 0) + 1
    return found
