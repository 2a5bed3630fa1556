"""Rates of requests, counted in the database: all workers count together."""

from __future__ import annotations

import math

from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.rates import Limit, count


def limited(service: Service, bucket: str, limit: Limit) -> None:
    """Count one more of something.

    Raises:
        ApiError: 429 with the time to wait where it is too often.
    """
    with service.store.writing() as session:
        wait = count(session, bucket, limit, service.now())
    if wait:
        raise ApiError(
            429, "too_often", "Too many requests. Wait a while and try again.",
            headers={"Retry-After": str(math.ceil(wait))},
        )  # fmt: skip
