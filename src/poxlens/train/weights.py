"""Pretrained weights: where they are looked for, and the SHA-256 that each must have."""

from __future__ import annotations

import importlib.util
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from poxlens.errors import WeightsError
from poxlens.files import sha256_bytes, sha256_file, write_atomically

_TIMEOUT = 60.0  # seconds without a byte from the hub


@dataclass(frozen=True)
class Weights:
    """One published file of weights."""

    file: str  # its name in a folder of weights
    sha256: str
    licence: str
    package: str | None = None  # installed Python package that carries it in `models/`
    url: str | None = None  # the library's own hub


def find_weights(weights: Weights, folders: Sequence[Path] = (), *, cache: Path | None = None) -> Path:
    """The verified file: from `folders`, else from its installed package, else from the hub into `cache`.

    Args:
        weights: what to find.
        folders: folders to look in first, in their order.
        cache: where a download is kept; None forbids downloading.

    Raises:
        WeightsError: when it is nowhere, or a file of that name has another SHA-256.
    """
    package = _package_folder(weights.package)
    for folder in (*folders, *((package,) if package else ()), *((cache,) if cache else ())):
        path = folder / weights.file
        if path.is_file():
            return _verified(path, weights)
    if weights.url is None or cache is None:
        tried = ", ".join(str(folder) for folder in folders) or "no folder given"
        hint = (
            f'install the package "{weights.package}"'
            if weights.package
            else "set POXLENS_WEIGHTS to its folder"
        )
        raise WeightsError(f"weights {weights.file} not found ({tried}): {hint}")
    return _download(weights, weights.url, cache)


def _package_folder(package: str | None) -> Path | None:
    found = importlib.util.find_spec(package) if package else None
    return Path(found.origin).parent / "models" if found is not None and found.origin else None


def _verified(path: Path, weights: Weights) -> Path:
    found = sha256_file(path)
    if found != weights.sha256:
        raise WeightsError(
            f"{path} is not the published file: SHA-256 {found[:16]}…, expected {weights.sha256[:16]}…. "
            "Delete it and fetch it again."
        )
    return path


def _download(weights: Weights, url: str, cache: Path) -> Path:
    try:
        with urllib.request.urlopen(
            url, timeout=_TIMEOUT
        ) as answer:  # a constant https address of this module
            data: bytes = answer.read()
    except (OSError, HTTPException) as error:  # the second when the line breaks halfway
        raise WeightsError(
            f"cannot download {weights.file} from {url}: {error}. "
            "Put the file into a folder and name the folder in POXLENS_WEIGHTS."
        ) from error
    if sha256_bytes(data) != weights.sha256:
        raise WeightsError(f"{url} sent another file than the published one (SHA-256 differs)")
    path = cache / weights.file
    write_atomically(path, data)
    return path
