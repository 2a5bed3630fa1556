"""Back into training: photos that may teach, with labels that a laboratory or a clinician stands for.

Only referrals with consent for training, that were reviewed and whose photos are still there. The label is that of the
PCR where there is one, else of the clinician. Where neither gives a class of the model, the photo is left out and
counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from poxlens.data.manifest import Row, write_manifest
from poxlens.errors import PoxlensError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.decode import decode
from poxlens.serve.clinic.ids import keyed
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.photos import read_photo
from poxlens.serve.clinic.store.tables import Clinic, Referral

TABLE = "manifest.csv"


class TrainingExportError(PoxlensError):
    """Photos that cannot be handed over for training."""


@dataclass(frozen=True)
class Exported:
    """What was written, and what was left out and why."""

    photos: int
    persons: int
    labels: dict[str, int]
    left_out: dict[str, int]


def export_training(
    service: Service, clinic_id: str, folder: Path, *, advance: Callable[[int], None] = lambda _: None
) -> Exported:
    """Write the photos and `manifest.csv`, as `poxlens data audit` and `poxlens train` take it.

    Args:
        service: the server.
        clinic_id: whose referrals.
        folder: empty, or not there yet.
        advance: called with the number of referrals that are done.

    Raises:
        TrainingExportError: when the folder is not empty, or there is no photo to hand over.
        OSError: when it cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise TrainingExportError(f"{folder}: is not empty; choose another folder.")
    rows: list[Row] = []
    left_out: Counter[str] = Counter()
    name = _dataset(service, clinic_id)
    for referral in _reviewed(service, clinic_id):
        label, source = label_of(referral)
        if label is None:
            left_out[source] += referral.photo_count
        else:
            written = _written(service, referral, folder, name, label, source)
            rows += written
            left_out["photo deleted"] += referral.photo_count - len(written)
        advance(1)
    if not rows:
        raise TrainingExportError("There is no photo with consent for training and a reviewed label.")
    write_manifest(folder / TABLE, rows)
    return Exported(
        len(rows), len({row.patient for row in rows}), dict(Counter(row.label for row in rows)),
        {why: count for why, count in left_out.items() if count},
    )  # fmt: skip


def label_of(referral: Referral) -> tuple[str | None, str]:
    """The label of a referral's photos and who stands for it, or None and why there is none."""
    if referral.pcr == "positive":
        return "mpox", "label-pcr"
    if referral.verdict == "other_diagnosis" and referral.diagnosis is not None:
        return referral.diagnosis, "label-pcr" if referral.pcr == "negative" else "label-clinician"
    if referral.verdict == "photo_unusable":
        return None, "photo unusable"
    if referral.pcr == "negative":
        return None, "PCR negative, no other diagnosis"
    if referral.verdict == "suspected" and referral.pcr is None:
        return None, "PCR not back yet"
    if referral.verdict == "suspected":
        return "mpox", "label-clinician"  # the PCR was inconclusive or not done
    return None, "not suspected, no other diagnosis"


def _reviewed(service: Service, clinic_id: str) -> Iterator[Referral]:
    wanted = (
        select(Referral)
        .where(
            Referral.clinic_id == clinic_id, Referral.training_consent.is_(True), Referral.verdict.is_not(None),
            Referral.photo_count > 0,
        )
        .order_by(Referral.filed_at, Referral.id)
    )  # fmt: skip
    with service.store.reading() as session:
        yield from session.scalars(wanted.execution_options(yield_per=100))


def _written(
    service: Service, referral: Referral, folder: Path, dataset: str, label: str, source: str
) -> list[Row]:
    rows, person = [], _person(service, referral)
    for position in range(1, referral.photo_count + 1):
        with service.store.reading() as session:
            data = read_photo(
                session,
                service.keyring,
                clinic_id=referral.clinic_id,
                referral_id=referral.id,
                position=position,
            )
        if data is None:
            continue
        # Neither the name nor the table leads back to the referral without this server's keys.
        own = keyed(service.keyring.keys.person, "training", referral.id, str(position))[:24]
        file = f"photos/{label}/{own}.jpg"
        write_atomically(folder / file, data)
        photo = decode(data)
        row = Row(
            file=file, path=folder / file, label=label, dataset=dataset, patient=person, group=person,
            skin_tone=referral.tone or "", flags=(source,), width=photo.width, height=photo.height,
            sha256=sha256_bytes(data),
        )  # fmt: skip
        rows.append(row)
    return rows


def _person(service: Service, referral: Referral) -> str:
    """The same for all referrals of one person; where the clinic noted no reference, each referral is one."""
    told: Any = referral.person_key or f"referral {referral.id}"
    return keyed(service.keyring.keys.person, "training person", told)[:24]


def _dataset(service: Service, clinic_id: str) -> str:
    with service.store.reading() as session:
        name = session.get_one(Clinic, clinic_id).name
    return "clinic-" + "".join(c if c.isalnum() else "-" for c in name.casefold()).strip("-")
