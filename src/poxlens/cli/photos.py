"""Which photos a command line names: files, folders with all below them, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

STDIN = "-"


def photos(sources: tuple[str, ...], fault: Callable[[str], None]) -> Iterator[Path | BinaryIO]:
    """The photos, one by one. A folder gives every file below it that is not hidden, in order of names.

    What a file is, its content says and not its name, so a text among the photos is given too and reported as
    unreadable: nothing is left out silently.

    Args:
        sources: paths, or "-" for standard input.
        fault: told of each folder that cannot be listed.
    """
    for source in sources:
        if source == STDIN:
            yield sys.stdin.buffer
        elif Path(source).is_dir():
            yield from _below(Path(source), fault)
        else:
            yield Path(source)


def label(item: Path | BinaryIO) -> str:
    """The name of a photo in reports."""
    return str(item) if isinstance(item, Path) else STDIN


def _below(folder: Path, fault: Callable[[str], None]) -> Iterator[Path]:
    def unlisted(error: OSError) -> None:
        fault(f"{error.filename}: cannot be listed: {error.strerror}")

    for root, folders, files in os.walk(folder, onerror=unlisted):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            # A pipe or a device in a folder would block for ever; a broken link is reported as missing.
            if not name.startswith(".") and (path.is_file() or path.is_symlink()):
                yield path
