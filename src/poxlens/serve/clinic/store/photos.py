"""Photos at rest: stripped of metadata, encrypted, and opened for one referral of one clinic only."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from poxlens.photo.strip import strip
from poxlens.serve.clinic.ids import new_id
from poxlens.serve.clinic.store.keyring import Keyring, SealedPhoto
from poxlens.serve.clinic.store.tables import Photo

_SIDE = (
    1_024  # px of the short side, at least, of what is kept: more than any screen of a clinic shows at once
)
_QUALITY = 90


def prepare_photo(data: bytes) -> bytes:
    """The photo as it is kept: an upright JPEG without place, time, camera or thumbnail.

    Raises:
        PhotoError: when it cannot be read as a photo.
    """
    return strip(data, side=_SIDE, quality=_QUALITY)


def add_photo(
    session: Session,
    keyring: Keyring,
    *,
    clinic_id: str,
    referral_id: str,
    position: int,
    data: bytes,
    now: float,
) -> None:
    """Encrypt a prepared photo and store it.

    Args:
        session: a writing transaction.
        keyring: of the server.
        clinic_id: whose.
        referral_id: of which referral.
        position: from 1.
        data: from `prepare_photo`.
        now: seconds since 1970.
    """
    sealed = keyring.seal_photo(data, about(clinic_id, referral_id, position))
    session.add(
        Photo(
            id=new_id(), clinic_id=clinic_id, referral_id=referral_id, position=position, filed_at=now,
            key_id=sealed.key_id, wrapped_key=sealed.wrapped_key, sealed=sealed.sealed,
        )
    )  # fmt: skip


def read_photo(
    session: Session, keyring: Keyring, *, clinic_id: str, referral_id: str, position: int
) -> bytes | None:
    """A photo as JPEG; None where there is none, or none any more.

    Raises:
        KeysError: when its key is missing, or what is stored was changed.
    """
    wanted = select(Photo).where(
        Photo.clinic_id == clinic_id, Photo.referral_id == referral_id, Photo.position == position
    )
    photo = session.scalars(wanted.options(undefer(Photo.sealed))).first()
    if photo is None:
        return None
    stored = SealedPhoto(photo.key_id, photo.wrapped_key, photo.sealed)
    return keyring.open_photo(stored, about(clinic_id, referral_id, position))


def about(clinic_id: str, referral_id: str, position: int) -> str:
    """What a photo's encryption is bound to: it cannot be moved to another referral."""
    return f"photo:{clinic_id}:{referral_id}:{position}"
