"""The splits file (format `poxlens-splits/1`): written once, with a digest of its own content.

The digest is the SHA-256 of the content without `digest`, as JSON with sorted keys, no blanks and ASCII escapes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from poxlens.data.splits.counts import count_fold
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.record import FORMAT, PlanRecord, SplitsRecord
from poxlens.data.splits.splits import Rows, Splits
from poxlens.data.tones import TONES
from poxlens.errors import SplitError
from poxlens.files import sha256_bytes, write_atomically


def write_splits(path: Path, splits: Splits, *, replace: bool = False) -> Splits:
    """Write the file, whole or not at all.

    Args:
        path: where to.
        splits: the split.
        replace: overwrite a file that is there. A split that figures were computed on should stay as it is.

    Returns:
        The split with its digest.

    Raises:
        SplitError: there is a file already.
        OSError: it cannot be written.
    """
    if path.exists() and not replace:
        raise SplitError(
            f"{path}: is there already. Figures may rest on it: choose another name, or add --force to overwrite it."
        )
    content = _content(splits)
    content = {"format": FORMAT, "digest": _digest(content), **content}
    write_atomically(path, _text(content) + "\n")
    return _splits(SplitsRecord.model_validate(content))


def read_splits(path: Path) -> Splits:
    """Read a splits file and verify it.

    Raises:
        SplitError: it cannot be read, is of another format, its content is not what its digest says, or it is not a
            split (a row twice, a group cut though it says that none is); names the fault.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as fault:
        raise SplitError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    except (ValueError, RecursionError) as fault:
        raise SplitError(f"{path}: is not JSON; it may have been cut off. Split again.") from fault
    named = content.get("format") if isinstance(content, dict) else None
    if named != FORMAT:
        raise SplitError(f'{path}: its format is "{named}", and this poxlens reads "{FORMAT}".')
    claimed = content.get("digest")
    if _digest(content) != claimed:
        raise SplitError(
            f"{path}: was changed after it was written (its digest does not match). Split again."
        )
    try:
        record = SplitsRecord.model_validate(content)
        splits = _splits(record)
        _verify(splits, record)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SplitError(f"{path}: {where}: {first['msg']}.") from fault
    except SplitError as fault:
        raise SplitError(f"{path}: {fault}") from fault
    return splits


def _content(splits: Splits) -> dict[str, Any]:
    label = {name: place for place, name in enumerate(splits.labels)}
    plan = splits.plan
    return {
        "format": FORMAT,
        "poxlens": splits.version,
        "warning": splits.warning,
        "manifest_sha256": splits.manifest_sha256,
        "groups_sha256": splits.groups_sha256,
        "official_sha256": splits.official_sha256,
        "plan": {name: getattr(plan, name) for name in PlanRecord.model_fields},
        "n_groups": len(splits.group_names),
        "labels": list(splits.labels),
        "tones": list(TONES),
        "files": list(splits.files),
        "label": [label[name] for name in splits.label],
        "tone": [TONES.index(name) for name in splits.tone],
        "group": splits.group.tolist(),
        "group_names": list(splits.group_names),
        "repeats": [
            [_fold(splits, repeat, fold) for fold in range(len(folds))]
            for repeat, folds in enumerate(splits.outer)
        ],
    }


def _fold(splits: Splits, repeat: int, fold: int) -> dict[str, Any]:
    counts = count_fold(splits, repeat, fold)
    return {
        "name": splits.names[repeat][fold],
        "test": splits.outer[repeat][fold].tolist(),
        "inner": [rows.tolist() for rows in splits.inner[repeat][fold]],
        "unused": splits.unused[repeat][fold].tolist(),
        **vars(counts),
    }


def _splits(record: SplitsRecord) -> Splits:
    def rows(cells: list[int]) -> Rows:
        return np.array(cells, np.int64)

    places = [(record.label, record.labels), (record.tone, record.tones), (record.group, record.group_names)]
    if any(len(cells) != len(record.files) or max(cells, default=0) >= len(of) for cells, of in places):
        raise SplitError("label, tone or group do not fit its files")
    return Splits(
        plan=Plan(**record.plan.model_dump()),
        files=tuple(record.files),
        label=tuple(record.labels[place] for place in record.label),
        tone=tuple(record.tones[place] for place in record.tone),
        group=rows(record.group),
        group_names=tuple(record.group_names),
        outer=tuple(tuple(rows(one.test) for one in folds) for folds in record.repeats),
        inner=tuple(
            tuple(tuple(rows(part) for part in one.inner) for one in folds) for folds in record.repeats
        ),
        unused=tuple(tuple(rows(one.unused) for one in folds) for folds in record.repeats),
        names=tuple(tuple(one.name for one in folds) for folds in record.repeats),
        manifest_sha256=record.manifest_sha256,
        groups_sha256=record.groups_sha256,
        official_sha256=record.official_sha256,
        version=record.poxlens,
        digest=record.digest,
    )


def _verify(splits: Splits, record: SplitsRecord) -> None:
    """What a digest made by another program would not rule out."""
    count = len(splits.files)
    for repeat, fold in splits:
        where = f"repeat {repeat + 1}, fold {splits.names[repeat][fold]}"
        test, unused = splits.outer[repeat][fold], splits.unused[repeat][fold]
        for rows in (np.concatenate([test, unused]), *splits.inner[repeat][fold]):
            if len(rows) != len(np.unique(rows)) or (len(rows) and rows.max() >= count):
                raise SplitError(f"{where}: names a row twice, or one that is not there")
        if not len(test) or not len(splits.train(repeat, fold)):
            raise SplitError(f"{where}: tests nothing or learns from nothing")
        for rows in splits.inner[repeat][fold]:
            if not np.isin(rows, splits.train(repeat, fold)).all():
                raise SplitError(f"{where}: an inner part holds a row that is tested or unused")
        counts = vars(count_fold(splits, repeat, fold))
        if any(getattr(record.repeats[repeat][fold], name) != value for name, value in counts.items()):
            raise SplitError(f"{where}: its counts are not those of its rows")
    if splits.plan.kind != "official":
        for repeat, folds in enumerate(splits.outer):
            if not np.array_equal(np.sort(np.concatenate(folds)), np.arange(count)):
                raise SplitError(f"repeat {repeat + 1} does not test every image once")
    if splits.plan.grouped and splits.plan.kind != "official" and splits.leaks:
        raise SplitError("a group stands on both sides, though the file says that none does")


def _digest(content: dict[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "digest"}
    return sha256_bytes(json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode())


def _text(value: Any, indent: str = "") -> str:
    """JSON a person can read: one line for a list of numbers or texts, an indented block for anything else."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        lines = (f"{inner}{json.dumps(key)}: {_text(one, inner)}" for key, one in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(one, list | dict) for one in value):
        return "[\n" + ",\n".join(inner + _text(one, inner) for one in value) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)
