"""Every file under a folder: images, tables, and what is no part of a set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from poxlens.data.table import Fault
from poxlens.errors import ManifestError

IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".bmp",
})  # fmt: skip
_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})  # left by operating systems


@dataclass(frozen=True)
class Found:
    """What is under a folder, by path relative to it, sorted."""

    root: Path
    images: tuple[PurePosixPath, ...]
    others: tuple[PurePosixPath, ...]  # tables, texts ...
    empty: tuple[PurePosixPath, ...]  # folders without any image below them, the outermost of each
    faults: tuple[Fault, ...]  # what cannot be listed or named


def walk(root: Path) -> Found:
    """List a folder, hidden files and the litter of operating systems aside.

    Raises:
        ManifestError: it is not there, is a file, or cannot be listed.
    """
    if root.suffix.lower() in (".zip", ".gz", ".tar", ".rar", ".7z") and root.is_file():
        raise ManifestError(f"{root}: is an archive. Unpack it and name the folder.")
    if not root.is_dir():
        raise ManifestError(f"{root}: {'is a file, not a folder' if root.exists() else 'no such folder'}.")
    faults: list[Fault] = []
    images: list[PurePosixPath] = []
    others: list[PurePosixPath] = []
    all_folders: list[PurePosixPath] = []
    for folder, names in _folders(root, faults):
        all_folders.append(folder)
        for name in names:
            relative = folder / name
            wrong = _wrong(relative.as_posix())
            if wrong:
                shown = os.fsencode(relative.as_posix()).decode("utf-8", "backslashreplace")
                faults.append(Fault("name", f"{shown}: {wrong}; rename the file.", None, None, shown))
            else:
                (images if relative.suffix.lower() in IMAGE_SUFFIXES else others).append(relative)
    filled = {parent for image in images for parent in image.parents}
    empty = [one for one in all_folders if one not in filled and one.parent in filled]
    return Found(root, tuple(sorted(images)), tuple(sorted(others)), tuple(sorted(empty)), tuple(faults))


def _folders(root: Path, faults: list[Fault]) -> Iterator[tuple[PurePosixPath, list[str]]]:
    def tell(fault: OSError) -> None:
        name = Path(fault.filename or root)
        faults.append(
            Fault("unreadable", f"{name}: cannot be listed: {fault.strerror}.", None, None, str(name))
        )

    for folder, folders, names in os.walk(root, onerror=tell):
        folders[:] = sorted(name for name in folders if _counts(name))
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        yield relative, [name for name in names if _counts(name)]


def _counts(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in _LITTER


def _wrong(name: str) -> str:
    """Why a name cannot stand in a table, or ""."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    return "the name begins with a space" if name != name.lstrip() else ""
