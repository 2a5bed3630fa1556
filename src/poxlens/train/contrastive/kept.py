"""Images decoded once: a file of pixels that every epoch reads its crops from."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Row
from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.decode import decode
from poxlens.photo.resize import InputRule
from poxlens.train.images import Harmonise

Pixels = NDArray[np.uint8]
Advance = Callable[[int], None]
_AHEAD = 64  # images decoded before those in front are written


def keep_images(
    rows: Sequence[Row],
    folder: Path,
    side: int,
    *,
    name: str,
    workers: int = 2,
    advance: Advance | None = None,
) -> tuple[Pixels, dict[Path, str]]:
    """The readable images as a read-only memory map [N, side, side, 3] uint8, and why the others are not.

    Each is prepared as training images are (`Harmonise`): watermark strip cut, resized, one JPEG quality for all. The
    files are `NAME.npy` and `NAME.json` in the folder, written once and read again while rows and side are the same.

    Args:
        rows: with SHA-256.
        folder: of the files.
        side: px.
        name: of the files.
        workers: images decoded at once.
        advance: called with 1 for each image.
    """
    harmonise = Harmonise(InputRule(side))
    told = [asdict(harmonise), [(row.sha256, row.dataset) for row in rows]]
    key = sha256_bytes(json.dumps(told).encode())
    file, record = folder / f"{name}.npy", folder / f"{name}.json"
    faults = _known(record, key, rows) if file.exists() else None
    if faults is None:
        faults = _decode(rows, file, harmonise, workers, advance)
        kept = {"key": key, "faults": {str(place): why for place, why in faults.items()}}
        write_atomically(record, json.dumps(kept) + "\n")
    elif advance:
        advance(len(rows))
    pixels: Pixels = np.load(file, mmap_mode="r")
    return pixels, {rows[place].path: why for place, why in faults.items()}


def _known(record: Path, key: str, rows: Sequence[Row]) -> dict[int, str] | None:
    try:
        told: dict[str, Any] = json.loads(record.read_text("utf-8"))
        faults = {int(place): str(why) for place, why in told["faults"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return faults if told["key"] == key and all(place < len(rows) for place in faults) else None


def _decode(
    rows: Sequence[Row], file: Path, harmonise: Harmonise, workers: int, advance: Advance | None
) -> dict[int, str]:
    """Write the pixels; returns row -> fault."""

    def one(row: Row) -> Pixels | str:
        try:
            return harmonise.image(decode(row.path).pixels, row.dataset)
        except PhotoError as fault:
            return str(fault)
        except OSError as fault:
            return f"cannot be read: {fault.strerror or fault}"

    side = harmonise.rule.size
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".part.npy")
    faults: dict[int, str] = {}
    try:
        pixels = np.lib.format.open_memmap(aside, "w+", np.uint8, (len(rows), side, side, 3))
        filled = 0
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(rows), _AHEAD):
                for place, answer in enumerate(pool.map(one, rows[start : start + _AHEAD]), start):
                    if isinstance(answer, str):
                        faults[place] = answer
                    else:
                        pixels[filled] = answer
                        filled += 1
                    if advance:
                        advance(1)
        pixels.flush()
        if filled < len(rows):  # a damaged file leaves no gap
            whole = np.lib.format.open_memmap(
                aside.with_suffix(".less"), "w+", np.uint8, (filled, side, side, 3)
            )
            for start in range(0, filled, _AHEAD):
                whole[start : start + _AHEAD] = pixels[start : min(start + _AHEAD, filled)]
            whole.flush()
            os.replace(aside.with_suffix(".less"), aside)  # noqa: PTH105
        os.replace(aside, file)  # noqa: PTH105
    finally:
        aside.unlink(missing_ok=True)
        aside.with_suffix(".less").unlink(missing_ok=True)
    return faults
