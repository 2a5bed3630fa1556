"""A bundle on disk, as a folder or a .zip: loaded only when every byte is what its manifest says."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from poxlens.bundle.fields import FieldError, plain, read
from poxlens.bundle.manifest import FORMAT, Manifest
from poxlens.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST_NAME = "bundle.json"
MAX_MANIFEST_BYTES = 4_000_000
MAX_TOTAL_BYTES = 256_000_000
MAX_FILES = 1000
# What file managers leave behind in a folder; everything else that is not listed is refused.
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, eq=False)
class Bundle:
    """A verified bundle, held in memory so that what was verified is what is used.

    Args:
        manifest: the content of bundle.json.
        digest: SHA-256 of the bytes of bundle.json, which names the SHA-256 of every other file.
        source: where it came from, for messages.
    """

    manifest: Manifest
    digest: str
    source: Path
    _contents: Mapping[str, bytes] = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """Version of the bundle."""
        return self.manifest.version

    @property
    def label(self) -> str:
        """Name, version and the start of the digest, as every decision carries them."""
        return f"{self.name} {self.version} sha256:{self.digest[:16]}"

    def read(self, path: str) -> bytes:
        """The bytes of one file, as verified.

        Raises:
            BundleError: when the bundle lists no such file.
        """
        try:
            return self._contents[path]
        except KeyError:
            raise BundleError(f"{self.source}: no file {path} in the bundle") from None


def embedded_path() -> Path:
    """Folder of the bundle that comes with the package."""
    return Path(__file__).resolve().parent.parent / "bundles" / "default"


def load(path: Path | None = None) -> Bundle:
    """Read a bundle and verify its format, its schema, and the size and SHA-256 of every file.

    Whether the model gives the golden outputs is checked when it is loaded (`poxlens.screen.engine.Engine`).

    Args:
        path: a folder or a .zip; None for the embedded bundle.

    Raises:
        BundleError: naming the file or the field.
    """
    source = embedded_path() if path is None else Path(path)
    try:
        if source.is_dir():
            return verified(_FolderFiles(source), source)
        if source.is_file():
            from poxlens.bundle.archive import ZipFiles

            with ZipFiles(source) as files:
                return verified(files, source)
    except OSError as fault:
        raise BundleError(f"{source}: cannot be read: {fault.strerror or fault}") from fault
    if path is None:
        raise BundleError(
            f"the embedded bundle is missing ({source}); install poxlens again, or name one with --bundle"
        )
    raise BundleError(f"{source}: no such bundle; give a folder with {MANIFEST_NAME}, or the same as a .zip")


class _FolderFiles:
    """The files of a folder, by their POSIX paths below it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, _, files in os.walk(self._root):
            below = Path(folder).relative_to(self._root)
            found += [(below / file).as_posix() for file in files if file not in LITTER]
            if len(found) > MAX_FILES:
                break
        return found

    def read(self, name: str, most: int) -> bytes:
        """At most `most` + 1 bytes, so that a file that is too long shows without being read whole."""
        with (self._root / name).open("rb") as stream:
            return stream.read(most + 1)


def verified(files: Any, source: Path) -> Bundle:
    """The bundle made of `files`, when they are what bundle.json says.

    Raises:
        BundleError: naming the file or the field.
    """
    names = files.names()
    if len(names) > MAX_FILES:
        raise BundleError(f"{source}: more than {MAX_FILES} files; this is no bundle")
    if MANIFEST_NAME not in names:
        raise BundleError(f"{source}: no {MANIFEST_NAME} at the top of it; this is no bundle")
    raw = files.read(MANIFEST_NAME, MAX_MANIFEST_BYTES)
    if len(raw) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{source}: {MANIFEST_NAME} is larger than {MAX_MANIFEST_BYTES} bytes")
    manifest = parse(raw, source)
    if not manifest.files:
        raise BundleError(f"{source}: {MANIFEST_NAME}: files: must not be empty")
    if sum(file.bytes for file in manifest.files) > MAX_TOTAL_BYTES:
        raise BundleError(f"{source}: the listed files are larger than {MAX_TOTAL_BYTES} bytes together")
    listed = {file.path for file in manifest.files}
    if extra := sorted(set(names) - listed - {MANIFEST_NAME}):
        raise BundleError(
            f"{source}: {extra[0]} is not listed in {MANIFEST_NAME}; remove it or fetch the bundle again"
        )
    contents = {}
    for file in manifest.files:
        if file.path not in names:
            raise BundleError(f"{source}: {file.path} is missing; fetch the bundle again")
        data = files.read(file.path, file.bytes)
        if len(data) != file.bytes:
            longer = "longer" if len(data) > file.bytes else f"{len(data)} bytes"
            raise BundleError(
                f"{source}: {file.path} is {longer}, not {file.bytes} bytes; fetch the bundle again"
            )
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise BundleError(
                f"{source}: {file.path} was changed (its SHA-256 differs); fetch the bundle again"
            )
        contents[file.path] = data
    contents[MANIFEST_NAME] = raw
    return Bundle(manifest, hashlib.sha256(raw).hexdigest(), source, contents)


def parse(raw: bytes, source: Path | str = MANIFEST_NAME) -> Manifest:
    """Read the bytes of bundle.json.

    Raises:
        BundleError: naming the field, or saying that a newer poxlens made it.
    """
    where = f"{source}: {MANIFEST_NAME}"
    try:
        table = json.loads(raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as fault:
        raise BundleError(f"{where}: not valid JSON ({fault})") from None
    if not isinstance(table, dict):
        raise BundleError(f"{where}: must be a JSON object")
    _check_format(table.get("format"), where)
    try:
        return read(Manifest, table)
    except FieldError as fault:
        raise BundleError(f"{where}: {fault}") from None


def manifest_bytes(manifest: Manifest) -> bytes:
    """bundle.json of a manifest: the same bytes for the same manifest, always."""
    return (json.dumps(plain(manifest), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def _check_format(found: Any, where: str) -> None:
    if found == FORMAT:
        return
    family, _, number = found.partition("/") if isinstance(found, str) else ("", "", "")
    if family == FORMAT.partition("/")[0] and number.isdigit() and int(number) > 1:
        raise BundleError(
            f"{where}: format {found} was made by a newer poxlens; this one reads {FORMAT}. Update with: "
            "pip install --upgrade poxlens"
        )
    raise BundleError(f"{where}: format: must be {FORMAT!r}, not {found!r}")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is given twice")
    return table
