"""Planted copies: how many of them `poxlens data duplicates` finds, and whether it joins what is not one photo.

    python -m benchmarks.planted --data ../shared/data --groups results/duplicates/groups.csv
    python -m benchmarks.planted --phantoms 300

Two changed copies of every original are written to a folder of their own and searched for as any table is: one pass
over the files, candidates, confirmation. With --data the originals are real images, one of each group of --groups, so
that true near-duplicates that the set holds already do not count as false; no image is kept. Without it they are
phantoms. Recall: copies joined to their original. Precision: of all joined pairs, those of one original.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from poxlens.data.duplicates import SAME_PHOTO, Duplicates, find_duplicates
from poxlens.data.manifest import Manifest, Row, read_manifest
from poxlens.data.phantom import draw, random_spec
from poxlens.data.scan import scan
from poxlens.errors import PhotoError
from poxlens.evaluate.intervals import wilson
from poxlens.photo.decode import decode

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]
TARGET = 0.98
QUALITY = 90  # JPEG quality of a copy, unless the quality is what changed


def crop(pixels: Pixels, rng: np.random.Generator, share: float = 0.7) -> Pixels:
    """A part with 70 % of each side, at a random place."""
    height, width = pixels.shape[:2]
    tall, wide = round(height * share), round(width * share)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])


def flip(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    del rng
    return np.ascontiguousarray(pixels[:, ::-1])


def brightness(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """20 % brighter or darker."""
    return np.clip(pixels * rng.choice([0.8, 1.2]), 0, 255).astype(np.uint8)


def resize(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """To 50-150 % of each side."""
    factor = rng.uniform(0.5, 1.5)
    size = (max(16, round(pixels.shape[1] * factor)), max(16, round(pixels.shape[0] * factor)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def caption(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A bar with a text over 12 % of the height, at the top or the bottom."""
    image = Image.fromarray(pixels)
    tall = max(12, round(0.12 * image.height))
    top = int(rng.choice([0, image.height - tall]))
    pen = ImageDraw.Draw(image)
    ground, ink = [("black", "white"), ("white", "black")][int(rng.integers(2))]
    pen.rectangle((0, top, image.width, top + tall), fill=ground)
    pen.text((4, top + 1), f"Figure {int(rng.integers(1, 99))}: a photo of a rash", fill=ink)
    return np.asarray(image)


def turn(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """By a quarter, half or three quarters."""
    return np.ascontiguousarray(np.rot90(pixels, int(rng.integers(1, 4))))


def tilt(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """By 10 degrees, corners black."""
    angle = float(rng.choice([-10, 10]))
    return np.asarray(Image.fromarray(pixels).rotate(angle, Image.Resampling.BILINEAR))


def same(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    del rng
    return pixels


@dataclass(frozen=True)
class Kind:
    """One way to change a copy."""

    changes: tuple[Change, ...]
    quality: int = QUALITY
    judged: bool = True  # whether the target holds for it


KINDS = {
    "crop to 70 %": Kind((crop,)),
    "flip": Kind((flip,)),
    "JPEG 40": Kind((same,), quality=40),
    "brightness ± 20 %": Kind((brightness,)),
    "resize to 50-150 %": Kind((resize,)),
    "caption": Kind((caption,)),
    "crop and flip": Kind((crop, flip)),
    "crop and JPEG 40": Kind((crop,), quality=40),
    "turned by quarters": Kind((turn,), judged=False),
    "tilted by 10°": Kind((tilt,), judged=False),
}


@dataclass(frozen=True)
class Planted:
    """A table of originals and their copies."""

    manifest: Manifest
    origin: list[int]  # of each row, the row of its original
    kind: list[str]  # of each row; "" for originals


@dataclass(frozen=True)
class Share:
    """A proportion with its 95 % interval (Wilson)."""

    name: str
    found: int
    n: int
    judged: bool

    @property
    def value(self) -> float:
        """NaN of nothing."""
        return self.found / self.n if self.n else float("nan")

    @property
    def met(self) -> bool:
        """Whether the target is met, or none is set."""
        return not self.judged or self.value >= TARGET


def main(arguments: list[str] | None = None) -> int:
    """Plant, search, tell; 1 when a target is missed."""
    told = _options().parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        originals = (
            real_originals(told.data, told.groups, told.n, told.seed)
            if told.data
            else phantom_originals(folder, told.phantoms, told.seed)
        )
        planted = plant(originals, folder, told.seed, told.copies)
        found = search(planted, folder / "store", told.jobs)
    shares, wrong = judge(planted, found), false_pairs(planted, found)
    if told.json:
        plain = [_plain(one) for one in shares]
        print(json.dumps({"originals": len(originals), "shares": plain, "false": wrong}))
    else:
        print(_table(shares, len(originals), "real images" if told.data else "phantoms"))
        print("".join(f"\njoined, of two originals: {line}" for line in wrong))
    return 0 if all(one.met for one in shares) else 1


def real_originals(data: Path, groups: Path | None, n: int, seed: int) -> list[Row]:
    """At most n readable images, one of each group, at random over all sets."""
    rows = read_manifest(data / "manifest.csv").rows
    group: dict[str, str] = {}
    if groups is not None:
        with groups.open(newline="", encoding="utf-8") as stream:
            group = {line["file"]: line["group"] for line in csv.DictReader(stream)}
    order = np.random.default_rng(seed).permutation(len(rows))
    kept: dict[str, Row] = {}
    for number in order:
        kept.setdefault(group.get(rows[number].file, rows[number].file), rows[number])
    return list(kept.values())[:n]


def phantom_originals(folder: Path, n: int, seed: int) -> list[Row]:
    """So many phantoms, as PNG in the folder."""
    (folder / "originals").mkdir()
    rows = []
    for number in range(n):
        path = folder / "originals" / f"{number:05d}.png"
        Image.fromarray(draw(random_spec(seed * 100_000 + number, size=224)).image).save(path)
        rows.append(Row(path.name, path, "phantom"))
    return rows


def plant(originals: list[Row], folder: Path, seed: int, copies: int) -> Planted:
    """`copies` copies of each original, the kinds in turn, as JPEG in the folder."""
    (folder / "copies").mkdir()
    rows, origin, kind = [], [], []
    names = list(KINDS)
    for number, row in enumerate(originals):
        try:
            pixels = decode(row.path, working_side=100_000).pixels
        except PhotoError:
            continue
        first = len(rows)
        rows.append(row)
        origin.append(first)
        kind.append("")
        for copy in range(copies):
            name = names[(number * copies + copy) % len(names)]
            path = folder / "copies" / f"{number:05d}-{copy}.jpg"
            path.write_bytes(changed(pixels, KINDS[name], np.random.default_rng([seed, number, copy])))
            rows.append(Row(path.name, path, row.label))
            origin.append(first)
            kind.append(name)
    return Planted(Manifest(tuple(rows), folder, ""), origin, kind)


def changed(pixels: Pixels, kind: Kind, rng: np.random.Generator) -> bytes:
    """A copy as the bytes of a JPEG."""
    for change in kind.changes:
        pixels = change(pixels, rng)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=kind.quality)
    return stream.getvalue()


def search(planted: Planted, store: Path, jobs: int) -> Duplicates:
    """As `poxlens data duplicates` does."""
    seen = scan(planted.manifest, store, workers=jobs)
    return find_duplicates(planted.manifest, seen, store=store, workers=jobs)


def judge(planted: Planted, found: Duplicates) -> list[Share]:
    """Recall of each kind and of all, and precision."""
    joined = {(pair.first, pair.second) for pair in found.pairs if pair.kind in SAME_PHOTO}
    hits = Counter(
        planted.kind[row]
        for row, first in enumerate(planted.origin)
        if planted.kind[row] and (first, row) in joined
    )
    total = Counter(kind for kind in planted.kind if kind)
    shares = [Share(name, hits[name], total[name], KINDS[name].judged) for name in KINDS if total[name]]
    judged = [one for one in shares if one.judged]
    shares.append(
        Share("recall, all that are judged", sum(s.found for s in judged), sum(s.n for s in judged), True)
    )
    true = sum(planted.origin[first] == planted.origin[second] for first, second in joined)
    return [*shares, Share("precision of joined pairs", true, len(joined), True)]


def false_pairs(planted: Planted, found: Duplicates) -> list[str]:
    """The joined pairs of two originals, in words."""
    rows, told = planted.manifest.rows, []
    for pair in found.pairs:
        origins = [planted.origin[row] for row in (pair.first, pair.second)]
        if pair.kind in SAME_PHOTO and origins[0] != origins[1]:
            names = [
                f"{rows[origin].file} ({planted.kind[row] or 'itself'})"
                for origin, row in zip(origins, (pair.first, pair.second), strict=True)
            ]
            told.append(
                f"{' = '.join(names)}, {pair.kind}, {pair.inliers} keypoints, correlation {pair.correlation:.2f}"
            )
    return told


def _plain(share: Share) -> dict[str, object]:
    low, high = wilson(share.found, share.n)
    return {"name": share.name, "found": share.found, "n": share.n, "value": share.value, "low": low, "high": high,
            "judged": share.judged, "met": share.met}  # fmt: skip


def _table(shares: list[Share], originals: int, what: str) -> str:
    lines = [
        f"{originals} originals ({what}); target {TARGET}",
        "",
        "| | found | 95 % interval | |",
        "|---|---|---|---|",
    ]
    for one in shares:
        low, high = wilson(one.found, one.n)
        verdict = "" if not one.judged else "met" if one.met else "MISSED"
        lines.append(
            f"| {one.name} | {one.found}/{one.n} = {one.value:.3f} | {low:.3f}–{high:.3f} | {verdict} |"
        )
    return "\n".join(lines)


def _options() -> argparse.ArgumentParser:
    told = argparse.ArgumentParser(
        prog="python -m benchmarks.planted", description=(__doc__ or "").split("\n")[0]
    )
    told.add_argument("--data", type=Path, help="folder of real images with manifest.csv")
    told.add_argument("--groups", type=Path, help="CSV with file and group: one original a group")
    told.add_argument("--n", type=int, default=1000, help="real originals at most")
    told.add_argument("--phantoms", type=int, default=300, help="phantoms, without --data")
    told.add_argument("--copies", type=int, default=2, help="copies of an original")
    told.add_argument("--seed", type=int, default=0)
    told.add_argument("--jobs", type=int, default=2)
    told.add_argument("--json", action="store_true")
    return told


if __name__ == "__main__":
    sys.exit(main())
