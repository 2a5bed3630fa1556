"""Groups that no split may cut: connected over pairs, patients and the groups a manifest names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from poxlens.data.duplicates.model import Link, Pair
from poxlens.data.manifest import Row


class Forest:
    """Disjoint sets of 0..N-1 (union by size, path halving; Tarjan & van Leeuwen 1984)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self.size = [1] * count  # valid at roots

    def root(self, item: int) -> int:
        """The set that an item is in."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(self, one: int, other: int) -> int:
        """Join the sets of two items; the size of the smaller one, 0 when they were one already."""
        first, second = self.root(one), self.root(other)
        if first == second:
            return 0
        if self.size[first] < self.size[second]:
            first, second = second, first
        self._parent[second] = first
        self.size[first] += self.size[second]
        return self.size[second]

    def numbers(self) -> NDArray[np.int64]:
        """[N], the number of each item's set, in order of first appearance."""
        seen: dict[int, int] = {}
        return np.array(
            [seen.setdefault(self.root(item), len(seen)) for item in range(len(self._parent))], np.int64
        )


def known_keys(row: Row) -> tuple[str, ...]:
    """What ties a row to others whatever its pixels: its patient (unique within a dataset) and its group."""
    keys = []
    if row.patient:
        keys.append(f"patient:{row.dataset}/{row.patient}")
    if row.group:
        keys.append(f"group:{row.group}")
    return tuple(keys)


def group_rows(
    rows: Sequence[Row], pairs: Iterable[Pair], *, most_links: int = 10
) -> tuple[NDArray[np.int64], tuple[Link, ...]]:
    """Groups of the rows, and the weakest pair in each of the largest ones.

    Pairs are joined from the surest on (Kruskal's maximum spanning forest), so the last pair that joined
    two parts of a group is the weakest that the group hangs on.

    Args:
        rows: N rows.
        pairs: those to join.
        most_links: of how many groups to give the weakest pair.

    Returns:
        group [N], and links, the largest groups first.
    """
    forest = Forest(len(rows))
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        for key in known_keys(row):
            forest.join(first.setdefault(key, number), number)
    weakest: list[tuple[Pair, int]] = []
    for pair in sorted(pairs, key=lambda pair: pair.strength, reverse=True):
        apart = forest.join(pair.first, pair.second)
        if apart:
            weakest.append((pair, apart))
    group = forest.numbers()
    last: dict[int, Link] = {}
    for pair, apart in weakest:  # later ones are weaker
        number = int(group[pair.first])
        last[number] = Link(pair, number, forest.size[forest.root(pair.first)], apart)
    links = sorted(last.values(), key=lambda link: (-link.size, link.group))
    return group, tuple(links[:most_links])
