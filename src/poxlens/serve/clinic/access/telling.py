"""Telling people by e-mail that something of their account was changed, so that they notice when it was not they."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from poxlens.serve.clinic.notice.writing import notice_to_person
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import User

Event = Literal[
    "password", "reset", "totp", "recovery", "email", "roles", "openid", "closed", "opened", "locked"
]
SAID: dict[Event, str] = {
    "password": "its password was changed",
    "reset": "an administrator gave it a new first password and took its authenticator app away",
    "totp": "an authenticator app was set up for it",
    "recovery": "somebody signed in with one of its recovery codes",
    "email": "its e-mail address was changed",
    "roles": "what it may do was changed",
    "openid": "the account of the organisation that it can be opened with was changed",
    "closed": "it was closed",
    "opened": "it was opened again",
    "locked": "it was locked for a while after several wrong passwords or codes",
}


def tell_person(
    session: Session, service: Service, user: User, event: Event, *, former: str | None = None
) -> None:
    """Put a notice to a person into the outbox; whoever has no address is not told.

    Args:
        session: the writing transaction that makes the change.
        service: the server.
        user: whose account.
        event: what happened to it.
        former: the address that it had before, which is told too.
    """
    for address in {one for one in (user.email, former) if one is not None}:
        text = f"Your account at the clinic's server: {SAID[event]}. If that is news to you, tell an administrator now."
        notice_to_person(session, user.clinic_id, address, text, at=service.now())
