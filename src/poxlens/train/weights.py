"""Pretrained weights: where they are looked for, and how each file is known to be the published one.

Three checks, the strongest that there is: the full SHA-256; the first digits of it, which torchvision writes into the
names of its files; else the SHA-256 of the first use, kept in a lock file beside the downloads.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal

from poxlens.errors import WeightsError
from poxlens.files import sha256_file
from poxlens.train.pins import LOCK, pinned

Advance = Callable[[int, int], None]  # bytes so far, bytes in all (0 when the hub does not say)
Check = Literal["sha256", "prefix", "first use"]

_TIMEOUT = 60.0  # seconds without a byte from the hub
_BLOCK = 1 << 20
_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.(?:pth|pt|safetensors)$")


@dataclass(frozen=True)
class Weights:
    """One published file of weights."""

    file: str  # its name in a folder of weights
    sha256: str | None  # None: checked by the digits in the file's name, else pinned at first use
    licence: str
    package: str | None = None  # installed Python package that carries it in `models/`
    url: str | None = None  # the library's own hub
    note: str = ""  # where else it comes from, or what a user must know of it

    @property
    def check(self) -> Check:
        """How a file of that name is known to be the published one."""
        if self.sha256:
            return "sha256"
        return "prefix" if self.prefix else "first use"

    @property
    def prefix(self) -> str:
        """The first digits of the SHA-256 as the file's name gives them; empty where it gives none."""
        found = _PREFIX.search(self.file)
        return found[1] if found else ""

    @property
    def source(self) -> str:
        """Where to get them, as the end of a sentence."""
        if self.package:
            return f'install the package "{self.package}"'
        return self.note or self.url or "no public source"


def find_weights(
    weights: Weights,
    folders: Sequence[Path] = (),
    *,
    cache: Path | None = None,
    advance: Advance | None = None,
) -> Path:
    """The verified file: from `folders`, else from its installed package, else from the hub into `cache`.

    Args:
        weights: what to find.
        folders: folders to look in first, in their order.
        cache: where a download is kept; None forbids downloading.
        advance: told of a download's progress.

    Raises:
        WeightsError: when it is nowhere, or a file of that name has another SHA-256.
    """
    path = search_weights(weights, folders, cache=cache)
    if path is not None:
        return path
    if weights.url is None or cache is None:
        tried = ", ".join(str(folder) for folder in folders) or "no folder given"
        offline = "" if weights.url is None else ", and nothing may be downloaded"
        hint = "set POXLENS_WEIGHTS to its folder"
        if weights.package:
            hint = weights.source
        elif weights.note or weights.url:
            hint = f"get it ({weights.source}) and {hint}"
        raise WeightsError(f"weights {weights.file} ({weights.licence}) not found ({tried}{offline}): {hint}")
    return _download(weights, weights.url, cache, advance)


def search_weights(
    weights: Weights, folders: Sequence[Path] = (), *, cache: Path | None = None
) -> Path | None:
    """The verified file where it is already, None where it is not; nothing is downloaded.

    Raises:
        WeightsError: a file of that name has another SHA-256.
    """
    package = _package_folder(weights.package)
    path: Path
    for folder in (*folders, *((package,) if package else ()), *((cache,) if cache else ())):
        path = folder / weights.file
        if path.is_file():
            _verify(sha256_file(path), path, weights, cache)
            return path
    return None


def locate_weights(
    candidates: Sequence[Weights], folders: Sequence[Path] = (), *, cache: Path | None = None
) -> tuple[Weights, Path]:
    """The first of the candidates that is at hand, else the first one's download; verified.

    Raises:
        WeightsError: none is found, or a file is not the published one.
    """
    for weights in candidates:
        path = search_weights(weights, folders, cache=cache)
        if path is not None:
            return weights, path
    return candidates[0], find_weights(candidates[0], folders, cache=cache)


def read_tensors(path: Path) -> dict[str, Any]:
    """The tensors of a file of weights by name; half precision is widened to float32.

    A safetensors file holds no code; of a pickle only tensors are read.

    Raises:
        WeightsError: it is cut off, damaged, or holds something else.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as fault:  # both libraries raise kinds of their own, and those of zipfile and pickle
        reason = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
        raise WeightsError(
            f"{path} cannot be read as weights ({reason}). Delete it and fetch it again."
        ) from fault
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsError(f"{path} holds something else than a table of tensors")
    half = (torch.float16, torch.bfloat16)
    return {name: value.float() if value.dtype in half else value for name, value in state.items()}


def _package_folder(package: str | None) -> Path | None:
    found = importlib.util.find_spec(package) if package else None
    return Path(found.origin).parent / "models" if found is not None and found.origin else None


def _verify(found: str, path: Path, weights: Weights, cache: Path | None) -> None:
    expected = weights.sha256 or weights.prefix or pinned(weights.file, [cache, path.parent])
    if expected and not found.startswith(expected):
        first = weights.check == "first use"
        meant = f" Where another file is meant, take it out of {LOCK}." if first else ""
        raise WeightsError(
            f"{path} is not the {'file of its first use' if first else 'published file'}: "
            f"SHA-256 {found[:16]}…, expected {expected[:16]}…. Delete it and fetch it again.{meant}"
        )


def _download(weights: Weights, url: str, cache: Path, advance: Advance | None) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=cache, prefix=f".{weights.file}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            digest = _fetch(weights, url, stream, advance)
            stream.flush()
            os.fsync(stream.fileno())
        expected = weights.sha256 or weights.prefix or pinned(weights.file, [cache]) or ""
        if not digest.startswith(expected):
            raise WeightsError(f"{url} sent another file than the published one (SHA-256 differs)")
        path = cache / weights.file
        Path(aside).chmod(0o644)  # mkstemp makes 0600, which others who share the folder could not read
        return Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _fetch(weights: Weights, url: str, stream: Any, advance: Advance | None) -> str:
    """Bytes of `url` into `stream`; their SHA-256."""
    digest, done = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # a constant https address of a spec
            whole = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(_BLOCK):
                stream.write(block)
                digest.update(block)
                done += len(block)
                if advance:
                    advance(done, whole)
        if done < whole:  # reading in blocks, http.client does not complain itself
            raise OSError(f"the line broke after {done} of {whole} bytes")
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"cannot download {weights.file} from {url}: {error}. "
            "Put the file into a folder and name the folder in POXLENS_WEIGHTS."
        ) from error
    return digest.hexdigest()
