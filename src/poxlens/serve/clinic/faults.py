"""Faults of the API: one shape, a stable code, a sentence a person can act on, and nothing about the inside."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

_EVERYDAY = frozenset(
    {"signed_out", "session_ended", "code_needed", "wrong", "wrong_code", "finish_signin", "blind"}
)
# Refusals that happen to honest people, or that the sign-in writes into the audit log itself.


class ApiError(Exception):
    """A request that is refused.

    Args:
        status: of HTTP.
        code: stable, for programs.
        message: a sentence for the person.
        headers: more headers of the answer.
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})
        self.clinic_id: str | None = None  # whose audit log tells of it, where that is known
        self.attempt = status in (401, 403) and code not in _EVERYDAY  # at what is not theirs


class Fault(BaseModel):
    """What was wrong."""

    code: str = Field(description="Stable, for programs.", examples=["not_found"])
    message: str = Field(description="A sentence for the person.")


class FaultAnswer(BaseModel):
    """The body of every answer of status 400 and above."""

    error: Fault


def busy(message: str, *, code: str = "busy", seconds: int = 2) -> ApiError:
    """503 with the time to wait."""
    return ApiError(503, code, message, headers={"Retry-After": str(seconds)})


def not_found(what: str) -> ApiError:
    """404; also for what belongs to another clinic, which must not be told apart from what is not there."""
    return ApiError(404, "not_found", f"There is no such {what}.")
