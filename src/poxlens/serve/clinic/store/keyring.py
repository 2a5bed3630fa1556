"""Encryption at rest: AES-256-GCM, each photo under a key of its own that is wrapped by a key of the file."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from poxlens.serve.clinic.store.keyfile import Keys, KeysError, read_keys

_NONCE = 12  # bytes; random ones may repeat after 2^32 uses of a key, which no clinic reaches


@dataclass(frozen=True)
class SealedPhoto:
    """A photo as it is stored."""

    key_id: str  # which key of the file wraps its own
    wrapped_key: bytes
    sealed: bytes


class Keyring:
    """Seals and opens with the keys of a file; reads it again when it meets a key that it does not know.

    Args:
        path: of the file.

    Raises:
        KeysError: when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read_at = _changed_at(path)
        self.keys: Keys = read_keys(path)

    def seal_photo(self, photo: bytes, about: str) -> SealedPhoto:
        """Encrypt a photo.

        Args:
            photo: its bytes.
            about: what it belongs to; it opens only together with the same text.
        """
        own = secrets.token_bytes(32)
        active = self._active()
        wrapped = _seal(self.keys.sealing[active], own, f"key:{about}")
        return SealedPhoto(active, wrapped, _seal(own, photo, about))

    def open_photo(self, stored: SealedPhoto, about: str) -> bytes:
        """Decrypt a photo.

        Raises:
            KeysError: when the key is not in the file, or what is stored was changed or swapped.
        """
        own = _open(self._key(stored.key_id), stored.wrapped_key, f"key:{about}")
        return _open(own, stored.sealed, about)

    def rewrap(self, key_id: str, wrapped_key: bytes, about: str) -> tuple[str, bytes]:
        """The same photo's key under the active key of the file.

        Raises:
            KeysError: as `open_photo`.
        """
        own = _open(self._key(key_id), wrapped_key, f"key:{about}")
        active = self.keys.active
        return active, _seal(self.keys.sealing[active], own, f"key:{about}")

    def seal_text(self, text: str, about: str) -> bytes:
        """Encrypt a short text."""
        active = self._active()
        return active.encode() + b":" + _seal(self.keys.sealing[active], text.encode(), about)

    def open_text(self, stored: bytes, about: str) -> str:
        """Decrypt a short text.

        Raises:
            KeysError: as `open_photo`.
        """
        key_id, _, sealed = stored.partition(b":")
        return _open(self._key(key_id.decode("ascii", "replace")), sealed, about).decode()

    def text_key(self, stored: bytes) -> str:
        """Id of the key that a short text is under."""
        return stored.partition(b":")[0].decode("ascii", "replace")

    @staticmethod
    def seal_with(key: bytes, data: bytes, about: str) -> bytes:
        """Encrypt under a key that is not of the file, such as a backup's own."""
        return _seal(key, data, about)

    @staticmethod
    def open_with(key: bytes, sealed: bytes, about: str) -> bytes:
        """Decrypt what `seal_with` encrypted.

        Raises:
            KeysError: when it was changed, or the key is another one.
        """
        return _open(key, sealed, about)

    def _active(self) -> str:
        """The key to encrypt with: the file is read again where the command has rotated it meanwhile."""
        changed = _changed_at(self.path)
        if changed != self._read_at and changed is not None:
            self.keys, self._read_at = read_keys(self.path), changed
        return self.keys.active

    def _key(self, key_id: str) -> bytes:
        if key_id not in self.keys.sealing:
            self.keys = read_keys(self.path)  # rotated by the command meanwhile
        try:
            return self.keys.sealing[key_id]
        except KeyError:
            raise KeysError(
                f"{self.path}: has no key {key_id!r}, which a record needs; put the copy of the keys back.",
                client_message="This record cannot be opened: its key is missing. Tell the administrator.",
            ) from None


def _changed_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None  # what was read is used as long as the file is away


def _seal(key: bytes, data: bytes, about: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, about.encode())


def _open(key: bytes, sealed: bytes, about: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
    except (InvalidTag, ValueError):
        raise KeysError(
            f"{about}: what is stored was changed, or was encrypted with other keys.",
            client_message="This record cannot be opened: it is damaged. Tell the administrator.",
        ) from None
