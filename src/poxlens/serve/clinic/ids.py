"""Random names: ids, tokens of devices and sessions, and the codes by which a patient asks for the reply."""

from __future__ import annotations

import hashlib
import hmac
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which people misread on paper."""
CODE_LENGTH = 12  # 60 bits: not to be guessed, and short enough to be read out
DEVICE_PREFIX = "poxd_"
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def new_id() -> str:
    """32 random hexadecimal digits."""
    return secrets.token_hex(16)


def new_token(prefix: str = "") -> str:
    """A secret of 256 bits that fits in a header."""
    return prefix + secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """What is kept of a secret of full strength: SHA-256, hexadecimal. Passwords need `access.passwords`."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(key: bytes, *parts: str) -> str:
    """HMAC-SHA256 of some texts, hexadecimal: the same text cannot be found out by trying."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def code_for(key: bytes, referral: str) -> str:
    """The code of a referral: made again, not stored, when a phone repeats a request whose answer it lost."""
    number = int.from_bytes(hmac.new(key, referral.encode(), hashlib.sha256).digest()[:8], "big")
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in range(CODE_LENGTH))


def shown_code(code: str) -> str:
    """A code as people read it: `7K2M-09XA-QPRT`."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def plain_code(text: str) -> str:
    """A code as typed, with letters that were misread put right; not necessarily one that exists."""
    return text.strip().upper().translate(_MISREAD)
