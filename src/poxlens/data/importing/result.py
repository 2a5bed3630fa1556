"""What an import found: the rows, the official splits, and all that deviates from what was published."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from poxlens.data.catalogue.spec import SetSpec
from poxlens.data.manifest import Row, write_manifest
from poxlens.data.official import Placed, official_path, write_official
from poxlens.data.table import Fault


@dataclass(frozen=True)
class Imported:
    """A folder or table, looked at as one of the sets."""

    spec: SetSpec
    seen: int  # image files or table rows
    rows: tuple[Row, ...]  # what is sound, originals first
    official: tuple[Placed, ...] = ()
    faults: tuple[Fault, ...] = ()  # each a deviation from what was published, or a file that cannot be used
    notes: tuple[str, ...] = ()  # worth knowing, no fault
    left_out: dict[str, int] = field(default_factory=dict)  # why -> number of files

    @property
    def as_published(self) -> bool:
        """True when nothing deviates."""
        return not self.faults

    @property
    def counts(self) -> dict[str, int]:
        """Imported originals by label."""
        return dict(sorted(Counter(row.label for row in self.rows if "augmented" not in row.flags).items()))

    @property
    def patients(self) -> dict[str, int]:
        """Patients (lesions) by label, of the rows that have one."""
        pairs = {(row.label, row.patient) for row in self.rows if row.patient}
        return dict(sorted(Counter(label for label, _ in pairs).items()))


def write_imported(found: Imported, out: Path) -> tuple[str, Path | None]:
    """Write the table of images and, beside it, the official splits: both or neither.

    Args:
        found: what was imported.
        out: .csv or .parquet.

    Returns:
        SHA-256 of the table, and the file of the official splits (None where the set has none).

    Raises:
        ManifestError: there is nothing to write, or another suffix.
        OSError: the disk is full or the folder is not writable; nothing is left behind.
    """
    beside = official_path(out)
    before = beside.read_bytes() if beside.is_file() else None
    try:
        if found.official:
            write_official(beside, found.official)
        return write_manifest(out, found.rows), beside if found.official else None
    except BaseException:
        if found.official and before is None:
            beside.unlink(missing_ok=True)
        elif found.official and before is not None and beside.read_bytes() != before:
            beside.write_bytes(before)
        raise
