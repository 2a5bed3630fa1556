"""Sessions of people in a browser: short, ended by a click, and only a hash of the token kept."""

from __future__ import annotations

from sqlalchemy import delete, or_, update
from sqlalchemy.orm import Session

from poxlens.serve.clinic.ids import hashed, new_token
from poxlens.serve.clinic.instants import HOUR, MINUTE
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.tables import Login, OidcLogin, User

FRESH = 600.0
"""Seconds for which somebody who has typed their password may change accounts, tokens and choices."""
TOUCH = 60.0  # seconds between two notes that a session is in use


def begin(session: Session, user: User, method: str, now: float) -> str:
    """A new session.

    Returns:
        Its token, for the cookie.
    """
    token = new_token()
    session.add(
        Login(
            token_hash=hashed(token), user_id=user.id, created_at=now, seen_at=now, confirmed_at=now, method=method
        )
    )  # fmt: skip
    return token


def find(session: Session, token: str, now: float, settings: Settings) -> tuple[Login, User] | None:
    """The session of a token and whose it is; None where it is unknown, too old, or the account is closed."""
    login = session.get(Login, hashed(token))
    if login is None or now >= expiry(login, settings):
        return None
    user = session.get_one(User, login.user_id)
    return None if user.disabled_at is not None else (login, user)


def expiry(login: Login, settings: Settings) -> float:
    """When a session ends if it is not used until then."""
    return min(
        login.seen_at + settings.idle_minutes * MINUTE, login.created_at + settings.session_hours * HOUR
    )


def confirm(session: Session, token: str, now: float) -> None:
    """Note that the person of a session has just shown again who they are."""
    session.execute(update(Login).where(Login.token_hash == hashed(token)).values(confirmed_at=now))


def csrf_token(token: str) -> str:
    """What a page must send with every change: another site can make a browser send the cookie, not this."""
    return hashed(f"csrf:{token}")


def end(session: Session, token: str) -> None:
    """End one session."""
    session.execute(delete(Login).where(Login.token_hash == hashed(token)))


def end_all(session: Session, user_id: str, *, but: str | None = None) -> None:
    """End every session of a person.

    Args:
        session: a writing transaction.
        user_id: whose.
        but: a token whose session goes on.
    """
    wanted = delete(Login).where(Login.user_id == user_id)
    session.execute(wanted if but is None else wanted.where(Login.token_hash != hashed(but)))


def forget(session: Session, now: float, settings: Settings) -> None:
    """Delete sessions that have ended, and sign-ins through OpenID Connect that were not finished."""
    session.execute(delete(OidcLogin).where(OidcLogin.expires_at < now))
    session.execute(
        delete(Login).where(
            or_(
                Login.seen_at < now - settings.idle_minutes * MINUTE,
                Login.created_at < now - settings.session_hours * HOUR,
            )
        )
    )
