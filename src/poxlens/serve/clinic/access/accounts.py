"""Accounts of people and tokens of devices: made, changed and ended by an administrator or the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access import sessions
from poxlens.serve.clinic.access.passwords import hash_password, new_password
from poxlens.serve.clinic.access.telling import tell_person
from poxlens.serve.clinic.faults import ApiError, not_found
from poxlens.serve.clinic.ids import DEVICE_PREFIX, hashed, new_id, new_token
from poxlens.serve.clinic.instants import DAY
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Clinic, Device, User

ROLES = ("clinician", "administrator")


@dataclass(frozen=True)
class NewUser:
    """An account to make."""

    name: str
    roles: tuple[str, ...]
    email: str | None = None
    on_duty: bool = False
    escalation: bool = False
    oidc_subject: str | None = None


def add_clinic(service: Service, name: str, *, actor: str, policy: Policy | None = None) -> str:
    """Make a clinic.

    Returns:
        Its id.

    Raises:
        ApiError: 409 when there is one of this name.
    """
    own = new_id()
    try:
        with service.store.writing() as session:
            chosen = (policy or Policy()).model_dump()
            session.add(Clinic(id=own, name=name, created_at=service.now(), policy=chosen))
            session.flush()
            service.log(session, actor, "clinic.added", own, f"clinic:{own}")
    except IntegrityError:
        raise ApiError(409, "name_taken", f"There is a clinic named {name!r} already.") from None
    return own


def add_user(
    service: Service, clinic_id: str, wanted: NewUser, *, actor: str, password: str | None = None
) -> tuple[User, str]:
    """Make an account with a first password, which must be changed at the first sign-in.

    Args:
        service: the server.
        clinic_id: of which clinic.
        wanted: the account.
        actor: who makes it.
        password: one that need not be changed, of a demonstration; None for a random one.

    Raises:
        ApiError: 409 when the name is taken anywhere on the server.
    """
    first = password or new_password()
    user = User(
        id=new_id(), clinic_id=clinic_id, name=wanted.name, roles=_roles(wanted.roles), email=wanted.email,
        password_hash=hash_password(first), must_change=password is None, totp_confirmed=False, totp_step=0,
        recovery=[], oidc_subject=wanted.oidc_subject, on_duty=wanted.on_duty, escalation=wanted.escalation,
        created_at=service.now(), failures=0, locked_until=0.0,
    )  # fmt: skip
    try:
        with service.store.writing() as session:
            session.add(user)
            session.flush()
            service.log(session, actor, "user.added", clinic_id, f"user:{user.id}", roles=user.roles)
    except IntegrityError:
        raise ApiError(409, "name_taken", "This name is taken; choose another one.") from None
    return user, first


def reset_user(service: Service, clinic_id: str, user_id: str, *, actor: str) -> str:
    """A new first password for somebody who has lost theirs; ends every session and the second factor.

    Raises:
        ApiError: 404 when the clinic has no such account.
    """
    first = new_password()
    stored = hash_password(first)
    with service.store.writing() as session:
        user = own_user(session, clinic_id, user_id)
        user.password_hash, user.must_change, user.failures, user.locked_until = stored, True, 0, 0.0
        user.totp_confirmed, user.totp_sealed, user.recovery = False, None, []
        sessions.end_all(session, user.id)
        tell_person(session, service, user, "reset")
        service.log(session, actor, "user.reset", clinic_id, f"user:{user.id}")
    return first


def close_user(service: Service, clinic_id: str, user_id: str, *, actor: str, closed: bool = True) -> User:
    """Close an account, or open it again; its name stays beside what it has noted.

    Raises:
        ApiError: 404; 409 for the clinic's last administrator.
    """
    with service.store.writing() as session:
        user = own_user(session, clinic_id, user_id)
        user.disabled_at = service.now() if closed else None
        if closed:
            sessions.end_all(session, user.id)
        session.flush()
        _check_administrator(session, clinic_id)
        tell_person(session, service, user, "closed" if closed else "opened")
        service.log(session, actor, "user.closed" if closed else "user.opened", clinic_id, f"user:{user.id}")
        return user


def change_user(service: Service, clinic_id: str, user_id: str, *, actor: str, **changes: object) -> User:
    """Change roles, e-mail, duty.

    Raises:
        ApiError: 404; 409 where the clinic would have no administrator, or the subject is taken.
    """
    try:
        with service.store.writing() as session:
            user = own_user(session, clinic_id, user_id)
            former = user.email
            for name, value in changes.items():
                setattr(user, name, _roles(value) if name == "roles" else value)  # type: ignore[arg-type]
            session.flush()
            _check_administrator(session, clinic_id)
            if "roles" in changes:
                sessions.end_all(session, user.id)  # rights are those of the next sign-in
                tell_person(session, service, user, "roles")
            if user.email != former:
                tell_person(session, service, user, "email", former=former)
            if "oidc_subject" in changes:
                tell_person(session, service, user, "openid")
            service.log(
                session, actor, "user.changed", clinic_id, f"user:{user.id}", fields=",".join(sorted(changes))
            )
            return user
    except IntegrityError:
        raise ApiError(409, "subject_taken", "Another account has this OpenID Connect subject.") from None


def own_user(session: Session, clinic_id: str, user_id: str) -> User:
    """An account of a clinic.

    Raises:
        ApiError: 404 when it has none.
    """
    user = session.get(User, user_id)
    if user is None or user.clinic_id != clinic_id:
        raise not_found("account")
    return user


def add_device(service: Service, clinic_id: str, name: str, days: int, *, actor: str) -> tuple[Device, str]:
    """Make a device; its token is shown once and kept as a hash."""
    token, now = new_token(DEVICE_PREFIX), service.now()
    device = Device(
        id=new_id(), clinic_id=clinic_id, name=name, token_hash=hashed(token), created_at=now,
        expires_at=now + days * DAY,
    )  # fmt: skip
    with service.store.writing() as session:
        session.add(device)
        session.flush()
        service.log(session, actor, "device.added", clinic_id, f"device:{device.id}", days=days)
    return device, token


def revoke_device(service: Service, clinic_id: str, device_id: str, *, actor: str) -> Device:
    """End a device's token, at once.

    Raises:
        ApiError: 404 when the clinic has no such device.
    """
    with service.store.writing() as session:
        device = session.get(Device, device_id)
        if device is None or device.clinic_id != clinic_id:
            raise not_found("device")
        if device.revoked_at is None:
            device.revoked_at = service.now()
        service.log(session, actor, "device.revoked", clinic_id, f"device:{device.id}")
        return device


def _check_administrator(session: Session, clinic_id: str) -> None:
    wanted = select(User.roles).where(User.clinic_id == clinic_id, User.disabled_at.is_(None))
    if not any("administrator" in roles.split(",") for roles in session.scalars(wanted)):
        raise ApiError(409, "last_administrator", "The clinic would have no administrator left.")


def _roles(roles: Iterable[str]) -> str:
    return ",".join(sorted(set(roles)))
