"""Which photos MIM learns from: close-ups by a written rule (Yue 2024, section 2.2 and figure 1).

The paper leaves out photos from too far away, with a busy background, blurred, or repeated, by eye and without a
list. The rule here, on what can be measured:

1. repeats: of photos whose perceptual hashes differ by 8 bits of 64 or fewer, turned or mirrored too, the one with
   the most skin stays. Other photos of one patient, and crops, are no repeats here; folds keep them together;
2. blur: sharpness at 256 px of at least the quality limit of a screening;
3. distance: at least half of the photo has the colour of skin;
4. background: so has at least half of its frame, the outer tenth on each side;
5. of what is left, as many as asked for, those with the most skin in photo and frame, whichever is less.

Skin is found by colour, which misses some of the darkest and of the most inflamed: the list says what each photo had.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.manifest import Row
from poxlens.data.phash import SIDE, distance, phashes
from poxlens.data.similarity import connected_groups
from poxlens.errors import PhotoError, TrainingError
from poxlens.files import write_atomically
from poxlens.photo.decode import decode
from poxlens.photo.quality import QualityLimits, canonical, grey_copy, sharpness
from poxlens.photo.skin import skin_mask

Pixels = NDArray[np.uint8]

REPEAT = 8  # bits of a perceptual hash
LEAST_SKIN = 0.5  # of photo and of frame
FRAME = 0.1  # of each side


@dataclass(frozen=True)
class Judged:
    """One photo and what the rule made of it."""

    file: str
    reason: str  # "kept", or what it was left out for
    sharpness: float
    skin: float  # share of the photo, 0-1
    frame: float  # share of its frame, 0-1

    @property
    def kept(self) -> bool:
        """Whether it is learnt from."""
        return self.reason == "kept"


def choose(rows: Sequence[Row], count: int) -> list[Judged]:
    """Judge photos, in their order.

    Args:
        rows: the photos.
        count: how many to keep at most.

    Raises:
        TrainingError: none passes.
    """
    looked = [_measure(row) for row in rows]
    measured = [one for one, _ in looked]
    return _judged(measured, _clusters([grey for _, grey in looked]), count)


def _judged(measured: Sequence[Judged], clusters: Sequence[int], count: int) -> list[Judged]:
    best: dict[int, int] = {}
    for place, (cluster, one) in enumerate(zip(clusters, measured, strict=True)):
        if one.reason == "kept" and (cluster not in best or _least(one) > _least(measured[best[cluster]])):
            best[cluster] = place
    passed = sorted(best.values(), key=lambda place: (-_least(measured[place]), measured[place].file))
    chosen = set(passed[:count])
    if not chosen:
        raise TrainingError(f"none of {len(measured)} photos is a sharp close-up of skin")
    found = []
    for place, (cluster, one) in enumerate(zip(clusters, measured, strict=True)):
        reason = one.reason
        if reason == "kept" and place not in chosen:
            reason = "repeated" if best[cluster] != place else f"not among the best {count}"
        found.append(Judged(one.file, reason, one.sharpness, one.skin, one.frame))
    return found


def write_list(path: Path, judged: Sequence[Judged]) -> None:
    """The list as CSV: names and numbers."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(("file", "kept", "reason", "sharpness", "skin", "frame"))
    for one in judged:
        table.writerow(
            (
                one.file,
                int(one.kept),
                one.reason,
                f"{one.sharpness:.1f}",
                f"{one.skin:.3f}",
                f"{one.frame:.3f}",
            )
        )
    write_atomically(path, buffer.getvalue())


def _clusters(grey: Sequence[Pixels]) -> list[int]:
    """The number of what each picture repeats."""
    hashes = phashes(np.stack(grey))
    bits = distance(hashes[:, None, :1], hashes[None]).min(
        2
    )  # each as it is against all positions of the others
    alike: NDArray[np.bool_] = bits <= REPEAT
    found: list[int] = connected_groups(alike).tolist()
    return found


def _measure(row: Row) -> tuple[Judged, Pixels]:
    """What the rule looks at, and the grey thumbnail that repeats are told by."""
    try:
        photo = decode(row.path)
    except PhotoError as fault:
        return Judged(row.file, f"{fault.reason}: {fault}", 0.0, 0.0, 0.0), np.zeros((SIDE, SIDE), np.uint8)
    small = Image.fromarray(photo.pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    mask = skin_mask(canonical(photo.pixels))
    sharp = sharpness(np.asarray(grey_copy(photo.pixels)))
    skin, frame = float(mask.mean()), float(mask[_frame(mask.shape)].mean())
    reason = "kept"
    if sharp < QualityLimits().min_sharpness:
        reason = "blurred"
    elif skin < LEAST_SKIN:
        reason = "too far away"
    elif frame < LEAST_SKIN:
        reason = "busy background"
    return Judged(row.file, reason, sharp, skin, frame), np.asarray(small)


def _least(one: Judged) -> float:
    return min(one.skin, one.frame)


def _frame(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    found = np.ones(shape, bool)
    high, wide = max(1, round(FRAME * shape[0])), max(1, round(FRAME * shape[1]))
    found[high:-high, wide:-wide] = False
    return found
