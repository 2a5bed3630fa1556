"""Passwords: argon2id, and the few rules that keep the worst out."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from poxlens.serve.clinic.ids import ALPHABET

SHORTEST, LONGEST = 12, 128
_GUESSES = 8.0
"""Powers of ten of guesses that a password must withstand: a day at a thousand guesses a second at a stolen hash."""
_LOOKED_AT = 20  # characters; of 28 that look like letters and are none, looking takes most of a second
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
    if _guesses(plain, name) < _GUESSES:
        return (
            "This password is known from others' accounts, or close to one that is. Use some words in a row."
        )
    if name.casefold() in plain or "poxlens" in plain or "password" in plain:
        return "A password must not hold your name or an obvious word."
    return None


def _guesses(plain: str, name: str) -> float:
    """Powers of ten of guesses until it is found, by 30,000 passwords from breaches and how people vary them.

    Source: Wheeler 2016, zxcvbn.
    """
    from zxcvbn import zxcvbn  # its lists take a tenth of a second to load, and few requests need them

    with _AT_A_TIME:
        return float(zxcvbn(plain[:_LOOKED_AT], user_inputs=[name, "mpox", "poxlens"])["guesses_log10"])


def new_password() -> str:
    """A first password to be typed from paper: 80 bits in groups of four."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(16)).lower()
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))
