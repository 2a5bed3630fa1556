"""Passwords: argon2id, and the few rules that keep the worst out."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from poxlens.serve.clinic.ids import ALPHABET

SHORTEST, LONGEST = 12, 128
# RFC 9106's second choice; each run holds 64 MiB.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1)
_AT_A_TIME = threading.BoundedSemaphore(2)  # or a hundred logins at once would take 6 GiB
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """What is stored of a password."""
    with _AT_A_TIME:
        return _HASHER.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is none, so that names cannot be tried out."""
    with _AT_A_TIME:
        try:
            return _HASHER.verify(stored or _NOBODY, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def fault_of(password: str, name: str) -> str | None:
    """Why a password is refused, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters; some words in a row are easy to remember."
    plain = password.casefold()
    if len(set(plain)) < 5 or "".join(sorted(set(plain))) in "0123456789":
        return "This password is too simple: use more different characters."
    if name.casefold() in plain or "poxlens" in plain or "password" in plain:
        return "A password must not hold your name or an obvious word."
    return None


def new_password() -> str:
    """A first password to be typed from paper: 80 bits in groups of four."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(16)).lower()
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))
