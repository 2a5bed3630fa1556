"""The page's types say what the server's models say, field by field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest

from poxlens.serve.clinic.app import routes
from poxlens.serve.clinic.service import Service

TYPES = Path(__file__).parents[2] / "web" / "src" / "clinic" / "api" / "types.ts"
INTERFACE = re.compile(r"export interface (\w+)(?: extends (\w+))? \{\n(.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^  (\w+): (.*);$", re.MULTILINE)


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, Any]]:
    return dict(routes(cast(Service, None)).openapi()["components"]["schemas"])


def written() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, base, body in INTERFACE.findall(TYPES.read_text("utf-8")):
        found[name] = {**found.get(base, {}), **dict(FIELD.findall(body))}
    return found


def nullable(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "null" for one in schema.get("anyOf", []))


@pytest.mark.parametrize("name", sorted(written()))
def test_fields_and_what_may_be_null(name: str, schemas: dict[str, dict[str, Any]]) -> None:
    told = schemas[name]["properties"]
    page = written()[name]
    assert sorted(page) == sorted(told)
    assert {field for field, kind in page.items() if kind.endswith("| null")} == {
        field for field, schema in told.items() if nullable(schema)
    }


def test_the_words_are_the_servers(schemas: dict[str, dict[str, Any]]) -> None:
    text = TYPES.read_text("utf-8")
    for name in ("State", "Verdict", "Diagnosis", "Pcr"):
        line = re.search(rf"^export type {name} = (.*);$", text, re.MULTILINE)
        assert line is not None
        assert re.findall(r'"([\w-]+)"', line[1]) == schemas[name]["enum"]
