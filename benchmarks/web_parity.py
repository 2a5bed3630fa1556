"""The page's worker in Chromium against Python on real photos: python -m benchmarks.web_parity --data FOLDER --n 300.

Prints n, the share of same outcomes and the largest differences; exit code 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.browser_worker import BrowserWorker, browser_worker, page_screener
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode
from poxlens.photo.resize import prepare
from poxlens.screen.screener import Screener

KINDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


@dataclass(frozen=True)
class Row:
    """One photo on both sides.

    Attributes:
        outcome: Python's.
        same: whether outcome, reasons and prediction set are the same.
        pixels: largest difference of the model's input, levels; None where the photo cannot be read.
        probability: largest difference of any class's; None where a side has none.
        heatmap: correlation of the target's maps; None where a side has none.
        native: milliseconds of Python, the model alone.
        browser: milliseconds of the browser, the model alone.
    """

    outcome: str
    same: bool
    pixels: int | None
    probability: float | None
    heatmap: float | None
    native: float
    browser: float


def compare(worker: BrowserWorker, screener: Screener, photo: bytes) -> Row:
    """One photo on both sides."""
    ours, theirs = screener.screen(photo), worker.screen(photo)
    other = theirs["decision"]
    same = (
        other["outcome"] == ours.outcome
        and other["reasons"] == [reason.code for reason in ours.reasons]
        and tuple(other["predictionSet"]) == ours.prediction_set
    )
    pixels = None
    try:
        size = screener.bundle.manifest.input.size
        expected = prepare(decode(photo).pixels, screener.bundle.manifest.input).astype(int)
        pixels = int(np.abs(expected - worker.prepare(photo, size)).max())
    except PhotoError:
        pass
    probability = heatmap = None
    if ours.probabilities and other["probabilities"]:
        probability = max(abs(p - other["probabilities"][c]) for c, p in ours.probabilities.items())
    if ours.heatmap is not None and theirs["heatMap"] is not None:
        values = np.asarray(theirs["heatMap"]["values"])
        flat = np.ptp(values) == 0 and np.ptp(ours.heatmap) == 0
        heatmap = 1.0 if flat else float(np.corrcoef(values, ours.heatmap.ravel())[0, 1])
    model = theirs["ms"]["model"]
    return Row(ours.outcome.value, same, pixels, probability, heatmap, ours.ms.get("model", 0.0), model)


def sample(folder: Path, n: int, seed: int) -> list[Path]:
    """N photos below a folder, drawn at random."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS)
    return random.Random(seed).sample(found, min(n, len(found)))


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of photos")
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    screener = page_screener()
    rows: list[Row] = []
    with browser_worker(screener) as worker:
        print(f"{worker.started['label']}, {worker.started['threads']} threads in the browser")
        for n, path in enumerate(sample(chosen.data, chosen.n, chosen.seed), 1):
            row = compare(worker, screener, path.read_bytes())
            rows.append(row)
            if not row.same or (row.pixels or 0) > 1:
                print(f"  {path.relative_to(chosen.data)}: {row}")
            if n % 50 == 0:
                print(f"  {n} photos", file=sys.stderr)
    return report(rows)


def report(rows: list[Row]) -> int:
    """Print what was found; 1 when a limit is passed."""
    same = sum(row.same for row in rows)
    pixels = [row.pixels for row in rows if row.pixels is not None]
    probabilities = [row.probability for row in rows if row.probability is not None]
    heatmaps = [row.heatmap for row in rows if row.heatmap is not None]
    timed = [row for row in rows if row.native > 0 and row.browser > 0]
    print(f"n = {len(rows)}: {dict(Counter(row.outcome for row in rows))}")
    print(f"same outcome, reasons and prediction set: {same} of {len(rows)}")
    print(f"model's input: {pixels.count(0)} of {len(pixels)} equal, largest difference {max(pixels)} levels")
    print(f"probabilities: largest difference {max(probabilities):.1e} (n = {len(probabilities)})")
    print(f"heat map: lowest correlation {min(heatmaps):.6f} (n = {len(heatmaps)})")
    ratio = float(np.median([row.browser / row.native for row in timed]))
    print(f"model in the browser / native on one thread, median of photos in turn: {ratio:.1f}")
    good = same == len(rows) and max(pixels) <= 1 and max(probabilities) <= 2e-3 and min(heatmaps) >= 0.999
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
