"""Labels given by people, joined to a table of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from poxlens.data.annotate.scheme import Scheme
from poxlens.data.manifest import Manifest, Row
from poxlens.errors import AnnotationError


def with_labels(manifest: Manifest, scheme: Scheme, labels: Mapping[str, Mapping[str, str]]) -> Manifest:
    """The table with the labels of a scheme in the columns that it names, and its flags.

    Images without labels stay as they are; a label without a value leaves its cell as it is.

    Args:
        manifest: the table.
        scheme: says which label goes to which column, and which values are flags.
        labels: file -> labels, of `read_labels`.

    Raises:
        AnnotationError: none of the labelled files is in the table.
    """
    known = {row.file for row in manifest.rows}
    if not known & labels.keys():
        raise AnnotationError(
            f"none of the {len(labels)} labelled files is in the table of {len(known)} images. Was it another table?"
        )
    rows = tuple(_labelled(row, scheme, labels.get(row.file, {})) for row in manifest.rows)
    return replace(manifest, rows=rows)


def _labelled(row: Row, scheme: Scheme, given: Mapping[str, str]) -> Row:
    cells: dict[str, str] = {}
    flags = list(row.flags)
    for label in scheme.label:
        value = given.get(label.name)
        if not value:
            continue
        if label.column:
            cells[label.column] = value
        # What another look withdrew must not stay behind as a flag.
        ours = {one.flag for one in label.value if one.flag}
        flags = [flag for flag in flags if flag not in ours]
        flags += [one.flag for one in label.value if one.name == value and one.flag]
    row = replace(row, flags=tuple(flags))
    return replace(row, **cells) if cells else row  # type: ignore[arg-type]
