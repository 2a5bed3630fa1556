"""A bundle in a .zip, read in place: nothing is unpacked to disk, and no entry gives more than is listed."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from poxlens.bundle.store import LITTER, MAX_FILES
from poxlens.errors import BundleError


class ZipFiles:
    """The files of a zip archive, by their paths.

    Args:
        path: the archive.

    Raises:
        BundleError: when it is no zip, or has an entry that a bundle cannot have.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
            raise BundleError(f"{path}: neither a bundle folder nor a .zip ({fault})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._archive.close()

    def names(self) -> list[str]:
        """Paths of the files, folders and file managers' litter left out.

        Raises:
            BundleError: for a path that leads out of the bundle, a twin, or an encrypted entry.
        """
        found: list[str] = []
        for entry in self._archive.infolist():
            name = entry.filename
            self._check_path(entry.orig_filename)
            parts = PurePosixPath(name).parts
            if entry.is_dir() or parts[-1] in LITTER or parts[0] == "__MACOSX":
                continue
            if entry.flag_bits & 0x1:
                raise BundleError(f"{self._path}: {name} is encrypted; a bundle is not")
            if name in found:
                raise BundleError(f"{self._path}: {name} is in the archive twice")
            found.append(name)
            if len(found) > MAX_FILES:
                break
        return found

    def read(self, name: str, most: int) -> bytes:
        """At most `most` + 1 bytes of an entry, whatever size it claims or inflates to."""
        try:
            with self._archive.open(name) as stream:
                return stream.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
            raise BundleError(
                f"{self._path}: {name} cannot be unpacked ({fault}); fetch the bundle again"
            ) from None

    def _check_path(self, name: str) -> None:
        parts = name.rstrip("/").split("/")
        if (
            name.startswith("/")
            or "\\" in name
            or ":" in name
            or "\0" in name
            or {"", ".", ".."} & set(parts)
        ):
            raise BundleError(f"{self._path}: {name!r} leads out of the bundle; refused")
