"""Signing in with a name, a password and, where it is set up, a code; with lock-out, and every try in the audit log."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access import sessions, totp
from poxlens.serve.clinic.access.passwords import verify_password
from poxlens.serve.clinic.access.telling import tell_person
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.instants import HOUR, MINUTE
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.rates import Limit, count
from poxlens.serve.clinic.store.tables import User

FREE_TRIES = 5
FIRST_LOCK, LONGEST_LOCK = MINUTE, HOUR
FROM_ADDRESS = Limit(60, 15 * MINUTE)
"""Tries of one address: a ward behind one router signs in through it too."""


@dataclass(frozen=True)
class SignedIn:
    """A new session."""

    user: User
    token: str


def sign_in(service: Service, name: str, password: str, code: str | None, address: str) -> SignedIn:
    """Begin a session.

    Args:
        service: the server.
        name: of the account.
        password: its password.
        code: of the authenticator app, or a recovery code.
        address: where the try comes from.

    Raises:
        ApiError: 401 for a wrong name, password or code (`code_needed` where only the code is missing); 429 while
            the account or the address is locked.
    """
    now = service.now()
    with service.store.writing() as session:
        wait = count(session, f"signin:{address}", FROM_ADDRESS, now)
    if wait:
        raise _later(wait)
    with service.store.reading() as session:
        user = session.scalars(select(User).where(User.name == name)).first()
    if user is not None and user.locked_until > now:
        # No word on whether the password was right: it would be a way to go on guessing.
        raise _later(user.locked_until - now)
    right = verify_password(user.password_hash if user else None, password)
    if user is None or user.disabled_at is not None or not right:
        _failed(service, user)
        raise ApiError(401, "wrong", "The name or the password is wrong.")
    if user.totp_confirmed and not code:
        raise ApiError(401, "code_needed", "Type the code that your authenticator app shows.")
    return _with_code(service, user, code, now)


def check_password(service: Service, user_id: str, password: str) -> bool:
    """Whether it is the password of somebody who is signed in already; wrong ones count as for signing in."""
    with service.store.reading() as session:
        user = session.get_one(User, user_id)
    if user.locked_until > service.now():
        raise _later(user.locked_until - service.now())
    right = verify_password(user.password_hash, password)
    if not right:
        _failed(service, user)
    return right


def confirm(service: Service, user_id: str, token: str, password: str, code: str | None) -> None:
    """Show again who one is, before a change that matters.

    Args:
        service: the server.
        user_id: who is signed in.
        token: of their session.
        password: of the account.
        code: of the authenticator app, where it has one, or a recovery code.

    Raises:
        ApiError: 403 for a wrong password or code (`code_needed` where only the code is missing); 409 for an account
            without a password; 429 while it is locked.
    """
    with service.store.reading() as session:
        known = session.get_one(User, user_id)
    if known.password_hash is None:
        raise ApiError(409, "no_password", "This account has no password here. Sign out and sign in again.")
    if not check_password(service, user_id, password):
        raise ApiError(403, "wrong", "The password is wrong.")
    if known.totp_confirmed and not code:
        raise ApiError(403, "code_needed", "Type the code that your authenticator app shows.")
    now = service.now()
    with service.store.writing() as session:
        user = session.scalars(select(User).where(User.id == user_id).with_for_update()).one()
        if not user.totp_confirmed or _second_factor(session, service, user, code or "", now):
            sessions.confirm(session, token, now)
            service.log(session, f"user:{user.id}", "confirmed", user.clinic_id, f"user:{user.id}")
            return
    _failed(service, known)
    raise ApiError(403, "wrong_code", "The code is wrong, or was used already. Wait for the next one.")


def _with_code(service: Service, known: User, code: str | None, now: float) -> SignedIn:
    with service.store.writing() as session:
        user = session.scalars(select(User).where(User.id == known.id).with_for_update()).one()
        method = "password"
        if user.totp_confirmed:
            method = _second_factor(session, service, user, code or "", now)
        if method:
            user.failures, user.locked_until = 0, 0.0
            token = sessions.begin(session, user, method, now)
            service.log(
                session, f"user:{user.id}", "signin", user.clinic_id, f"user:{user.id}", method=method
            )
            return SignedIn(user, token)
    _failed(service, known)
    raise ApiError(401, "wrong_code", "The code is wrong, or was used already. Wait for the next one.")


def _second_factor(session: Session, service: Service, user: User, code: str, now: float) -> str:
    """`totp` or `recovery`, after which the code opens nothing again; "" where it is wrong."""
    if user.totp_sealed is not None:
        secret = service.keyring.open_text(user.totp_sealed, f"totp:{user.id}")
        step = totp.step_of(secret, code, now, user.totp_step)
        if step is not None:
            user.totp_step = step
            return "totp"
    told = totp.recovery_hash(code)
    if told in user.recovery:
        user.recovery = [one for one in user.recovery if one != told]
        tell_person(session, service, user, "recovery")
        return "recovery"
    return ""


def _failed(service: Service, known: User | None) -> None:
    with service.store.writing() as session:
        clinic_id, what = None, "unknown account"
        if known is not None:
            user = session.scalars(select(User).where(User.id == known.id).with_for_update()).one()
            _lock(user, service.now())
            if user.failures == FREE_TRIES:  # once, not at each further try
                tell_person(session, service, user, "locked")
            clinic_id, what = user.clinic_id, f"user:{user.id}"
        # An unknown name is not written down: people type their password there.
        service.log(session, "anyone", "signin.refused", clinic_id, what)


def _lock(user: User, now: float) -> None:
    user.failures += 1
    if user.failures >= FREE_TRIES:
        user.locked_until = now + min(FIRST_LOCK * 2.0 ** (user.failures - FREE_TRIES), LONGEST_LOCK)


def _later(wait: float) -> ApiError:
    return ApiError(
        429,
        "locked",
        "Too many tries. Wait a while and try again.",
        headers={"Retry-After": str(int(wait) + 1)},
    )
