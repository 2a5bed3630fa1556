"""What a clinic decides for itself; an administrator changes it, and every change is in the audit log."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from poxlens.serve.clinic.words import Line


class Policy(BaseModel):
    """The choices of one clinic."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blind: bool = Field(
        default=False, description="Hide the model's opinion until the clinician has noted their own."
    )
    require_totp: bool = Field(
        default=False, description="Sign-in with a password also needs a code from an authenticator app."
    )
    photo_days: int = Field(default=365, ge=1, le=36_500, description="Days after which a photo is deleted.")
    referral_days: int = Field(
        default=1_825,
        ge=1,
        le=36_500,
        description="Days after which a referral with everything of it is deleted.",
    )
    notify_at_once: bool = Field(
        default=True, description="A notice for each referral that is urgent, without delay."
    )
    digest_hours: int = Field(
        default=12, ge=0, le=168, description="Hours between summaries of what waits; 0 for none."
    )
    escalate: bool = Field(
        default=True,
        description="Tell those of the second line when a referral was not opened by its due time.",
    )
    webhook_url: Line | None = Field(
        default=None,
        max_length=500,
        pattern=r"^https?://",
        description="Notices are also posted here, signed.",
    )
