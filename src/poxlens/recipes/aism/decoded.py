"""Images decoded and cut once, and kept in the run folder: a run in many short pieces would read them every time."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from poxlens.data.manifest import Manifest
from poxlens.data.splits.units import find_groups, read_groups
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.compare.cases import Cases, read_cases
from poxlens.recipes.compare.study import Study
from poxlens.recipes.default import Step


def read_once(study: Study, table: Manifest, base: Path, folder: Path, step: Step, workers: int) -> Cases:
    """The images of a study, from `folder` where they were read before and no file has changed since.

    Args:
        study: of `poxlens compare`.
        table: of `read_table`.
        base: the folder that the study's paths are relative to.
        folder: where they are kept.
        step: progress.
        workers: files read at once.

    Raises:
        StudyError: no image of a class can be read.
        SplitError: the list of groups is not as it should be.
    """
    key = _key(study, table)
    file = folder / f"{study.images.side}-{key[:16]}.npz"
    found = _kept(file, key, study, table, base)
    if found is not None:
        return found
    with step(f"reading images at {study.images.side} px", len(table.rows)) as tick:
        cases = read_cases(study, table, base, workers=workers, advance=tick)
    told = {
        "key": key,
        "files": [row.file for row in cases.rows],
        "tone": cases.tone,
        "skipped": cases.skipped,
    }
    buffer = io.BytesIO()
    np.savez(buffer, images=cases.images, told=np.array(json.dumps(told)))
    write_atomically(file, buffer.getvalue())
    return cases


def _kept(file: Path, key: str, study: Study, table: Manifest, base: Path) -> Cases | None:
    try:
        with np.load(file, allow_pickle=False) as stored:
            told, images = json.loads(str(stored["told"])), stored["images"]
    except Exception:  # missing, or of any kind of damage: read again
        return None
    known = {row.file: row for row in table.rows}
    if told["key"] != key or not all(name in known for name in told["files"]):
        return None
    rows = tuple(known[name] for name in told["files"])
    manifest = replace(table, rows=rows)
    listed = read_groups(base / study.protocol.groups, manifest) if study.protocol.groups else None
    asked = study.images
    every = (*asked.classes, *asked.auxiliary_classes)
    return Cases(
        rows=rows,
        manifest=manifest,
        classes=tuple(asked.classes),
        truth=np.array([every.index(row.label) for row in rows]),
        tested=np.array(
            [row.dataset not in asked.extra_datasets and row.label in asked.classes for row in rows]
        ),
        groups=find_groups(manifest, listed),
        tone=tuple(told["tone"]),
        images=images,
        skipped=tuple((name, why) for name, why in told["skipped"]),
    )


def _key(study: Study, table: Manifest) -> str:
    """Of what is read and how; a file that was written anew has another size or time."""
    told: list[object] = [study.images.harmonise, study.images.side]
    for row in table.rows:
        try:
            stat = row.path.stat()
            told.append([row.file, row.label, row.dataset, stat.st_size, stat.st_mtime_ns])
        except OSError:
            told.append([row.file, row.label, row.dataset, 0, 0])
    return sha256_bytes(json.dumps(told).encode())
