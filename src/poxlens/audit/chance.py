"""What a split of images at random would leak: the share of test images with a partner in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from poxlens.audit.finding import Finding, some
from poxlens.audit.material import Floats, Ints, Material, connected, sizes, star
from poxlens.data.duplicates.model import SAME_PHOTO


@dataclass(frozen=True)
class Chance:
    """What k random folds of images would leak, by what links the images."""

    folds: int
    any: float  # share of test images with a partner in training, 0-1
    photo: float  # with a copy, crop or near-duplicate of the same photo there
    person: float  # with another image of the same person (or named group) there


def leaked_share(group: Ints, folds: int) -> float:
    """The expected share of test images that have a partner in training.

    Of N images dealt at random to k folds of N / k, an image in a group of m has no partner in training when
    all m - 1 stand in its own fold: product over i = 1 .. m - 1 of (N/k - i) / (N - i), exact when k divides N.

    Args:
        group: [N], equal = belong together.
        folds: k.

    Raises:
        ValueError: fewer than two folds, or fewer images than folds.
    """
    count = len(group)
    if not 2 <= folds <= count:
        raise ValueError(f"{count} images cannot be dealt to {folds} folds")
    members = sizes(group)
    alone = np.ones(int(members.max()) + 1)  # by group size: all partners in the same fold
    for size in range(2, len(alone)):
        place = size - 1
        alone[size] = alone[size - 1] * max(0.0, count / folds - place) / (count - place)
    return float(1 - alone[members].mean())


def by_chance(material: Material, folds: Sequence[int]) -> tuple[Chance, ...]:
    """What random splits of this table would leak, for each number of folds that it is large enough for."""
    photo, person = photo_groups(material), _person_groups(material)
    return tuple(
        Chance(k, leaked_share(material.unit, k), leaked_share(photo, k), leaked_share(person, k))
        for k in folds
        if 2 <= k <= len(material)
    )


def photo_groups(material: Material) -> Ints:
    """Rows that show one photo, directly or through others, [N]."""
    links = [material.links(kind) for kind in SAME_PHOTO]
    links += [star(material.keys[kind]) for kind in ("exact", "pixels")]
    return connected(
        len(material),
        np.concatenate([one.first for one in links]),
        np.concatenate([one.second for one in links]),
    )


def check_chance(material: Material, chances: Sequence[Chance], limit: float = 0.01) -> list[Finding]:
    """Finding `split.random` where a random split would put a partner in training for over `limit` of the images."""
    worst = [chance for chance in chances if chance.any > limit]
    if not worst:
        return []
    told = some(f"{chance.any:.0%} with {chance.folds} folds" for chance in worst)
    by_source = _by_source(material, worst[0].folds)
    numbers: dict[str, float | int | str] = {}
    for chance in chances:
        numbers[f"any_{chance.folds}_folds"] = chance.any
        numbers[f"same_photo_{chance.folds}_folds"] = chance.photo
        numbers[f"same_person_{chance.folds}_folds"] = chance.person
    return [
        Finding(
            "split.random",
            "warning",
            f"A random split of images would leak: {told} of the test images would have a partner in training",
            f"Never split this table by image. Use poxlens data split, which keeps persons and copies whole. By"
            f" source: {some(by_source, 8)}.",
            numbers=numbers,
        )
    ]


def _by_source(material: Material, folds: int) -> list[str]:
    """Each source's share of images with a partner in training, were the whole table split at random."""
    members = sizes(material.unit)
    count = len(material)
    within = (count / folds) / count
    leaked: Floats = 1 - np.power(within, members - 1)  # the exact product differs by less than 1 / N
    shares = [
        (float(leaked[material.source == place].mean()), name) for place, name in enumerate(material.sources)
    ]
    return [f"{name} {share:.0%}" for share, name in sorted(shares, reverse=True) if share > 0]


def _person_groups(material: Material) -> Ints:
    links = [star(material.keys[kind]) for kind in ("person", "group")]
    return connected(
        len(material),
        np.concatenate([one.first for one in links]),
        np.concatenate([one.second for one in links]),
    )
