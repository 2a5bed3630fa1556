"""The JSON Schema of one row of a table of images, published as docs/manifest.schema.json."""

from __future__ import annotations

import json
from typing import Any

from poxlens.data.manifest import COLUMNS, REQUIRED, Row, cells_of

FORMAT = "poxlens-manifest/1"

_SIZE = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
_PROPERTIES: dict[str, dict[str, Any]] = {
    "file": {"description": "Path of the image, relative to the table's folder or the root given with it."},
    "sha256": {"description": "SHA-256 of the file's bytes.", "pattern": "^[0-9a-f]{64}$"},
    "dataset": {"description": "The source the image came from."},
    "label": {"description": "What the image shows: the class."},
    "condition": {"description": "A finer name of the finding, or the source's own name of the class."},
    "patient": {"description": "The person (in dermoscopy sets the lesion), unique within the dataset."},
    "group": {"description": "What must stay on one side of a split; takes the place of patient."},
    "body_site": {"description": "Where on the body, as the source says."},
    "stage": {"description": "Stage or severity of the lesions, as the source says."},
    "width": {"description": "Width of the upright image, px.", **_SIZE},
    "height": {"description": "Height of the upright image, px.", **_SIZE},
    "skin_tone": {"description": '"light" or "dark" (Campana 2024), or as the source says.'},
    "flags": {
        "description": 'Particulars, separated by spaces in the table, such as "augmented" (a copy made from '
        "another image).",
        "type": "array",
        "items": {"type": "string", "pattern": r"^\S+$"},
    },
}


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one row as an object; an empty cell is an absent property.

    Tables may have other columns, which are ignored.
    """
    properties = {}
    for name in COLUMNS:
        rule = {"type": "string", **_PROPERTIES[name]}
        if rule["type"] == "string":
            rule.setdefault("minLength", 1)
        properties[name] = rule
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        "title": "One row of a poxlens table of images",
        "description": "A table is CSV (UTF-8, commas, column names in the first row) or Parquet. `file` is unique.",
        "type": "object",
        "properties": properties,
        "required": list(REQUIRED),
        "additionalProperties": True,
    }


def row_object(row: Row) -> dict[str, Any]:
    """A row as the object that the schema describes."""
    found: dict[str, Any] = {name: cell for name, cell in cells_of(row).items() if cell}
    for name in ("width", "height"):
        if name in found:
            found[name] = int(found[name])
    if row.flags:
        found["flags"] = list(row.flags)
    return found


def schema_text() -> str:
    """The published file: the schema as indented JSON with a line feed at the end."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
