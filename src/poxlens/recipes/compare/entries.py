"""The entries of a study file as Markdown tables: what docs/compare.md shows.

python -m poxlens.recipes.compare.entries
"""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from poxlens.recipes.compare.study import Study


def entries() -> str:
    """A table of the study's own entries, then one of each of its tables."""
    tables = [_table("", Study)]
    for name, field in Study.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            tables.append(_table(name, field.annotation))
    return "\n".join(tables)


def _table(name: str, model: type[BaseModel]) -> str:
    lines = [f"**`[{name}]`** {_sentence(model)}\n"] if name else ["**At the top**\n"]
    lines += ["| entry | is | default | |", "|---|---|---|---|"]
    for entry, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            continue
        default = "required" if field.is_required() else _default(field.default)
        lines.append(f"| `{entry}` | {_kind(field.annotation)} | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _sentence(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _default(value: Any) -> str:
    if value is None:
        return ""
    return f"`{json.dumps(value, default=list)}`"


def _kind(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in inside)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inside if one is not type(None))
    if origin is tuple:
        return f"list of {_kind(inside[0])}"
    if origin is dict:
        return f"table of {_kind(inside[1])}"
    if hasattr(annotation, "__metadata__"):  # Annotated: its range is in the description of the fault
        return _kind(inside[0])
    names = {str: "text", Path: "path", int: "whole number", float: "number", bool: "true or false"}
    return names[annotation]


if __name__ == "__main__":
    print(entries())
