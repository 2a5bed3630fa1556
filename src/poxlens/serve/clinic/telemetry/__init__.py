"""What the server tells of itself: a JSON line for each request, and counters for Prometheus; no personal data."""
