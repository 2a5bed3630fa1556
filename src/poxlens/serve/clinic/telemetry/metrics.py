"""Counters for Prometheus: of one process, or summed over the workers where PROMETHEUS_MULTIPROC_DIR is set."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("poxlens_requests", "Requests by route and status.", ["method", "route", "status"])
SECONDS = Histogram(
    "poxlens_request_seconds",
    "Time to answer, by route.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
IN_FLIGHT = Gauge("poxlens_requests_in_flight", "Requests at work.", multiprocess_mode="livesum")
HELD = Gauge("poxlens_request_bytes_held", "Bytes set aside for requests.", multiprocess_mode="livesum")
SCREENED = Counter("poxlens_photos_screened", "Photos screened here, by outcome.", ["outcome"])
FILED = Counter("poxlens_referrals_filed", "Referrals filed, by outcome.", ["outcome"])
REFUSED = Counter("poxlens_refused", "Requests refused, by code.", ["code"])
NOTICES = Counter("poxlens_notices", "Tries to send a notice, by channel and result.", ["channel", "result"])


def page() -> tuple[bytes, str]:
    """What /metrics answers, and its content type."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # registers itself
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(), CONTENT_TYPE_LATEST
