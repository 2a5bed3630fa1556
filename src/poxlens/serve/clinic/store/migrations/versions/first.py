"""The first schema."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

_APPEND_ONLY = """
CREATE FUNCTION poxlens_audit_is_append_only() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only'; END;
$$ LANGUAGE plpgsql
"""


def upgrade() -> None:
    """Make every table, the start of the audit log's chain, and the triggers that keep the log as it is."""
    _tables()
    op.execute(f"INSERT INTO audit_head (id, number, chain) VALUES (1, 0, '{'0' * 64}')")
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(_APPEND_ONLY)
    for what in ("UPDATE", "DELETE"):
        trigger = f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit"
        if sqlite:
            op.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END")
        else:
            op.execute(f"{trigger} FOR EACH ROW EXECUTE FUNCTION poxlens_audit_is_append_only()")


def _tables() -> None:
    op.create_table(
        "audit",
        Column("number", BigInteger(), autoincrement=False, nullable=False),
        Column("at", Float(), nullable=False),
        Column("clinic_id", String(length=32), nullable=True),
        Column("actor", String(length=48), nullable=False),
        Column("action", String(length=40), nullable=False),
        Column("object", String(length=64), nullable=False),
        Column("detail", String(length=500), nullable=False),
        Column("chain", String(length=64), nullable=False),
        PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_audit_clinic_id", "audit", ["clinic_id"])
    op.create_table(
        "audit_head",
        Column("id", Integer(), nullable=False),
        Column("number", BigInteger(), nullable=False),
        Column("chain", String(length=64), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "clinics",
        Column("id", String(length=32), nullable=False),
        Column("name", String(length=120), nullable=False),
        Column("created_at", Float(), nullable=False),
        Column("policy", JSON(), nullable=False),
        Column("webhook_secret_sealed", LargeBinary(), nullable=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("name"),
    )
    op.create_table(
        "jobs",
        Column("name", String(length=80), nullable=False),
        Column("lease_until", Float(), nullable=False),
        Column("done_at", Float(), nullable=False),
        PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "oidc_logins",
        Column("state_hash", String(length=64), nullable=False),
        Column("nonce", String(length=64), nullable=False),
        Column("verifier", String(length=128), nullable=False),
        Column("expires_at", Float(), nullable=False),
        PrimaryKeyConstraint("state_hash"),
    )
    op.create_table(
        "rates",
        Column("bucket", String(length=80), nullable=False),
        Column("window_start", Float(), nullable=False),
        Column("count", Integer(), nullable=False),
        PrimaryKeyConstraint("bucket"),
    )
    op.create_index("ix_rates_window_start", "rates", ["window_start"])
    op.create_table(
        "devices",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("name", String(length=80), nullable=False),
        Column("token_hash", String(length=64), nullable=False),
        Column("created_at", Float(), nullable=False),
        Column("expires_at", Float(), nullable=False),
        Column("revoked_at", Float(), nullable=True),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("token_hash"),
    )
    op.create_index("ix_devices_clinic_id", "devices", ["clinic_id"])
    op.create_table(
        "outbox",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("kind", String(length=24), nullable=False),
        Column("channel", String(length=8), nullable=False),
        Column("target", String(length=500), nullable=False),
        Column("subject", String(length=200), nullable=False),
        Column("body", String(length=4000), nullable=False),
        Column("created_at", Float(), nullable=False),
        Column("next_at", Float(), nullable=False),
        Column("lease_until", Float(), nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("last_error", String(length=200), nullable=True),
        Column("sent_at", Float(), nullable=True),
        Column("given_up_at", Float(), nullable=True),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_due", "outbox", ["sent_at", "given_up_at", "next_at"])
    op.create_table(
        "referrals",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("source", String(length=40), nullable=False),
        Column("idempotency_key", String(length=200), nullable=False),
        Column("fingerprint", String(length=64), nullable=False),
        Column("code_hash", String(length=64), nullable=False),
        Column("filed_at", Float(), nullable=False),
        Column("due_at", Float(), nullable=False),
        Column("urgency", String(length=10), nullable=False),
        Column("outcome", String(length=16), nullable=False),
        Column("probability", Float(), nullable=True),
        Column("novelty", Float(), nullable=True),
        Column("tone", String(length=8), nullable=True),
        Column("quality_failed", Boolean(), nullable=False),
        Column("bundle", String(length=200), nullable=False),
        Column("result", JSON(), nullable=False),
        Column("answers", JSON(), nullable=False),
        Column("photo_consent", Boolean(), nullable=False),
        Column("training_consent", Boolean(), nullable=False),
        Column("photo_count", Integer(), nullable=False),
        Column("person_key", String(length=64), nullable=True),
        Column("person_sealed", LargeBinary(), nullable=True),
        Column("state", String(length=16), nullable=False),
        Column("waiting", Boolean(), nullable=False),
        Column("revision", Integer(), nullable=False),
        Column("first_seen_at", Float(), nullable=True),
        Column("claimed_by", String(length=32), nullable=True),
        Column("claimed_until", Float(), nullable=False),
        Column("verdict", String(length=16), nullable=True),
        Column("diagnosis", String(length=40), nullable=True),
        Column("verdict_by", String(length=32), nullable=True),
        Column("verdict_at", Float(), nullable=True),
        Column("message_sealed", LargeBinary(), nullable=True),
        Column("reply_read_at", Float(), nullable=True),
        Column("pcr", String(length=16), nullable=True),
        Column("pcr_at", Float(), nullable=True),
        Column("escalated_at", Float(), nullable=True),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("clinic_id", "source", "idempotency_key", name="uq_referrals_once"),
        UniqueConstraint("code_hash"),
    )
    op.create_index("ix_referrals_filed", "referrals", ["clinic_id", "filed_at", "id"])
    op.create_index("ix_referrals_person", "referrals", ["clinic_id", "person_key"])
    op.create_index("ix_referrals_state", "referrals", ["clinic_id", "state", "due_at", "id"])
    op.create_index(
        "ix_referrals_unseen", "referrals", ["waiting", "first_seen_at", "escalated_at", "due_at"]
    )
    op.create_index("ix_referrals_worklist", "referrals", ["clinic_id", "waiting", "due_at", "id"])
    op.create_table(
        "users",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("name", String(length=80), nullable=False),
        Column("roles", String(length=40), nullable=False),
        Column("email", String(length=254), nullable=True),
        Column("password_hash", String(length=200), nullable=True),
        Column("must_change", Boolean(), nullable=False),
        Column("totp_sealed", LargeBinary(), nullable=True),
        Column("totp_confirmed", Boolean(), nullable=False),
        Column("totp_step", BigInteger(), nullable=False),
        Column("recovery", JSON(), nullable=False),
        Column("oidc_subject", String(length=255), nullable=True),
        Column("on_duty", Boolean(), nullable=False),
        Column("escalation", Boolean(), nullable=False),
        Column("created_at", Float(), nullable=False),
        Column("disabled_at", Float(), nullable=True),
        Column("failures", Integer(), nullable=False),
        Column("locked_until", Float(), nullable=False),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("name"),
        UniqueConstraint("oidc_subject"),
    )
    op.create_index("ix_users_clinic_id", "users", ["clinic_id"])
    op.create_table(
        "notes",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("referral_id", String(length=32), nullable=False),
        Column("user_id", String(length=32), nullable=False),
        Column("kind", String(length=16), nullable=False),
        Column("verdict", String(length=16), nullable=True),
        Column("diagnosis", String(length=40), nullable=True),
        Column("text_sealed", LargeBinary(), nullable=True),
        Column("blind", Boolean(), nullable=False),
        Column("at", Float(), nullable=False),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
        ),
        ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notes_referral_id", "notes", ["referral_id"])
    op.create_table(
        "photos",
        Column("id", String(length=32), nullable=False),
        Column("clinic_id", String(length=32), nullable=False),
        Column("referral_id", String(length=32), nullable=False),
        Column("position", Integer(), nullable=False),
        Column("filed_at", Float(), nullable=False),
        Column("key_id", String(length=16), nullable=False),
        Column("wrapped_key", LargeBinary(), nullable=False),
        Column("sealed", LargeBinary(), nullable=True),
        ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
        ),
        ForeignKeyConstraint(
            ["referral_id"],
            ["referrals.id"],
        ),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("referral_id", "position", name="uq_photos_position"),
    )
    op.create_index("ix_photos_filed_at", "photos", ["filed_at"])
    op.create_index("ix_photos_key_id", "photos", ["key_id"])
    op.create_table(
        "sessions",
        Column("token_hash", String(length=64), nullable=False),
        Column("user_id", String(length=32), nullable=False),
        Column("created_at", Float(), nullable=False),
        Column("seen_at", Float(), nullable=False),
        Column("method", String(length=16), nullable=False),
        ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
