"""The JSON Schema of bundle.json, published as docs/bundle.schema.json for other runtimes."""

from __future__ import annotations

import json
from typing import Any

from poxlens.bundle.manifest import FORMAT, Manifest


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the manifest, written by pydantic from the annotations that the reader uses.

    Every field is required, but those whose default is None, and no other is allowed, also in the records that belong
    to `poxlens.photo`: a default that changed between versions would change answers.
    """
    from pydantic import TypeAdapter  # 45 ms; needed here only

    schema = TypeAdapter(Manifest).json_schema()
    for record in (schema, *schema["$defs"].values()):
        if "properties" in record:
            record["additionalProperties"] = False
            record["required"] = [
                name for name, field in record["properties"].items() if field.get("default", ...) is not None
            ]
    for unnamed in _defaults(schema):
        unnamed.pop("default")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        **schema,
    }


def schema_text() -> str:
    """The published file: the schema as indented JSON with a line feed at the end."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _defaults(schema: Any) -> list[dict[str, Any]]:
    """Every part of the schema that carries a default."""
    if isinstance(schema, list):
        return [part for item in schema for part in _defaults(item)]
    if not isinstance(schema, dict):
        return []
    inside = [part for item in schema.values() for part in _defaults(item)]
    return [schema, *inside] if "default" in schema and not isinstance(schema["default"], dict) else inside
