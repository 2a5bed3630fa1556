"""What a splits file holds, field by field (format `poxlens-splits/1`), and its published JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = "poxlens-splits/1"

Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
MaybeSha256 = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlanRecord(_Record):
    """What was asked for."""

    kind: Literal["k-fold", "leave-one-group-out", "official"]
    folds: Count
    repeats: Count
    inner: Literal["none", "k-fold", "validation", "official"]
    inner_folds: Count
    validation: float
    stratify: Literal["label", "label+tone"]
    grouped: bool
    allow_uneven: bool
    seed: Count


class FoldRecord(_Record):
    """One fold: places in `files`, and counts of its test part."""

    name: str
    test: list[Count]
    inner: list[list[Count]] = Field(
        description="rows to validate on, one list an inner part; learn from the rest"
    )
    unused: list[Count] = Field(description="rows in no part")
    n: Count
    groups: Count
    classes: dict[str, Count]
    tones: dict[str, Count]
    crossing_groups: Count = Field(description="groups both tested and learnt from: 0 unless the split leaks")
    crossing_images: Count


class SplitsRecord(_Record):
    """The file."""

    format: Literal["poxlens-splits/1"]
    digest: Sha256 = Field(
        description="SHA-256 of the rest of the file as JSON with sorted keys, no blanks and ASCII escapes"
    )
    poxlens: str = Field(description="version that made it")
    warning: str = Field(description="empty, or why figures from this split are too high")
    manifest_sha256: Sha256
    groups_sha256: MaybeSha256
    official_sha256: MaybeSha256
    plan: PlanRecord
    n_groups: Count
    labels: list[str]
    tones: list[str]
    files: list[str] = Field(description="as in the table and in its order")
    label: list[Count] = Field(description="of each file, a place in labels")
    tone: list[Count] = Field(description="of each file, a place in tones; an estimate")
    group: list[Count] = Field(
        description="of each file, a place in group_names; never cut by a grouped split"
    )
    group_names: list[str]
    repeats: list[list[FoldRecord]]


def schema_text() -> str:
    """The published JSON Schema of the file (docs/splits.schema.json), with a line feed at the end."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FORMAT.replace('/', ':')}",
        **SplitsRecord.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
