"""When a person last typed the password, the queue of blind mode, and how many referrals stand where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from alembic import op
from sqlalchemy import Column, Float, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, text

revision = "0002"
down_revision = "0001"

_STATES = ("new", "second_opinion", "awaiting_pcr", "closed")
_HOURS, _SMALL_CHILD = 4.0, 8  # as poxlens.serve.clinic.referrals.urgency had them when this step was made


def upgrade() -> None:
    """Add the columns and indexes, fill them for what is there, and let triggers keep the counts."""
    op.add_column("sessions", Column("confirmed_at", Float(), nullable=False, server_default="0"))
    op.add_column("referrals", Column("blind_due_at", Float(), nullable=False, server_default="0"))
    _fill_due()
    op.create_index("ix_referrals_blind", "referrals", ["clinic_id", "waiting", "blind_due_at", "id"])
    op.create_index("ix_referrals_blind_state", "referrals", ["clinic_id", "state", "blind_due_at", "id"])
    numbers = [Column(f"of_{state}", Integer(), nullable=False) for state in _STATES]
    op.create_table(
        "referral_counts",
        Column("clinic_id", String(length=32), nullable=False),
        *numbers,
        ForeignKeyConstraint(["clinic_id"], ["clinics.id"]),
        PrimaryKeyConstraint("clinic_id"),
    )
    counted = ", ".join(f"SUM(CASE WHEN state = '{state}' THEN 1 ELSE 0 END)" for state in _STATES)
    op.execute(f"INSERT INTO referral_counts SELECT clinic_id, {counted} FROM referrals GROUP BY clinic_id")
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _fill_due() -> None:
    connection = op.get_bind()
    found = connection.execute(text("SELECT id, filed_at, answers FROM referrals")).all()
    rows = [
        {"own": own, "due": filed_at + 3600 * _HOURS / 2 ** _dangers(_answers(answers))}
        for own, filed_at, answers in found
    ]
    if rows:
        connection.execute(text("UPDATE referrals SET blind_due_at = :due WHERE id = :own"), rows)


def _answers(told: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(told) if isinstance(told, str) else told
    return found


def _dangers(answers: Mapping[str, Any]) -> int:
    named = sum(answers.get(name) is True for name in ("pregnant", "weak_immunity", "risk_group"))
    age = answers.get("age")
    return named + (age is not None and age < _SMALL_CHILD) + ("eyes" in answers.get("where", ()))


def _moved(row: str, sign: str) -> str:
    changes = ", ".join(
        f"of_{state} = of_{state} {sign} CASE WHEN {row}.state = '{state}' THEN 1 ELSE 0 END"
        for state in _STATES
    )
    return f"UPDATE referral_counts SET {changes} WHERE clinic_id = {row}.clinic_id;"


def _begun() -> str:
    zeros = ", ".join("0" for _ in _STATES)
    return f"INSERT INTO referral_counts VALUES (NEW.clinic_id, {zeros}) ON CONFLICT (clinic_id) DO NOTHING;"


def _sqlite_triggers() -> None:
    for what, body in (
        ("INSERT", _begun() + _moved("NEW", "+")),
        ("UPDATE OF state", _moved("OLD", "-") + _moved("NEW", "+")),
        ("DELETE", _moved("OLD", "-")),
    ):
        name = what.partition(" ")[0].lower()
        op.execute(f"CREATE TRIGGER referrals_counted_{name} AFTER {what} ON referrals BEGIN {body} END")


def _postgresql_triggers() -> None:
    op.execute(f"""
CREATE FUNCTION poxlens_count_referrals() RETURNS trigger AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN {_moved("OLD", "-")} END IF;
  IF TG_OP = 'INSERT' THEN {_begun()} END IF;
  IF TG_OP <> 'DELETE' THEN {_moved("NEW", "+")} END IF;
  RETURN NULL;
END;
$$ LANGUAGE plpgsql
""")
    op.execute(
        "CREATE TRIGGER referrals_counted AFTER INSERT OR DELETE OR UPDATE OF state ON referrals "
        "FOR EACH ROW EXECUTE FUNCTION poxlens_count_referrals()"
    )
