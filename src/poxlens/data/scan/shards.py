"""Finished parts of a scan on disk: what is known of some hundred files each, found again by their content.

A shard is written whole or not at all, so a scan that was killed at any moment goes on with the shards that are
there. Records are keyed by the SHA-256 of a file's bytes: a renamed file is known, a changed one is not.
"""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data import fingerprint, phash
from poxlens.data.scan.look import THUMB, Look
from poxlens.data.scan.traits import TRAITS
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.personal import KINDS

FORMAT = 1  # of the records; another number makes older shards unknown
_STALE = 3600.0  # seconds; a part left aside by a killed writer

Record = dict[str, NDArray[np.generic]]


def version(*, hashes_only: bool = False) -> str:
    """What a record depends on beside the file: the format and the fingerprint, which may be left out."""
    return f"{FORMAT}-hash" if hashes_only else f"{FORMAT}-{fingerprint.VERSION}"


def pack(contents: Sequence[bytes], looks: Sequence[Look], embedding: NDArray[np.float16]) -> Record:
    """The columns of a shard, each with len(contents) rows.

    Args:
        contents: SHA-256 digests, 32 bytes each.
        looks: what was seen in each.
        embedding: [len(contents), D].
    """
    return {
        "content": np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 32),
        "fault": np.array([one.fault for one in looks], np.str_),
        "width": np.array([one.width for one in looks], np.int32),
        "height": np.array([one.height for one in looks], np.int32),
        "format": np.array([one.format for one in looks], np.str_),
        "jpeg_quality": np.array([one.jpeg_quality for one in looks], np.float32),
        "personal": np.array(
            [sum(1 << KINDS.index(kind) for kind in one.personal) for one in looks], np.uint8
        ),
        "pixels": np.frombuffer(
            b"".join(bytes.fromhex(one.pixels_sha256 or "00" * 32) for one in looks), np.uint8
        ).reshape(-1, 32),
        "hashes": phash.phashes(np.stack([one.grey for one in looks])),
        "embedding": embedding,
        "traits": np.stack([one.traits for one in looks]),
        "ita": np.array([one.ita for one in looks], np.float32),
        "thumb": np.stack([one.thumb for one in looks]),
    }


def write(store: Path, record: Record, *, hashes_only: bool = False) -> Path:
    """Write one shard; its name tells its version and content."""
    name = f"shard-{version(hashes_only=hashes_only)}-{sha256_bytes(record['content'].tobytes())[:24]}.npz"
    with io.BytesIO() as stream:
        np.savez(stream, **record)  # type: ignore[arg-type]
        write_atomically(store / name, stream.getvalue())
    return store / name


def paths(store: Path, *, hashes_only: bool = False) -> list[Path]:
    """The shards of this version, sorted; parts that a killed writer left an hour ago or longer are removed.

    Whoever wants hashes only takes complete records too.
    """
    for part in store.glob(".shard-*.part"):
        try:
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()
        except OSError:
            continue  # another scan of the same folder was faster
    found = sorted(store.glob(f"shard-{version(hashes_only=True)}-*.npz")) if hashes_only else []
    return found + sorted(store.glob(f"shard-{version()}-*.npz"))


def read(path: Path) -> Record | None:
    """The columns of a shard; None when the file is damaged, whose images are then looked at again."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            record = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    rows = {len(column) for column in record.values()}
    whole = set(_SHAPES) == set(record) and len(rows) == 1
    return (
        record if whole and all(record[name].shape[1:] == shape for name, shape in _SHAPES.items()) else None
    )


def known(store: Path, *, hashes_only: bool = False) -> Iterator[tuple[Path, NDArray[np.uint8]]]:
    """Each readable shard with the contents it knows, [n, 32]; a damaged shard is removed."""
    for path in paths(store, hashes_only=hashes_only):
        record = read(path)
        if record is None:
            path.unlink(missing_ok=True)
        else:
            yield path, record["content"].astype(np.uint8)


_SHAPES: dict[str, tuple[int, ...]] = {
    "content": (32,), "fault": (), "width": (), "height": (), "format": (), "jpeg_quality": (), "personal": (),
    "pixels": (32,), "hashes": (len(phash.VIEWS),), "embedding": (fingerprint.SIZE,), "traits": (len(TRAITS),),
    "ita": (), "thumb": (THUMB, THUMB),
}  # fmt: skip
