"""The bytes of a photo, from wherever it comes: only regular files, never more than a limit, never a wait."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import BinaryIO

from poxlens.photo.unreadable import unreadable

MAX_BYTES = 400_000_000  # the largest file read; holds 100 megapixels of uncompressed RGB
_BLOCK = 1 << 20

_CODES = {
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EISDIR: "folder",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
}


def read_source(source: str | Path | bytes | BinaryIO) -> bytes:
    """All bytes of `source`: a path, bytes, or a stream opened in binary mode.

    Raises:
        PhotoError: missing, folder, not_a_file, permission, io, empty, or too_large (over MAX_BYTES).
        TypeError: when a stream gives text.
    """
    try:
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
        elif isinstance(source, (str, Path)):
            data = _read_file(source)
        else:
            data = _read_stream(source, 0)
    except OSError as error:
        code = _CODES.get(error.errno or 0, "io")
        raise unreadable(code, error.strerror or type(error).__name__) from error
    if not data:
        raise unreadable("empty")
    if len(data) > MAX_BYTES:
        raise unreadable("too_large", f"the file has more than {MAX_BYTES // 1_000_000} MB")
    return data


def _read_file(path: str | Path) -> bytes:
    try:
        _check_regular(os.stat(path))  # noqa: PTH116 - before opening: opening a device can have effects
        # O_NONBLOCK: a pipe put in the file's place between the two checks must not block us.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a NUL in the name
        raise unreadable("missing", str(error)) from error
    with io.FileIO(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        _check_regular(status)
        return _read_stream(stream, status.st_size)


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise unreadable("folder")
    if not stat.S_ISREG(status.st_mode):
        raise unreadable("not_a_file")
    if status.st_size > MAX_BYTES:
        raise unreadable("too_large", f"the file has {status.st_size // 1_000_000} MB")


def _read_stream(stream: BinaryIO | io.FileIO, expected: int) -> bytes:
    parts: list[bytes] = []
    total = 0
    while total <= MAX_BYTES:
        part = stream.read(max(expected - total, _BLOCK))
        if not part:
            break
        if not isinstance(part, (bytes, bytearray)):
            raise TypeError("a photo's stream must be opened in binary mode")
        parts.append(bytes(part))
        total += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
