"""Atomic writing and hashing of files: what is on disk is either the old whole or the new whole."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes | str, *, private: bool = False) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    Written aside in the same folder, flushed to disk, then renamed.

    Args:
        path: of the file; folders above it are made.
        data: its content; text is UTF-8.
        private: whether only its owner may read it, from the first byte on.

    Raises:
        OSError: when the disk is full or the folder is not writable; `path` is then unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    payload = data.encode("utf-8") if isinstance(data, str) else data
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(payload)
            stream.flush()
            os.fsync(stream.fileno())
        if not private:
            os.chmod(aside, 0o666 & ~_umask())  # noqa: PTH101 - mkstemp makes 0600
        os.replace(aside, path)  # noqa: PTH105
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def sha256_file(path: Path) -> str:
    """SHA-256 of a file as 64 hexadecimal digits, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
