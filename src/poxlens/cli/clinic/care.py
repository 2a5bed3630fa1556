"""Backup, keys, erasing, deleting what is too old, and the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from poxlens.cli.clinic.opened import (
    AsJson,
    ClinicName,
    Data,
    Database,
    Keys,
    clinic_id,
    opened,
    settings_of,
    show,
)
from poxlens.cli.main import FAILED, MisuseError
from poxlens.cli.progress import bars


def backup(
    out: Annotated[Path, typer.Argument(help="File to write, such as a date on a stick.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Copy everything into one encrypted file, also while the server runs. It opens with the keys alone."""
    from poxlens.serve.clinic.store.backup import back_up

    with opened(data, keys, database) as service, bars() as begin:
        copied = back_up(service.store, service.keyring, out, service.now(), advance=begin("Copying rows", 0))
    told = {"file": str(out), "rows": copied.rows, "audit_head": copied.audit_head}
    text = (
        f"{out}: {copied.rows['referrals']} referrals, {copied.rows['photos']} photos. It opens only with the file of "
        f"the keys:\nkeep a copy of {service.settings.keys} elsewhere.\nHead of the audit log: {copied.audit_head}"
    )
    show(as_json, told, text)


def restore(
    file: Annotated[Path, typer.Argument(help="From `poxlens clinic backup`.")],
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty data folder or database; the keys must be those it was made with."""
    settings = settings_of(data, keys, database)
    from poxlens.serve.clinic.opening import open_store
    from poxlens.serve.clinic.store.backup import restore as put_back
    from poxlens.serve.clinic.store.keyfile import KeysError

    if not settings.keys.exists():
        raise KeysError(f"{settings.keys}: the keys are missing; put the copy of them back first.")
    store, keyring = open_store(settings)
    try:
        with bars() as begin:
            copied = put_back(store, keyring, file, advance=begin("Putting rows back", 0))
    finally:
        store.close()
    text = f"{copied.rows['referrals']} referrals and {copied.rows['photos']} photos are back; the audit log verifies."
    show(as_json, {"rows": copied.rows, "audit_head": copied.audit_head}, text)


def rotate_keys(
    forget_old: Annotated[
        bool,
        typer.Option(
            "--forget-old",
            help="Also take out keys from before the last rotation; backups from then no longer open.",
        ),
    ] = False,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make a new key and bring every photo and text under it."""
    from poxlens.serve.clinic.store import rotation

    with opened(data, keys, database) as service:
        # Before the rotation: a server that runs may still write a moment under the key that is active now.
        gone = rotation.forget_old_keys(service.store, service.keyring) if forget_old else set()
        with bars() as begin:
            done = rotation.rotate(service.store, service.keyring, advance=begin("Under the new key", 0))
        with service.store.writing() as session:
            service.log(
                session, "command", "keys.rotated", None, done.key_id, photos=done.photos, forgotten=len(gone)
            )
    told = {"key": done.key_id, "photos": done.photos, "texts": done.texts, "forgotten": sorted(gone)}
    text = (
        f"Key {done.key_id}: {done.photos} photos and {done.texts} texts. Copy {service.settings.keys} again."
    )
    show(as_json, told, text)


def erase(
    person: Annotated[str | None, typer.Option("--person", help="How the clinic knows the person.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="The code of one referral.")] = None,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    clinic: ClinicName = None,
    as_json: AsJson = False,
) -> None:
    """Delete everything about a person: photos, answers, verdicts, notes. Backups keep it until they are deleted."""
    if (person is None) == (code is None):
        raise MisuseError("clinic erase: give either --person or --code")
    from poxlens.serve.clinic.ids import plain_code
    from poxlens.serve.clinic.store.erasing import erase as erase_person

    with opened(data, keys, database) as service:
        where, told = clinic_id(service, clinic), plain_code(code) if code is not None else None
        gone = erase_person(service, where, person=person, code=told, actor="command")
    text = f"Deleted: {gone.referrals} referrals, {gone.photos} photos. Backups made before still hold them."
    show(as_json, {"referrals": gone.referrals, "photos": gone.photos}, text)


def clean(data: Data = None, keys: Keys = None, database: Database = None, as_json: AsJson = False) -> None:
    """Delete what is older than the clinics keep it; the server does the same every hour."""
    from poxlens.serve.clinic.store.erasing import delete_expired

    with opened(data, keys, database) as service:
        gone = delete_expired(service)
    text = f"Deleted: {gone.referrals} referrals, {gone.photos} photos."
    show(as_json, {"referrals": gone.referrals, "photos": gone.photos}, text)


def verify_log(
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="A head that an earlier check gave; it must still be in the log."),
    ] = None,
    data: Data = None,
    keys: Keys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Check that no line of the audit log was changed, left out or cut off; exit code 1 where one was."""
    from poxlens.serve.clinic.audit import verify

    with opened(data, keys, database) as service, service.store.reading() as session:
        found = verify(session, service.keyring.keys.audit, noted=noted)
    told = {"lines": found.lines, "head": found.head, "fault": found.fault}
    if found.fault is not None:
        show(as_json, told, f"The audit log does NOT verify: {found.fault}.")
        raise typer.Exit(FAILED)
    text = f"The audit log verifies: {found.lines} lines. Note this head elsewhere; a later check proves with it\n"
    show(as_json, told, f"{text}that nothing was cut off:  {found.head}")
