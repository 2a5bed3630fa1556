"""A new key for what is encrypted from now on, and for all that is there: photos keep their own keys, rewrapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from poxlens.serve.clinic.store.database import Store
from poxlens.serve.clinic.store.keyfile import write_keys
from poxlens.serve.clinic.store.keyring import Keyring
from poxlens.serve.clinic.store.photos import about
from poxlens.serve.clinic.store.tables import Clinic, Note, Photo, Referral, User

_AT_A_TIME = 500

_TEXTS: tuple[tuple[Any, Any, str], ...] = (
    (Referral, Referral.person_sealed, "person"),
    (Referral, Referral.message_sealed, "message"),
    (Note, Note.text_sealed, "note"),
    (User, User.totp_sealed, "totp"),
    (Clinic, Clinic.webhook_secret_sealed, "webhook"),
)
"""Every short text that is encrypted, and what it is bound to, before the id of its row."""


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    key_id: str
    photos: int
    texts: int


def rotate(store: Store, keyring: Keyring, *, advance: Callable[[int], None] = lambda _: None) -> Rotated:
    """Make a new key and bring everything under it. The old keys stay in the file, for older backups and for what a
    running server still encrypts under them, until `forget_old_keys`.

    A server that runs meanwhile goes on: it reads the file again when it meets a key that it does not know. If this is
    interrupted, run it again.

    Raises:
        KeysError: when something cannot be opened with the keys that are there.
    """
    keyring.keys = keyring.keys.rotated()
    write_keys(keyring.path, keyring.keys)
    photos = texts = 0
    while True:  # what a server still encrypted under the old key while this ran
        more_photos = _photos(store, keyring, advance)
        more_texts = sum(_texts(store, keyring, *one, advance) for one in _TEXTS)
        photos, texts = photos + more_photos, texts + more_texts
        if not more_photos and not more_texts:
            break
    return Rotated(keyring.keys.active, photos, texts)


def forget_old_keys(store: Store, keyring: Keyring) -> set[str]:
    """Take the keys that nothing needs any more out of the file; backups made under them no longer open.

    Returns:
        Ids of the keys that were taken out.
    """
    with store.reading() as session:
        needed = set(session.scalars(select(Photo.key_id).distinct()))
        for _, column, _ in _TEXTS:
            sealed = session.scalars(
                select(column).where(column.is_not(None)).execution_options(yield_per=1_000)
            )
            needed |= {keyring.text_key(one) for one in sealed}
    gone = set(keyring.keys.sealing) - needed - {keyring.keys.active}
    keyring.keys = keyring.keys.without(gone)
    write_keys(keyring.path, keyring.keys)
    return gone


def _photos(store: Store, keyring: Keyring, advance: Callable[[int], None]) -> int:
    total = 0
    while True:
        with store.writing() as session:
            wanted = select(Photo).where(Photo.key_id != keyring.keys.active).limit(_AT_A_TIME)
            found = session.scalars(wanted.with_for_update()).all()
            for photo in found:
                bound = about(photo.clinic_id, photo.referral_id, photo.position)
                photo.key_id, photo.wrapped_key = keyring.rewrap(photo.key_id, photo.wrapped_key, bound)
        if not found:
            return total
        total += len(found)
        advance(len(found))


def _texts(
    store: Store, keyring: Keyring, model: Any, column: Any, kind: str, advance: Callable[[int], None]
) -> int:
    total, last = 0, ""
    while True:
        with store.writing() as session:
            wanted = select(model.id, column).where(column.is_not(None), model.id > last).order_by(model.id)
            found = session.execute(wanted.limit(_AT_A_TIME).with_for_update()).all()
            for own, sealed in found:
                if keyring.text_key(sealed) != keyring.keys.active:
                    plain = keyring.open_text(sealed, f"{kind}:{own}")
                    fresh = keyring.seal_text(plain, f"{kind}:{own}")
                    session.execute(update(model).where(model.id == own).values({column.key: fresh}))
                    total += 1
        if not found:
            return total
        last = found[-1][0]
        advance(len(found))
