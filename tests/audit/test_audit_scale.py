"""A hundred thousand rows: time near-linear, memory flat."""

from __future__ import annotations

import resource
import time

import numpy as np
import pytest

from poxlens.audit import page, record
from poxlens.audit.audit import Options, audit
from poxlens.audit.folds import Assignment


def measured(make, a_row, a_pair, count):
    """Seconds of the processor for a whole audit of `count` rows with one pair in five rows, without files."""
    rng = np.random.default_rng(0)
    rows = [
        a_row(f"{n:06d}.jpg", f"class {n % 8}", dataset=f"set {n % 4}", patient=str(n // 3) if n % 2 else "")
        for n in range(count)
    ]
    pairs = [a_pair(n, n + 8) for n in range(0, count - 8, 5)]
    traits = {"log_sharpness": rng.normal(2, 0.3, count), "jpeg_quality": 80 + np.arange(count) % 8}
    material = make(rows, pairs, traits=traits, thumb=np.zeros((count, 0, 0), np.uint8))
    folds = tuple(f"fold {number}" for number in range(10))
    assignments = [Assignment(f"repeat {r}", rng.integers(0, 10, count), folds) for r in range(5)]
    start = time.process_time()
    found = audit(
        material, name="t", table_sha256="0" * 64, options=Options(resamples=200), assignments=assignments
    )
    assert len(record.text(found)) > 100 * count // 10
    assert len(page.page(found)) < 1_000_000
    return time.process_time() - start


@pytest.mark.soak
def test_ten_times_the_rows_take_hardly_more(make, a_row, a_pair):
    small = measured(make, a_row, a_pair, 10_000)
    large = measured(make, a_row, a_pair, 100_000)
    assert large < 10 * small
    assert large < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000  # kB
