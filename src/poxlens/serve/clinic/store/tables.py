"""The tables. Times are seconds since 1970 (UTC); ids are random hexadecimal text; `*_sealed` is encrypted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, mapped_column

_Id = String(32)
_Sealed = LargeBinary


class Base(DeclarativeBase):
    """All tables of the clinic's server."""


class Clinic(Base):
    """A tenant: every row below belongs to one and is never seen from another."""

    __tablename__ = "clinics"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[float] = mapped_column(Float)
    policy: Mapped[dict[str, Any]] = mapped_column(JSON)  # poxlens.serve.clinic.policy.Policy
    webhook_secret_sealed: Mapped[bytes | None] = mapped_column(_Sealed)


class User(Base):
    """A clinician or an administrator of one clinic."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), index=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)  # of the whole server: it is typed at login
    roles: Mapped[str] = mapped_column(String(40))  # "administrator", "clinician", or both with a comma
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(200))  # None: only through OpenID Connect
    must_change: Mapped[bool]
    totp_sealed: Mapped[bytes | None] = mapped_column(_Sealed)
    totp_confirmed: Mapped[bool]
    totp_step: Mapped[int] = mapped_column(BigInteger)  # the last one used: a code opens once
    recovery: Mapped[list[str]] = mapped_column(JSON)  # hashes of codes that were not used yet
    oidc_subject: Mapped[str | None] = mapped_column(String(255), unique=True)  # "issuer subject"
    on_duty: Mapped[bool]
    escalation: Mapped[bool]
    created_at: Mapped[float] = mapped_column(Float)
    disabled_at: Mapped[float | None] = mapped_column(Float)
    failures: Mapped[int]
    locked_until: Mapped[float] = mapped_column(Float)


class Login(Base):
    """A session; of its token only a hash is kept."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[float] = mapped_column(Float)
    seen_at: Mapped[float] = mapped_column(Float)
    confirmed_at: Mapped[float] = mapped_column(Float)  # when the password or code was last given
    method: Mapped[str] = mapped_column(String(16))  # "password", "totp", "recovery", "oidc"


class Device(Base):
    """A phone or camera that may screen and refer for one clinic."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[float] = mapped_column(Float)
    expires_at: Mapped[float] = mapped_column(Float)
    revoked_at: Mapped[float | None] = mapped_column(Float)


class Referral(Base):
    """One person's screening that a clinician looks at."""

    __tablename__ = "referrals"
    __table_args__ = (
        # What makes a repeated request one referral.
        UniqueConstraint("clinic_id", "source", "idempotency_key", name="uq_referrals_once"),
        # The worklist is this index, read from its start.
        Index("ix_referrals_worklist", "clinic_id", "waiting", "due_at", "id"),
        Index("ix_referrals_state", "clinic_id", "state", "due_at", "id"),
        # The same in blind mode.
        Index("ix_referrals_blind", "clinic_id", "waiting", "blind_due_at", "id"),
        Index("ix_referrals_blind_state", "clinic_id", "state", "blind_due_at", "id"),
        Index("ix_referrals_filed", "clinic_id", "filed_at", "id"),
        Index("ix_referrals_person", "clinic_id", "person_key"),
        Index("ix_referrals_unseen", "waiting", "first_seen_at", "escalated_at", "due_at"),
    )

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    source: Mapped[str] = mapped_column(String(40))  # "device:ID" or "user:ID"
    idempotency_key: Mapped[str] = mapped_column(String(200))
    fingerprint: Mapped[str] = mapped_column(String(64))  # of what was sent under that key
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    filed_at: Mapped[float] = mapped_column(Float)
    due_at: Mapped[float] = mapped_column(Float)  # the queue's order
    blind_due_at: Mapped[float] = mapped_column(Float)  # in blind mode: nothing of the outcome is in it
    urgency: Mapped[str] = mapped_column(String(10))
    outcome: Mapped[str] = mapped_column(String(16))
    probability: Mapped[float | None] = mapped_column(Float)
    novelty: Mapped[float | None] = mapped_column(Float)
    tone: Mapped[str | None] = mapped_column(String(8))  # "light" or "dark", estimated
    quality_failed: Mapped[bool]
    bundle: Mapped[str] = mapped_column(String(200))
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    photo_consent: Mapped[bool]
    training_consent: Mapped[bool]
    photo_count: Mapped[int]
    person_key: Mapped[str | None] = mapped_column(String(64))  # HMAC of the person's reference
    person_sealed: Mapped[bytes | None] = mapped_column(_Sealed)
    state: Mapped[str] = mapped_column(String(16))
    waiting: Mapped[bool]  # whether a clinician is to look at it
    revision: Mapped[int]
    first_seen_at: Mapped[float | None] = mapped_column(Float)
    claimed_by: Mapped[str | None] = mapped_column(_Id)
    claimed_until: Mapped[float] = mapped_column(Float)
    verdict: Mapped[str | None] = mapped_column(String(16))
    diagnosis: Mapped[str | None] = mapped_column(String(40))
    verdict_by: Mapped[str | None] = mapped_column(_Id)
    verdict_at: Mapped[float | None] = mapped_column(Float)
    message_sealed: Mapped[bytes | None] = mapped_column(_Sealed)
    reply_read_at: Mapped[float | None] = mapped_column(Float)
    pcr: Mapped[str | None] = mapped_column(String(16))
    pcr_at: Mapped[float | None] = mapped_column(Float)
    escalated_at: Mapped[float | None] = mapped_column(Float)


class ReferralCount(Base):
    """How many referrals of a clinic stand where; kept by triggers of the database: no count goes through all."""

    __tablename__ = "referral_counts"

    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    of_new: Mapped[int]
    of_second_opinion: Mapped[int]
    of_awaiting_pcr: Mapped[int]
    of_closed: Mapped[int]


class Photo(Base):
    """A photo of a referral, encrypted under a key of its own."""

    __tablename__ = "photos"
    __table_args__ = (UniqueConstraint("referral_id", "position", name="uq_photos_position"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    referral_id: Mapped[str] = mapped_column(ForeignKey("referrals.id"))
    position: Mapped[int]
    filed_at: Mapped[float] = mapped_column(Float, index=True)
    key_id: Mapped[str] = mapped_column(String(16), index=True)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = deferred(mapped_column(LargeBinary))  # never read by a list


class Note(Base):
    """An opinion or a verdict of a clinician; rows are added, never changed."""

    __tablename__ = "notes"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    referral_id: Mapped[str] = mapped_column(ForeignKey("referrals.id"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))  # "opinion", "verdict", "question", "pcr"
    verdict: Mapped[str | None] = mapped_column(String(16))
    diagnosis: Mapped[str | None] = mapped_column(String(40))
    text_sealed: Mapped[bytes | None] = mapped_column(_Sealed)
    blind: Mapped[bool]  # given before the model's opinion could be seen
    at: Mapped[float] = mapped_column(Float)


class AuditEntry(Base):
    """One line of the audit log; triggers refuse to change or delete it."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[float] = mapped_column(Float)
    clinic_id: Mapped[str | None] = mapped_column(_Id, index=True)
    actor: Mapped[str] = mapped_column(String(48))
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(500))  # JSON without personal data
    chain: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain: one row, locked while a line is added."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    chain: Mapped[str] = mapped_column(String(64))


class Notice(Base):
    """A message that is to be sent: written with what it tells of, sent later, retried."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "sent_at", "given_up_at", "next_at"),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    clinic_id: Mapped[str] = mapped_column(ForeignKey("clinics.id"))
    kind: Mapped[str] = mapped_column(String(24))
    channel: Mapped[str] = mapped_column(String(8))  # "email" or "webhook"
    target: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(4000))
    created_at: Mapped[float] = mapped_column(Float)
    next_at: Mapped[float] = mapped_column(Float)
    lease_until: Mapped[float] = mapped_column(Float)
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[float | None] = mapped_column(Float)
    given_up_at: Mapped[float | None] = mapped_column(Float)


class Job(Base):
    """Housekeeping that one worker does at a time, and when it was last done."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    lease_until: Mapped[float] = mapped_column(Float)
    done_at: Mapped[float] = mapped_column(Float)


class Rate(Base):
    """How often something was done in a window of time, counted for all workers together."""

    __tablename__ = "rates"

    bucket: Mapped[str] = mapped_column(String(80), primary_key=True)
    window_start: Mapped[float] = mapped_column(Float, index=True)
    count: Mapped[int]


class OidcLogin(Base):
    """A sign-in through OpenID Connect that has been begun."""

    __tablename__ = "oidc_logins"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[float] = mapped_column(Float)
