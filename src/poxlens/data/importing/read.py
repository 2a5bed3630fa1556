"""Read images side by side: SHA-256 of the bytes, upright size, and whether they are an image at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from poxlens.errors import PhotoError
from poxlens.files import sha256_bytes
from poxlens.photo.decode import decode
from poxlens.photo.source import read_source


@dataclass(frozen=True)
class Read:
    """What one file holds."""

    sha256: str = ""  # "" where no byte could be read
    width: int = 0  # px, upright; 0 where it is no image
    height: int = 0
    fault: str = ""  # why it cannot be read, a sentence


def read_images(
    paths: Sequence[Path], *, workers: int | None = None, advance: Callable[[int], None] | None = None
) -> list[Read]:
    """Read every file, decoding it whole, so that a damaged one is found now.

    Args:
        paths: the files.
        workers: threads; decoding and hashing leave Python's lock. Default: one a core.
        advance: called with 1 for each file done.

    Returns:
        One answer a file, in their order.
    """
    found: list[Read] = []
    with ThreadPoolExecutor(max_workers=workers or os.cpu_count() or 1) as pool:
        for answer in pool.map(read_image, paths):
            found.append(answer)
            if advance is not None:
                advance(1)
    return found


def read_image(path: Path) -> Read:
    """Read one file; what is wrong with it is in the answer."""
    sha256 = ""
    try:
        data = read_source(path)
        sha256 = sha256_bytes(data)
        photo = decode(data)
    except PhotoError as fault:
        return Read(sha256=sha256, fault=str(fault))
    return Read(sha256, photo.width, photo.height)
