"""A mark repeated at the same place in many files of one source: a watermark, a logo, a ruler, a time stamp.

Every photo is different, so at any place the fine detail (grey level minus its local mean) is as often light as
dark: over n photos the mean sign is about 0, with a standard deviation of at most n ** -0.5. Where a mark stands
the sign is the same in every photo that carries it. Photos are laid over each other five times: whole, all brought
to one size, and by each corner at their own scale, since marks keep a distance from a corner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.audit.finding import Finding, Item, count, some
from poxlens.audit.material import Bools, Ints, Material
from poxlens.errors import PhotoError
from poxlens.evaluate.intervals import wilson
from poxlens.photo.decode import decode

Signs: TypeAlias = NDArray[np.int8]

SIDE = 192  # px that photos are compared at
SAMPLE = 200  # photos of a source that are looked at
LEAST = 20  # photos from which a mean says something
_DETAIL = 6  # grey levels from the local mean; JPEG noise and skin texture stay below
_WINDOW = 9  # px of the local mean
_EDGE = 3  # px left out at each side: what frames do there is told by the border traits
_MEAN = 0.25  # of the sign: a mark in a quarter of the photos; 0.2 is the most seen without one (n = 200)
_SURE = 4.0  # standard deviations; 20 pixels side by side make it surer
_PIXELS = 20  # of a mark at this size
_MOST = 5  # marks of one source
_CARRIES = 0.35  # agreement of one photo with the mark: 0.05 without it, 0.7 with it
FRAMES = ("whole", "top left", "top right", "bottom left", "bottom right")
"""Ways of laying photos over each other."""


@dataclass(frozen=True, eq=False)
class Mark:
    """What repeats in the photos laid over each other one way."""

    frame: str  # "whole", or the corner that the photos were laid together by
    box: tuple[int, int, int, int]  # left, top, right, bottom in the frame of SIDE px
    mean: float  # of the sign where it is surest, 0-1
    pixels: int
    sign: Signs  # [SIDE, SIDE], 0 outside the mark


@dataclass(frozen=True, eq=False)
class MarkedSource:
    """A source whose photos carry a mark."""

    source: str
    mark: Mark
    seen: Ints  # rows looked at
    carriers: Ints  # rows of these that carry it
    elsewhere: Ints  # rows of other sources, of those looked at, that carry it at the same place


def find_marks(
    material: Material, *, workers: int = 2, seed: int = 0, advance: Callable[[], None] = lambda: None
) -> tuple[MarkedSource, ...]:
    """The marks of each source of LEAST readable photos or more, the one that most photos carry first.

    At most SAMPLE photos of a source are read, in memory for one source at a time.
    """
    samples = dict(_samples(material, seed))
    found: dict[int, list[tuple[Mark, Ints]]] = {}
    for source, rows in samples.items():
        if len(rows) >= LEAST:
            stacks = _stacks(material, rows, workers, advance)
            several = [(mark, rows[carry]) for mark, carry in peel(stacks)]
            if several:
                found[source] = several
    elsewhere: dict[tuple[int, int], list[int]] = {}
    for place, rows in samples.items() if found else ():
        stacks = _stacks(material, rows, workers, advance)
        for source, several in found.items():
            for number, (mark, _) in enumerate(several):
                if place != source:
                    carry = agreement(stacks[mark.frame], mark.sign) >= _CARRIES
                    elsewhere.setdefault((source, number), []).extend(rows[carry].tolist())
    return tuple(
        MarkedSource(
            material.sources[source],
            mark,
            samples[source],
            carriers,
            np.array(sorted(elsewhere.get((source, number), ())), np.int64),
        )
        for source, several in found.items()
        for number, (mark, carriers) in enumerate(several)
    )


def peel(stacks: Mapping[str, Signs]) -> list[tuple[Mark, Bools]]:
    """The marks of one source with the photos that carry each, [n], the one that most carry first.

    A source that changed its logo has two, and the rarer one shows only once the other's photos are gone.
    """
    photos = len(next(iter(stacks.values())))
    rest = np.ones(photos, bool)
    found: list[tuple[Mark, Bools]] = []
    while rest.sum() >= LEAST and len(found) < _MOST:
        several = [mark for frame, signs in stacks.items() for mark in repeated(frame, signs[rest])]
        if not several:
            break
        best = max(several, key=lambda mark: (mark.pixels, mark.frame == "whole"))
        carry = rest & (agreement(stacks[best.frame], best.sign) >= _CARRIES)
        if not carry.any():
            break
        found.append((best, carry))
        rest &= ~carry
    return sorted(found, key=lambda one: -int(one[1].sum()))


def photos_read(material: Material) -> int:
    """How many photos `find_marks` reads, so how often it calls `advance`, at most."""
    return 2 * sum(len(rows) for _, rows in _samples(material, 0))


def check_marks(material: Material, found: Sequence[MarkedSource]) -> list[Finding]:
    """Finding `mark.repeated` for each source that carries one."""
    findings = []
    for one in found:
        share = len(one.carriers) / len(one.seen)
        low, high = wilson(len(one.carriers), len(one.seen))
        classes = sorted({material.rows[row].label for row in one.carriers.tolist()})
        others = sorted({material.sources[place] for place in material.source[one.elsewhere].tolist()})
        further = (
            f" {count(len(one.elsewhere), 'file')} of {some(others)} carry it too: they come from the same place."
            if len(one.elsewhere)
            else ""
        )
        findings.append(
            Finding(
                "mark.repeated",
                "warning",
                f"{one.source}: the same mark {_place(one.mark)} of {share:.0%} [{low:.0%}–{high:.0%}] of"
                f" {len(one.seen)} photos looked at",
                f"Whoever sees it knows the source, and with it that the class is one of: {some(classes, 8)}. Crop it"
                f" (poxlens data curate avoids it) or cover it before training.{further}",
                tuple(
                    [Item(material.rows[row].file, "carries the mark") for row in one.carriers.tolist()]
                    + [
                        Item(material.rows[row].file, f"carries the mark of {one.source}")
                        for row in one.elsewhere.tolist()
                    ]
                ),
                {
                    "source": one.source, "looked_at": len(one.seen), "carry_it": len(one.carriers),
                    "share": share, "frame": one.mark.frame, "elsewhere": len(one.elsewhere),
                    **dict(zip(("left", "top", "right", "bottom"), one.mark.box, strict=True)),
                },
            )
        )  # fmt: skip
    return findings


def repeated(frame: str, signs: Signs) -> list[Mark]:
    """The marks in n photos laid over each other.

    Args:
        frame: how they were laid.
        signs: [n, SIDE, SIDE], of `detail`.
    """
    import cv2

    photos = len(signs)
    mean = signs.mean(0, dtype=np.float64)
    rate = np.maximum((signs != 0).mean(0), 0.05)
    sure = np.abs(mean) >= np.maximum(_MEAN, _SURE * np.sqrt(rate / photos))
    inside = np.zeros_like(sure)
    inside[_EDGE:-_EDGE, _EDGE:-_EDGE] = True
    sure &= inside
    # Letters and lines of one mark lie some pixels apart.
    near = cv2.dilate(sure.astype(np.uint8), np.ones((_WINDOW, _WINDOW), np.uint8))
    parts, part = cv2.connectedComponents(near)
    marks = []
    for number in range(1, parts):
        mask = sure & (part == number)
        pixels = int(mask.sum())
        if pixels >= _PIXELS:
            ys, xs = np.nonzero(mask)
            box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
            sign = np.where(mask, np.sign(mean), 0).astype(np.int8)
            marks.append(Mark(frame, box, float(np.abs(mean[mask]).max()), pixels, sign))
    return marks


def agreement(signs: Signs, sign: Signs) -> NDArray[np.float64]:
    """How far each photo's detail agrees with a mark, [n], 1 = everywhere, 0 = as chance has it."""
    mask = sign != 0
    agreed: NDArray[np.float64] = (signs[:, mask] * sign[mask]).mean(1, dtype=np.float64)
    return agreed


def detail(grey: NDArray[np.uint8]) -> Signs:
    """1 where a pixel is lighter than its surroundings, -1 where it is darker, 0 where it is about the same."""
    import cv2

    level = grey.astype(np.float32)
    high = level - cv2.blur(level, (_WINDOW, _WINDOW))
    signs: Signs = (high > _DETAIL).astype(np.int8) - (high < -_DETAIL).astype(np.int8)
    return signs


def frames(pixels: NDArray[np.uint8]) -> dict[str, Signs]:
    """The detail of a photo, [H, W, 3] uint8, in each way of laying it, [SIDE, SIDE] each."""
    image = Image.fromarray(pixels).convert("L")
    whole = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    grey = np.asarray(image)
    top, left = max(0, SIDE - grey.shape[0]), max(0, SIDE - grey.shape[1])
    if top or left:
        grey = np.pad(grey, ((0, top), (0, left)), mode="edge")
    sharp = detail(grey)
    return {
        "whole": detail(whole),
        "top left": sharp[:SIDE, :SIDE],
        "top right": sharp[:SIDE, -SIDE:],
        "bottom left": sharp[-SIDE:, :SIDE],
        "bottom right": sharp[-SIDE:, -SIDE:],
    }


def _place(mark: Mark) -> str:
    left, top, right, bottom = mark.box
    if mark.frame != "whole":
        return f"at the {mark.frame}"
    across = "left" if right <= SIDE / 2 else "right" if left >= SIDE / 2 else "middle"
    down = "top" if bottom <= SIDE / 2 else "bottom" if top >= SIDE / 2 else "middle"
    return "in the middle" if across == down == "middle" else f"at the {down} {across}"


def _samples(material: Material, seed: int) -> Iterator[tuple[int, Ints]]:
    """Up to SAMPLE readable rows of each source, at random, in the table's order."""
    for source in range(len(material.sources)):
        rows = np.flatnonzero((material.source == source) & material.readable)
        if len(rows) > SAMPLE:
            rows = np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))
        yield source, rows


def _stacks(material: Material, rows: Ints, workers: int, advance: Callable[[], None]) -> dict[str, Signs]:
    """The rows' detail, [n, SIDE, SIDE] for each way of laying; 0 for a file that is gone by now."""
    stacks = {frame: np.zeros((len(rows), SIDE, SIDE), np.int8) for frame in FRAMES}
    with ThreadPoolExecutor(workers) as pool:
        paths: Iterable[Path] = (material.rows[row].path for row in rows.tolist())
        for place, seen in enumerate(pool.map(_read, paths)):
            advance()
            for frame, signs in (seen or {}).items():
                stacks[frame][place] = signs
    return stacks


def _read(path: Path) -> dict[str, Signs] | None:
    try:
        # A larger photo is reduced to a short side of 1,024 px and more: a mark stays legible.
        return frames(decode(path, working_side=1024).pixels)
    except PhotoError:
        return None
