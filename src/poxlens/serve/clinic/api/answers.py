"""What every route's documentation says of faults."""

from __future__ import annotations

from typing import Any

from poxlens.serve.clinic.faults import FaultAnswer

_TEXTS = {
    400: "The request cannot be read.",
    401: "No token or session, or one that is unknown or has ended.",
    403: "The account may not do that.",
    404: "There is nothing of this id in the account's clinic.",
    405: "The address does not take this kind of request.",
    409: "The state on the server is another one; read it again.",
    410: "It was there, and was deleted.",
    413: "The request is too large.",
    415: "The content type is not served.",
    421: "This name is not served here.",
    422: "A field is missing or wrong; the message names it.",
    429: "Too often; Retry-After says how many seconds to wait.",
    503: "Too busy, or the storage is not available; nothing was changed. Retry-After says when to ask again.",
}


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of these statuses and of those that any request may get."""
    return {
        status: {"model": FaultAnswer, "description": _TEXTS[status]}
        for status in sorted({*statuses, 400, 421, 422, 503})
    }


SIGNED = (401, 403)
