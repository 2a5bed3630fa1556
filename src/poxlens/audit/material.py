"""What is audited: the table's rows beside what was measured on their files, as arrays of N rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from poxlens.data.duplicates.model import JOINED
from poxlens.data.tones import tone_of_cell, tone_of_ita

if TYPE_CHECKING:
    from poxlens.data.duplicates.model import Pair
    from poxlens.data.manifest import Row
    from poxlens.data.scan import Scan

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

NO_SOURCE = "(no source named)"


@dataclass(frozen=True, eq=False)
class Links:
    """Pairs of rows that show one photo or one person, [L] each."""

    first: Ints
    second: Ints

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, eq=False)
class Material:
    """A table of N images and everything measured about it."""

    rows: tuple[Row, ...]
    scan: Scan
    pairs: tuple[Pair, ...]  # of every kind, "suspected" too
    label: Ints  # [N], place in `labels`
    labels: tuple[str, ...]
    source: Ints  # [N], place in `sources`
    sources: tuple[str, ...]
    keys: dict[str, Ints]  # "exact", "pixels", "person", "group" -> [N], equal = together, -1 = none known
    unit: Ints  # [N], independent unit: rows linked by a key or a joined pair, directly or through others
    readable: Bools  # [N]
    tone: tuple[str, ...]  # [N], "light", "dark" or "unknown": the table's, else from the photo

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def files(self) -> list[str]:
        """The files as written in the table, [N]."""
        return [row.file for row in self.rows]

    def links(self, kind: str) -> Links:
        """The pairs of one kind that was found."""
        found = [(pair.first, pair.second) for pair in self.pairs if pair.kind == kind]
        both = np.array(found, np.int64).reshape(-1, 2)
        return Links(both[:, 0], both[:, 1])


def gather(rows: Sequence[Row], scan: Scan, pairs: Iterable[Pair]) -> Material:
    """Everything the checks need.

    Args:
        rows: N rows of the table.
        scan: of the same rows in the same order.
        pairs: what the search for duplicates found.

    Raises:
        ValueError: the scan is of another number of rows.
    """
    if len(scan.sha256) != len(rows):
        raise ValueError(f"the scan has {len(scan.sha256)} rows where the table has {len(rows)}")
    labels, label = coded([row.label for row in rows])
    sources, source = coded([row.dataset or NO_SOURCE for row in rows])
    keys = {
        "exact": together(scan.sha256),
        "pixels": together(scan.pixels_sha256),
        "person": together([row.person if row.patient else "" for row in rows]),
        "group": together([row.group for row in rows]),
    }
    kept = tuple(pairs)
    joined = [(pair.first, pair.second) for pair in kept if pair.kind in JOINED]
    edges = np.array(joined, np.int64).reshape(-1, 2)
    stars = [star(key) for key in keys.values()]
    unit = connected(
        len(rows),
        np.concatenate([edges[:, 0], *(links.first for links in stars)]),
        np.concatenate([edges[:, 1], *(links.second for links in stars)]),
    )
    readable = np.array([not fault for fault in scan.fault], bool)
    tone = tuple(_tone(row.skin_tone, float(ita)) for row, ita in zip(rows, scan.ita, strict=True))
    return Material(tuple(rows), scan, kept, label, labels, source, sources, keys, unit, readable, tone)


def _tone(cell: str, ita: float) -> str:
    said = tone_of_cell(cell)
    return said if said != "unknown" else tone_of_ita(ita)


def coded(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The distinct names, sorted, and each row's place among them, [N]."""
    distinct, codes = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    return tuple(map(str, distinct)), codes.astype(np.int64)


def together(names: Sequence[str]) -> Ints:
    """A number for each name, [N]; -1 where it is empty."""
    _, codes = coded(names)
    codes[np.fromiter((not name for name in names), bool, len(names))] = -1
    return codes


def star(key: Ints) -> Links:
    """Each row of a key linked to the key's first row: as many links as rows, not as pairs."""
    held = np.flatnonzero(key >= 0)
    _, first, inverse = np.unique(key[held], return_index=True, return_inverse=True)
    hub = held[first][inverse]
    others = hub != held
    return Links(hub[others], held[others])


def connected(count: int, first: Ints, second: Ints) -> Ints:
    """The number of each row's connected part, [count], in order of first appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    part = connected_components(edges, directed=False)[1]
    _, place, inverse = np.unique(part, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(place))
    numbers: Ints = order[inverse].astype(np.int64)
    return numbers


def sizes(codes: Ints) -> Ints:
    """How many rows share each row's number, [N]."""
    _, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    shared: Ints = counts[inverse].astype(np.int64)
    return shared
