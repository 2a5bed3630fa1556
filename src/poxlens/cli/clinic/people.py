"""Clinics, accounts and devices."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.clinic.opened import AsJson, ClinicName, Data, Database, Keys, clinic_id, opened, show
from poxlens.cli.main import MisuseError

if TYPE_CHECKING:
    from poxlens.serve.clinic.service import Service

ACTOR = "command"


class RoleName(StrEnum):
    """What an account may do."""

    clinician = "clinician"
    administrator = "administrator"


def add_clinic(
    name: Annotated[str, typer.Argument(help="Its name.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make one more clinic on this server, with its first account; no clinic sees another's data."""
    from poxlens.serve.clinic.access import accounts

    with opened(data, keys, database) as service:
        own = accounts.add_clinic(service, name, actor=ACTOR)
        login = f"admin-{own[:6]}"
        wanted = accounts.NewUser(login, ("administrator", "clinician"), on_duty=True)
        _, password = accounts.add_user(service, own, wanted, actor=ACTOR)
    show(as_json, {"clinic": own, "name": login, "password": password}, _first(login, password))


def users(
    data: Data = None, keys: Keys = None, database: Database = None, clinic: ClinicName = None, as_json: AsJson = False
) -> None:  # fmt: skip
    """List the accounts."""
    from sqlalchemy import select

    from poxlens.serve.clinic.store.tables import User

    with opened(data, keys, database) as service, service.store.reading() as session:
        wanted = select(User).where(User.clinic_id == clinic_id(service, clinic)).order_by(User.name)
        found = [
            {"id": one.id, "name": one.name, "roles": one.roles, "closed": one.disabled_at is not None}
            for one in session.scalars(wanted)
        ]
    lines = [f"{one['name']}  {one['roles']}{'  closed' if one['closed'] else ''}" for one in found]
    show(as_json, found, "\n".join(lines))


def add_user(
    name: Annotated[str, typer.Argument(help="What is typed at sign-in.")],
    role: Annotated[list[RoleName], typer.Option("--role", help="May be given twice.")],
    email: Annotated[str | None, typer.Option("--email", help="For notices.")] = None,
    on_duty: Annotated[bool, typer.Option("--on-duty", help="Gets notices of urgent referrals.")] = False,
    escalation: Annotated[bool, typer.Option("--escalation", help="Is told when nobody has looked.")] = False,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    clinic: ClinicName = None,
    as_json: AsJson = False,
) -> None:
    """Make an account; its first password is printed once."""
    from poxlens.serve.clinic.access import accounts

    with opened(data, keys, database) as service:
        wanted = accounts.NewUser(name, tuple(role), email, on_duty, escalation)
        user, password = accounts.add_user(service, clinic_id(service, clinic), wanted, actor=ACTOR)
    show(as_json, {"id": user.id, "name": name, "password": password}, _first(name, password))


def reset_user(
    name: Annotated[str, typer.Argument(help="Of the account.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody who has lost password or authenticator app a new first password."""
    from poxlens.serve.clinic.access import accounts

    with opened(data, keys, database) as service:
        own, where = _user(service, name)
        password = accounts.reset_user(service, where, own, actor=ACTOR)
    show(as_json, {"name": name, "password": password}, _first(name, password))


def close_user(
    name: Annotated[str, typer.Argument(help="Of the account.")],
    again: Annotated[bool, typer.Option("--open", help="Open it again.")] = False,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Close an account: its sessions end at once, what it noted stays."""
    from poxlens.serve.clinic.access import accounts

    with opened(data, keys, database) as service:
        own, where = _user(service, name)
        accounts.close_user(service, where, own, actor=ACTOR, closed=not again)
    show(as_json, {"name": name, "closed": not again}, f"{name} is {'open' if again else 'closed'}.")


def devices(
    data: Data = None, keys: Keys = None, database: Database = None, clinic: ClinicName = None, as_json: AsJson = False
) -> None:  # fmt: skip
    """List the devices."""
    from sqlalchemy import select

    from poxlens.serve.clinic.instants import to_iso
    from poxlens.serve.clinic.store.tables import Device

    with opened(data, keys, database) as service, service.store.reading() as session:
        wanted = (
            select(Device).where(Device.clinic_id == clinic_id(service, clinic)).order_by(Device.created_at)
        )
        found = [
            {
                "id": one.id,
                "name": one.name,
                "expires_at": to_iso(one.expires_at),
                "revoked": one.revoked_at is not None,
            }
            for one in session.scalars(wanted)
        ]
    lines = [
        f"{one['id']}  until {one['expires_at']}  {'revoked  ' if one['revoked'] else ''}{one['name']}"
        for one in found
    ]
    show(as_json, found, "\n".join(lines))


def add_device(
    name: Annotated[str, typer.Argument(help="Such as: phone of the ward.")],
    days: Annotated[int, typer.Option("--days", help="After so many days its token ends.")] = 365,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    clinic: ClinicName = None,
    as_json: AsJson = False,
) -> None:
    """Make a device; its token is printed once."""
    from poxlens.serve.clinic.access import accounts

    if not 1 <= days <= 3_650:
        raise MisuseError(f"clinic add-device: --days must be 1 to 3650, not {days}")
    with opened(data, keys, database) as service:
        device, token = accounts.add_device(service, clinic_id(service, clinic), name, days, actor=ACTOR)
    show(as_json, {"id": device.id, "token": token}, f"Device {device.id}\nToken, shown once:  {token}")


def revoke_device(
    device: Annotated[str, typer.Argument(help="Its id.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    clinic: ClinicName = None,
    as_json: AsJson = False,
) -> None:
    """End a device's token, at once."""
    from poxlens.serve.clinic.access import accounts

    with opened(data, keys, database) as service:
        accounts.revoke_device(service, clinic_id(service, clinic), device, actor=ACTOR)
    show(as_json, {"id": device, "revoked": True}, f"The token of device {device} has ended.")


def _user(service: Service, name: str) -> tuple[str, str]:
    """Id and clinic of an account by its name, which is one of a kind on the server."""
    from sqlalchemy import select

    from poxlens.serve.clinic.store.tables import User

    with service.store.reading() as session:
        found = session.scalars(select(User).where(User.name == name)).first()
    if found is None:
        raise MisuseError(f"clinic: there is no account {name!r}; see: poxlens clinic users")
    return found.id, found.clinic_id


def _first(name: str, password: str) -> str:
    return f"    name      {name}\n    password  {password}\n\nShown once; it must be changed at the first sign-in."
