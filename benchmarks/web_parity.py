"""The page's worker in Chromium against Python, photo by photo, each by the same model of the same bundle.

    python -m benchmarks.web_parity --data FOLDER --n 300     photos of one's own, drawn at random
    python -m benchmarks.web_parity --phantoms 200            drawn ones; 12 and 48 megapixels in every turn

Prints n, the share of same outcomes and the largest differences; exit code 1 when a limit is passed. Nothing of a photo
is kept. With --resume FILE what was found is written down photo by photo, and a run that was cut off goes on from
there, as long as bundle, page and way are the same.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.browser_worker import BrowserWorker, browser_worker, page_screener
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode
from poxlens.photo.resize import prepare
from poxlens.screen.graph import Outputs
from poxlens.screen.screener import Screener

Photo = Callable[[], bytes]
"""A photo that is made or read when it is its turn."""

KINDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}


@dataclass(frozen=True)
class Row:
    """One photo on both sides.

    Attributes:
        outcome: Python's.
        same: whether outcome, reasons and prediction set are the same.
        pixels: largest difference of the model's input, levels; None where the photo cannot be read.
        outputs: largest difference of any output of the model on Python's pixels, over max(1, its largest value);
            None where the photo cannot be read.
        probability: largest difference of any class's; None where a side has none.
        heatmap: correlation of the target's maps; None where a side has none.
        native: milliseconds of Python, the model alone.
        browser: milliseconds of the browser, the model alone.
    """

    outcome: str
    same: bool
    pixels: int | None
    outputs: float | None
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
    pixels = outputs = None
    try:
        size = screener.bundle.manifest.input.size
        expected = prepare(decode(photo).pixels, screener.bundle.manifest.input)
        pixels = int(np.abs(expected.astype(int) - worker.prepare(photo, size)).max())
        outputs = furthest(screener.engine.run(expected[None]), worker.outputs(expected)[0])
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
    return Row(
        ours.outcome.value, same, pixels, outputs, probability, heatmap, ours.ms.get("model", 0.0), model
    )


def furthest(ours: Outputs, theirs: dict[str, np.ndarray]) -> float:
    """The largest difference of any output of one photo, over max(1, its largest value)."""
    pairs = [(np.ravel(getattr(ours, name)), values) for name, values in theirs.items()]
    return max(float(np.abs(a - b).max() / max(1.0, np.abs(a).max())) for a, b in pairs)


def phantoms(n: int) -> Iterable[tuple[str, Photo]]:
    """N drawn photos of usual sizes; 12 and 48 megapixels in each of the eight turns. Drawn when they are called."""
    for seed in range(n):
        rng = np.random.default_rng(seed)
        width, height = (int(side) for side in rng.integers(300, 1800, 2))
        yield f"phantom {seed}", partial(_drawn, seed, (width, height), turn=int(rng.integers(1, 9)))
    for megapixels, size in ((12, (4000, 3000)), (48, (8000, 6000))):
        for turn in range(1, 9):
            yield f"{megapixels} megapixels, turn {turn}", partial(_drawn, 100 + turn, size, turn)


def _drawn(seed: int, size: tuple[int, int], turn: int) -> bytes:
    """A phantom of a size with a sensor's noise, stored in one of the eight turns."""
    exif = Image.Exif()
    exif[0x0112] = turn
    image = Image.fromarray(draw(random_spec(seed)).image).resize(size, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(seed).integers(-4, 5, (size[1], size[0], 3), dtype=np.int16)
    pixels = np.clip(np.asarray(image).astype(np.int16) + noise, 0, 255).astype(np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=90, exif=exif)
        return stream.getvalue()


def sample(folder: Path, n: int, seed: int) -> list[Path]:
    """N photos below a folder, drawn at random."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS)
    return random.Random(seed).sample(found, min(n, len(found)))


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of photos")
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--phantoms", type=int, help="how many drawn photos of usual sizes")
    parser.add_argument("--bundle", type=Path, help="bundle folder; default: the embedded one")
    parser.add_argument("--resume", type=Path, help="file in which what was found is kept, to go on from it")
    chosen = parser.parse_args()
    if (chosen.data is None) == (chosen.phantoms is None):
        parser.error("name --data or --phantoms")
    photos = phantoms(chosen.phantoms) if chosen.data is None else files(chosen.data, chosen.n, chosen.seed)
    return report(run(photos, page_screener(chosen.bundle), chosen.resume))


def files(folder: Path, n: int, seed: int) -> Iterable[tuple[str, Photo]]:
    """N photos below a folder by their places in it."""
    return ((str(path.relative_to(folder)), path.read_bytes) for path in sample(folder, n, seed))


def run(photos: Iterable[tuple[str, Photo]], screener: Screener, resume: Path | None = None) -> list[Row]:
    """Every photo on both sides; what differs is printed at once.

    Args:
        photos: names, each once, and how to come by the bytes.
        screener: Python's side.
        resume: a file of JSON lines: found again where it was found by the same bundle, page and way, else added.
    """
    rows: list[Row] = []
    with browser_worker(screener) as worker:
        started = worker.started
        print(f"{started['label']}: {started['way']}, {started['threads']} threads")
        by = f"{started['label']}, {started['page']}, {started['way']}"
        known = _known(resume, by)
        for name, photo in photos:
            row = known.get(name)
            if row is None:
                row = compare(worker, screener, photo())
                _note(resume, {"by": by, "name": name, "row": asdict(row)})
            rows.append(row)
            if not row.same or (row.pixels or 0) > 1:
                print(f"  {name}: {row}")
            if len(rows) % 50 == 0:
                print(f"  {len(rows)} photos", file=sys.stderr)
    return rows


def _known(resume: Path | None, by: str) -> dict[str, Row]:
    if resume is None or not resume.exists():
        return {}
    whole = [
        line for line in resume.read_text("utf-8").splitlines() if line.endswith("}}")
    ]  # not one that was cut off
    lines = map(json.loads, whole)
    return {line["name"]: Row(**line["row"]) for line in lines if line["by"] == by}


def _note(resume: Path | None, line: dict[str, object]) -> None:
    if resume is not None:
        with resume.open("a", encoding="utf-8") as stream:
            stream.write("\n" + json.dumps(line))  # a line that was cut off before stays one of its own


def report(rows: list[Row], least: float = 1.0) -> int:
    """Print what was found; 1 when a limit is passed.

    Args:
        rows: one a photo.
        least: share of photos that must have the same outcome.
    """
    same = sum(row.same for row in rows)
    pixels = [row.pixels for row in rows if row.pixels is not None]
    outputs = [row.outputs for row in rows if row.outputs is not None]
    probabilities = [row.probability for row in rows if row.probability is not None]
    heatmaps = [row.heatmap for row in rows if row.heatmap is not None]
    timed = [row for row in rows if row.native > 0 and row.browser > 0]
    print(f"n = {len(rows)}: {dict(Counter(row.outcome for row in rows))}")
    print(f"same outcome, reasons and prediction set: {same} of {len(rows)}")
    print(
        f"model's input: {pixels.count(0)} of {len(pixels)} equal, largest difference {max(pixels, default=0)} levels"
    )
    print(
        f"outputs on equal pixels: {outputs.count(0.0)} of {len(outputs)} equal, "
        f"largest difference {max(outputs, default=0.0):.1e}"
    )
    print(
        f"probabilities: largest difference {max(probabilities, default=0.0):.1e} (n = {len(probabilities)})"
    )
    print(f"heat map: lowest correlation {min(heatmaps, default=1.0):.6f} (n = {len(heatmaps)})")
    ratio = float(np.median([row.browser / row.native for row in timed])) if timed else float("nan")
    print(f"model in the browser / native on one thread, median of photos in turn: {ratio:.1f}")
    good = same >= least * len(rows) and max(pixels, default=0) <= 1 and max(outputs, default=0.0) <= 1e-5
    return (
        0 if good and max(probabilities, default=0.0) <= 2e-3 and min(heatmaps, default=1.0) >= 0.999 else 1
    )


if __name__ == "__main__":
    sys.exit(main())
