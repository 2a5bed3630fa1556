"""Letters, logos and arrows drawn over photos: a class whose photos carry captions is known by them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from poxlens.audit.finding import Finding, Item, some
from poxlens.audit.material import Ints, Material
from poxlens.errors import PhotoError
from poxlens.evaluate.intervals import FEW, Estimate, estimate
from poxlens.evaluate.statistic import share
from poxlens.photo.decode import decode

Finder: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""[H, W, 3] uint8 -> [h, w], the probability that letters, a logo or a frame cover a place."""

SAMPLE = 80  # photos looked at of each class in each source
_DRAWN = 0.5
_CELLS = 2  # of the map, 8 px of a short side of 256 each
_MANY = 0.10  # share of a class's photos from which it is worth a warning
_APART = 2.0  # times the share of the rest of its source, or of the table


@dataclass(frozen=True)
class Lettered:
    """The photos of one class in one source that something is drawn on."""

    label: str
    source: str
    seen: int  # photos looked at
    rows: tuple[int, ...]  # of these, those with something drawn on
    share: Estimate  # 0-1, interval over independent units


def find_letters(
    material: Material,
    finder: Finder,
    *,
    workers: int = 2,
    resamples: int = 500,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Lettered, ...]:
    """Each class of each source, in up to SAMPLE of its readable photos."""
    found = []
    for label, source, rows in _samples(material, seed):
        paths = [material.rows[row].path for row in rows.tolist()]
        drawn = np.zeros(len(rows), bool)
        with ThreadPoolExecutor(workers) as pool:
            for place, covered in enumerate(pool.map(lambda path: _covered(path, finder), paths)):
                drawn[place] = covered >= _CELLS
                advance()
        figure = estimate({"": share(drawn)}, material.unit[rows], resamples=resamples, seed=seed)[""]
        found.append(
            Lettered(
                material.labels[label],
                material.sources[source],
                len(rows),
                tuple(rows[drawn].tolist()),
                figure,
            )
        )
    return tuple(found)


def photos_read(material: Material) -> int:
    """How often `find_letters` calls `advance`."""
    return sum(len(rows) for _, _, rows in _samples(material, 0))


def check_letters(material: Material, found: tuple[Lettered, ...]) -> list[Finding]:
    """Finding `mark.letters`: a class that is marked more often than the rest, or marks in general."""
    carriers = [row for one in found for row in one.rows]
    seen = sum(one.seen for one in found)
    if not carriers:
        return []
    overall = len(carriers) / seen
    apart = [
        one
        for one in found
        if one.share.cases >= FEW and one.share.value >= max(_MANY, _APART * _rest(one, found))
    ]
    told = some(
        (
            f"{one.label} of {one.source} {_percent(one.share)}"
            for one in sorted(apart, key=lambda one: -one.share.value)
        ),
        5,
    )
    return [
        Finding(
            "mark.letters",
            "warning" if apart or (overall >= _MANY and seen >= FEW) else "note",
            f"{overall:.0%} of {seen:,} photos looked at have letters, a logo or a frame drawn over them"
            + (f"; far more than elsewhere: {told}" if apart else ""),
            f"What is drawn over a photo tells where it comes from. poxlens data curate crops around it. By source:"
            f" {_by_source(found)}.",
            tuple(Item(material.rows[row].file, "letters, a logo or a frame") for row in carriers),
            {"looked_at": seen, "drawn_on": len(carriers)},
        )
    ]


def _by_source(found: tuple[Lettered, ...]) -> str:
    shares = []
    for source in dict.fromkeys(one.source for one in found):
        own = [one for one in found if one.source == source]
        shares.append((sum(len(one.rows) for one in own) / sum(one.seen for one in own), source))
    return some((f"{source} {share:.0%}" for share, source in sorted(shares, reverse=True)), 6)


def _rest(one: Lettered, found: tuple[Lettered, ...]) -> float:
    """The share in the other classes of its source, else in the other sources."""
    rest = [other for other in found if other.source == one.source and other is not one]
    rest = rest or [other for other in found if other is not one]
    seen = sum(other.seen for other in rest)
    return sum(len(other.rows) for other in rest) / seen if seen else 0.0


def _percent(figure: Estimate) -> str:
    return f"{figure.value:.0%} [{figure.low:.0%}–{figure.high:.0%}]"


def _samples(material: Material, seed: int) -> list[tuple[int, int, Ints]]:
    rng = np.random.default_rng(seed)
    samples = []
    for source in range(len(material.sources)):
        for label in range(len(material.labels)):
            rows = np.flatnonzero((material.source == source) & (material.label == label) & material.readable)
            if len(rows) > SAMPLE:
                rows = np.sort(rng.choice(rows, SAMPLE, replace=False))
            if len(rows):
                samples.append((label, source, rows))
    return samples


def _covered(path: Path, finder: Finder) -> int:
    try:
        return int((finder(decode(path).pixels) > _DRAWN).sum())
    except PhotoError:
        return 0
