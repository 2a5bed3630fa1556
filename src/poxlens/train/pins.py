"""The lock file of weights whose SHA-256 nobody publishes: what was used first stays what is used."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path

from poxlens.errors import WeightsError
from poxlens.files import write_atomically

LOCK = "weights.lock.json"  # {file: SHA-256}


class UnpinnedWeightsWarning(UserWarning):
    """A file of weights is used for the first time, and no sum of it was known before."""


def pinned(file: str, folders: Iterable[Path | None]) -> str | None:
    """The SHA-256 of the first use of `file`, from the first folder whose lock file knows it.

    Raises:
        WeightsError: a lock file is damaged.
    """
    for folder in folders:
        found = _read(folder / LOCK).get(file) if folder else None
        if found:
            return found
    return None


def pin(file: str, sha256: str, folder: Path | None) -> None:
    """Remember the SHA-256 of `file` in the lock file of `folder`, and say so; nothing where it is known already.

    Without a folder it is only said.
    """
    if pinned(file, [folder]) == sha256:
        return
    known = f"its SHA-256 {sha256} was not known before"
    if folder is None:
        warnings.warn(f"{file}: {known}, and there is no folder to keep it in", UnpinnedWeightsWarning, 2)
        return
    write_atomically(folder / LOCK, json.dumps(_read(folder / LOCK) | {file: sha256}, indent=1) + "\n")
    warnings.warn(
        f"{file}: {known}; {folder / LOCK} keeps it, and refuses another file of that name",
        UnpinnedWeightsWarning,
        2,
    )


def _read(path: Path) -> dict[str, str]:
    try:
        table = json.loads(path.read_text("utf-8"))
        return {str(file): str(digest) for file, digest in table.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as fault:
        raise WeightsError(f"{path} is damaged: {fault}. Delete it to pin the files anew.") from fault
