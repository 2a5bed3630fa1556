"""Deal groups of images to parts so that every part holds its share of every class.

A group cannot be cut, so equal parts are a packing problem. The criterion is Pearson's chi-square of the counts
against the even ones: the sum over parts and columns (classes, all images, classes by skin tone) of
(count - expected)^2 / expected. Of several tries, the one with the fewest (part, class) pairs without an image is
kept, then the one of least chi-square.

Groups of the same make-up are interchangeable, so what is searched is how many groups of each make-up a part
gets: an equal number first, the rest one by one, the largest first, to the part where it costs least; then
the best move of one group, or the best swap of two, as long as one lowers the criterion. scikit-learn's
StratifiedGroupKFold stops after the first pass and counts classes only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

_TRIES = 12
_STEPS = 2_000  # moves and swaps of one try; reached by no data set seen, bounds the time of a strange one
_MOST_PAIRS = 1_500  # (make-up, part) pairs whose swaps are all compared; of more a random choice
_DIGITS = 9  # a change smaller than this is none: two platforms must not differ by the last bit


@dataclass(frozen=True, eq=False)
class Tally:
    """What is dealt: G groups by the images they hold."""

    counts: Counts  # [G, S], images of each group in each column
    classes: int  # the first so many columns are the classes, which no part may lack


def deal(tally: Tally, shares: Floats, rng: np.random.Generator) -> Counts:
    """Part of each of G groups, [G], 0 .. K - 1.

    Args:
        tally: the groups. Their order matters: sort them by something that is theirs (poxlens.data.splits.units).
        shares: [K], sums to 1: what each part should hold of every column.
        rng: which groups of one make-up go where, and which of several equally good answers is found.
    """
    kinds, kind, each = np.unique(tally.counts, axis=0, return_inverse=True, return_counts=True)
    expected = shares[:, None] * tally.counts.sum(0)[None]
    weight = np.divide(1.0, expected, out=np.zeros_like(expected), where=expected > 0)
    best: tuple[int, float, Counts] | None = None
    pressed, target = weight.copy(), expected.copy()
    for _ in range(_TRIES):
        table = _improve(_first(kinds, each, shares, target, pressed, rng), kinds, target, pressed, rng)
        held = table.T @ kinds
        lacking = (held == 0) & (expected > 0)
        lacking[:, tally.classes :] = False
        key = int(lacking.sum()), float(np.round((weight * (held - expected) ** 2).sum(), _DIGITS))
        if best is None or key < best[:2]:
            best = (*key, table)
        if best[0] == 0 and best[1] <= _floor(tally.counts, shares):
            break
        # What could not be spread weighs more in the next try, and is wanted more where it lacks.
        pressed[:, lacking.any(0)] *= 4.0
        target[lacking] += 0.5
    assert best is not None
    return _hand_out(best[2], kind.reshape(-1), rng)


def chi_square(tally: Tally, shares: Floats, part: Counts) -> float:
    """The criterion for a deal `part` [G]: 0 when every part holds exactly its share."""
    held = np.stack([tally.counts[part == one].sum(0) for one in range(len(shares))])
    expected = shares[:, None] * tally.counts.sum(0)[None]
    used = expected > 0
    return float(((held - expected)[used] ** 2 / expected[used]).sum())


def _first(
    kinds: Counts, each: Counts, shares: Floats, expected: Floats, weight: Floats, rng: np.random.Generator
) -> Counts:
    """[U, K] groups of each make-up in each part: the whole part of the share, then the rest one by one."""
    table = np.floor(each[:, None] * shares[None] + 1e-9).astype(np.int64)
    held = (table.T @ kinds).astype(np.float64)
    rest = np.repeat(np.arange(len(kinds)), each - table.sum(1))
    # Noise on the size makes every try a different one.
    size = (kinds[rest] ** 2 * weight.max(0)[None]).sum(1) * rng.uniform(0.7, 1.0, len(rest))
    for kind in rest[np.argsort(-size, kind="stable")]:
        images = kinds[kind]
        cost = np.round((weight * images * (2 * (held - expected) + images)).sum(1), _DIGITS)
        part = rng.choice(np.flatnonzero(cost == cost.min()))
        table[kind, part] += 1
        held[part] += images
    return table


def _improve(
    table: Counts, kinds: Counts, expected: Floats, weight: Floats, rng: np.random.Generator
) -> Counts:
    images = kinds.astype(np.float64)
    for _ in range(_STEPS):
        over = table.T @ images - expected
        straight = (images[:, None] ** 2 * weight).sum(2)  # [U, K]
        slope = 2.0 * (images[:, None] * (weight * over)[None]).sum(2)
        add, take = straight + slope, straight - slope
        step = _best_move(table, add, take) or _best_swap(table, images, weight, add, take, rng)
        if step is None:
            break
        for kind, source, target in step:
            table[kind, source] -= 1
            table[kind, target] += 1
    return table


Step = tuple[tuple[int, int, int], ...]  # (make-up, from part, to part), done together


def _best_move(table: Counts, add: Floats, take: Floats) -> Step | None:
    change = np.round(take[:, :, None] + add[:, None, :], _DIGITS)  # [U, from, to]
    change[table == 0] = np.inf
    change[:, np.arange(table.shape[1]), np.arange(table.shape[1])] = np.inf
    place = int(np.argmin(change))
    if change.flat[place] >= 0:
        return None
    kind, source, target = np.unravel_index(place, change.shape)
    return ((int(kind), int(source), int(target)),)


def _best_swap(
    table: Counts, images: Floats, weight: Floats, add: Floats, take: Floats, rng: np.random.Generator
) -> Step | None:
    kind, part = np.nonzero(table)
    if len(kind) > _MOST_PAIRS:
        chosen = np.sort(rng.choice(len(kind), _MOST_PAIRS, replace=False))
        kind, part = kind[chosen], part[chosen]
    out = (
        take[kind, part][:, None] + add[kind][:, part]
    )  # [P, P]: the first of a pair goes to the part of the second
    # Each of the two leaves the place that the other takes: what they share is counted once too often.
    common = 2.0 * (images[kind] * weight[part]) @ images[kind].T
    change = np.round(out + out.T - common - common.T, _DIGITS)
    change[part[:, None] == part[None]] = np.inf
    place = int(np.argmin(change))
    if change.flat[place] >= 0:
        return None
    one, other = np.unravel_index(place, change.shape)
    return (
        (int(kind[one]), int(part[one]), int(part[other])),
        (int(kind[other]), int(part[other]), int(part[one])),
    )


def _floor(counts: Counts, shares: Floats) -> float:
    """What no deal into equal parts can be below: images are whole. 0 for parts of different shares."""
    if np.ptp(shares) > 0:
        return 0.0
    total, parts = counts.sum(0), len(shares)
    over = total % parts
    used = total > 0
    return float((over * (parts - over) / np.maximum(total, 1))[used].sum()) + 1e-6


def _hand_out(table: Counts, kind: Counts, rng: np.random.Generator) -> Counts:
    part = np.empty(len(kind), np.int64)
    for one in range(len(table)):
        members = np.flatnonzero(kind == one)
        part[rng.permutation(members)] = np.repeat(np.arange(table.shape[1]), table[one])
    return part
