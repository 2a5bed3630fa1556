"""An audit as JSON: everything the page shows, and every item in full."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from poxlens.audit.audit import Audit
from poxlens.evaluate.intervals import Estimate

FORMAT = "poxlens-audit/1"


def to_json(audit: Audit) -> dict[str, Any]:
    """JSON-ready values; NaN is null."""
    return {
        "format": FORMAT,
        "table": audit.name,
        "table_sha256": audit.table_sha256,
        "split": audit.split,
        "images": audit.images,
        "readable": audit.readable,
        "independent_units": audit.units,
        "counts": audit.counts(),
        "findings": [_plain(one) for one in audit.findings],
        "classes": [
            {**_plain(one), "by_source": dict(zip(audit.sources, counts.tolist(), strict=True))}
            for one, counts in zip(audit.classes, audit.by_source, strict=True)
        ],
        "random_splits": [_plain(one) for one in audit.chances],
        "probes": [_plain(one) for one in audit.probes],
        "pair_probes": [_plain(one) for one in audit.pair_probes],
        "classes_too_small_for_a_probe": list(audit.unjudged),
        "drawn_on": [
            {"label": one.label, "source": one.source, "looked_at": one.seen, "share": _plain(one.share)}
            for one in audit.letters
        ],
        "spreads": [_plain(one) for one in audit.spreads],
    }


def text(audit: Audit) -> str:
    """The JSON as text with a line feed at its end."""
    return json.dumps(to_json(audit), indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Estimate):
        return {**{key: _plain(one) for key, one in asdict(value).items()}, "too_few": value.too_few}
    if is_dataclass(value) and not isinstance(value, type):
        return {key: _plain(getattr(value, key)) for key in value.__dataclass_fields__}
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
