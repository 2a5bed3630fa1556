"""The file of keys: outside the data folder, so that who copies the data cannot read the photos."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from poxlens.errors import PoxlensError
from poxlens.files import write_atomically

FORMAT = "poxlens-clinic-keys/1"
_SECRETS = ("audit", "code", "person")


class KeysError(PoxlensError):
    """Keys that are missing, unreadable, or not those that the data were encrypted with."""


@dataclass(frozen=True)
class Keys:
    """What the file holds.

    Attributes:
        active: id of the key that encrypts from now on.
        sealing: id -> 32 bytes; the older ones only decrypt.
        audit: key of the audit log's chain.
        code: key that patients' codes are made with.
        person: key under which references of persons are compared.
    """

    active: str
    sealing: dict[str, bytes]
    audit: bytes
    code: bytes
    person: bytes

    @classmethod
    def fresh(cls) -> Keys:
        """New random keys."""
        return cls("k1", {"k1": secrets.token_bytes(32)}, *(secrets.token_bytes(32) for _ in _SECRETS))

    def rotated(self) -> Keys:
        """With one more sealing key, which is active."""
        number = 1 + max(int(name[1:]) for name in self.sealing)
        name = f"k{number}"
        return replace(self, active=name, sealing={**self.sealing, name: secrets.token_bytes(32)})

    def without(self, names: set[str]) -> Keys:
        """Without sealing keys that nothing needs any more; the active one always stays."""
        kept = {name: key for name, key in self.sealing.items() if name not in names or name == self.active}
        return replace(self, sealing=kept)


def read_keys(path: Path) -> Keys:
    """Read the keys.

    Raises:
        KeysError: when the file is missing, not readable, damaged, or open to other accounts of the machine.
    """
    try:
        told: dict[str, Any] = json.loads(path.read_bytes())
        _check_mode(path)
    except OSError as fault:
        raise KeysError(
            f"{path}: the keys cannot be read ({fault.strerror or fault}). Without them the photos cannot be "
            "opened; put the file back, or name its place with --keys."
        ) from None
    except ValueError:
        raise KeysError(f"{path}: damaged; put the copy of the keys back.") from None
    try:
        if told["format"] != FORMAT:
            raise KeysError(f"{path}: of format {told['format']!r}, not {FORMAT}; update poxlens.")
        sealing = {name: _key(text) for name, text in told["keys"].items()}
        if told["active"] not in sealing or not all(
            name[:1] == "k" and name[1:].isdigit() for name in sealing
        ):
            raise ValueError
        return Keys(told["active"], sealing, *(_key(told["secrets"][name]) for name in _SECRETS))
    except (KeyError, ValueError, TypeError, AttributeError):
        raise KeysError(f"{path}: damaged; put the copy of the keys back.") from None


def write_keys(path: Path, keys: Keys) -> None:
    """Write the keys whole or not at all, readable by this account alone.

    Raises:
        OSError: when the folder is not writable.
    """
    made = not path.parent.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    if made:
        path.parent.chmod(0o700)
    text = {
        "format": FORMAT,
        "active": keys.active,
        "keys": {name: _text(key) for name, key in keys.sealing.items()},
        "secrets": {name: _text(getattr(keys, name)) for name in _SECRETS},
    }
    write_atomically(path, json.dumps(text, indent=2) + "\n", private=True)


def _check_mode(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeysError(f"{path}: other accounts of this machine can read it; run: chmod 600 {path}")


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != 32:
        raise ValueError
    return key


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")
