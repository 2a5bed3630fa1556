"""One-time codes of an authenticator app (RFC 6238): six digits, thirty seconds, each opens once."""

from __future__ import annotations

import hmac
import secrets

import pyotp

from poxlens.serve.clinic.ids import ALPHABET, hashed, plain_code

_PERIOD = 30
_RECOVERY_CODES = 8


def new_secret() -> str:
    """160 random bits in base 32."""
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """The otpauth: address that an authenticator app reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="poxlens clinic")


def step_of(secret: str, code: str, now: float, last: int) -> int | None:
    """The time step that a code is of, one step of clock error allowed.

    Args:
        secret: of the account.
        code: as typed.
        now: seconds since 1970.
        last: the step that was used last; it and earlier ones open nothing again.
    """
    made = pyotp.TOTP(secret)
    current = int(now) // _PERIOD
    for step in (current, current - 1, current + 1):
        if step > last and hmac.compare_digest(made.at(step * _PERIOD).encode(), code.strip().encode()):
            return step
    return None


def new_recovery_codes() -> list[str]:
    """Codes for the day on which the app is lost; each opens once."""
    return ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(_RECOVERY_CODES)]


def recovery_hash(code: str) -> str:
    """What is kept of a recovery code."""
    return hashed(f"recovery:{plain_code(code)}")
