"""Making a bundle: files and a manifest become a folder or a .zip, byte for byte the same when made twice."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from poxlens.bundle.manifest import File, Manifest
from poxlens.bundle.store import MANIFEST_NAME, Bundle, load, manifest_bytes, parse
from poxlens.errors import BundleError
from poxlens.files import sha256_bytes, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

# The earliest time a zip can hold, so that the archive says nothing of when it was made.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Bundle:
    """Write a bundle folder and load it again. It appears whole or not at all; an old one is replaced.

    Args:
        folder: where; its parent is made when missing.
        manifest: everything but `files`, which is filled in from `files`.
        files: path in the bundle -> bytes; models, golden PNGs and MODEL_CARD.md.

    Raises:
        BundleError: when the manifest contradicts itself or the files; the folder is then unchanged.
    """
    listed = [File(path, len(files[path]), sha256_bytes(files[path])) for path in sorted(files)]
    if not listed:
        raise BundleError(f"{folder}: a bundle needs files")
    try:
        raw = manifest_bytes(replace(manifest, files=listed))
    except ValueError as fault:
        raise BundleError(f"{folder}: {fault}") from None
    parse(raw, folder)  # the reader's full check, before anything is written
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for path, data in {**files, MANIFEST_NAME: raw}.items():
            write_atomically(aside / path, data)
        load(aside)
        aside.chmod(0o755)  # mkdtemp makes 0700, and a bundle is for everyone
        _replace_folder(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return load(folder)


def pack_zip(bundle: Bundle, out: Path) -> Path:
    """Write a bundle as one .zip, the same bytes for the same bundle.

    Returns:
        `out`.
    """
    write_atomically(out, zip_bytes(bundle))
    return out


def zip_bytes(bundle: Bundle) -> bytes:
    """A bundle as one .zip in memory.

    Files are stored, not deflated: weights hardly shrink, and no version of zlib can change the archive.
    """
    paths = [MANIFEST_NAME, *sorted(file.path for file in bundle.manifest.files)]
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, bundle.read(path))
    return buffer.getvalue()


def _replace_folder(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`. No folder can be renamed over a full one, so the old one steps aside."""
    if not folder.exists():
        os.replace(new, folder)  # noqa: PTH105
        return
    if not (folder / MANIFEST_NAME).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder}: holds other things than a bundle; choose an empty or a new folder")
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
    os.replace(folder, old / folder.name)  # noqa: PTH105
    try:
        os.replace(new, folder)  # noqa: PTH105
    except BaseException:
        os.replace(old / folder.name, folder)  # noqa: PTH105
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
