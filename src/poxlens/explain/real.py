"""How often a bundle's heat map does not hold still, on photos: the share that `screen` shows with a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from poxlens.data.manifest import read_manifest
from poxlens.data.splits.units import find_groups, read_groups
from poxlens.errors import ManifestError
from poxlens.evaluate.statistic import share
from poxlens.explain.record import Figure, figures_of, mean

if TYPE_CHECKING:
    from poxlens.screen.screener import Screener


@dataclass(frozen=True)
class Listed:
    """A photo to be looked at."""

    path: Path
    dataset: str = ""
    group: str = ""  # photos of one group are no independent evidence; "" is a group of its own


@dataclass(frozen=True)
class Seen:
    """What was found on one photo."""

    listed: Listed
    readable: bool
    assessed: bool  # passed every gate
    stability: float | None  # None where the model was not run
    unstable: bool


def listed_in(table: Path, *, groups: Path | None = None, datasets: Sequence[str] = ()) -> list[Listed]:
    """The photos of a table of images.

    Args:
        table: as `poxlens data import` writes it.
        groups: a list of near-duplicates beside the patients and groups of the table.
        datasets: only these; all when empty.

    Raises:
        ManifestError: the table is not as it should be, or has no such data set.
        SplitError: the list of groups is not as it should be.
    """
    manifest = read_manifest(table)
    known = {row.dataset for row in manifest.rows}
    for name in datasets:
        if name not in known:
            raise ManifestError(f"{table}: has no data set {name!r}; it holds {', '.join(sorted(known))}")
    found = find_groups(manifest, read_groups(groups, manifest) if groups else None)
    return [
        Listed(row.path, row.dataset, found.names[int(at)])
        for row, at in zip(manifest.rows, found.of, strict=True)
        if not datasets or row.dataset in datasets
    ]


def look(screener: Screener, photos: Iterable[Listed], advance: Callable[[int], None]) -> list[Seen]:
    """Screen photos with maps that are checked.

    Args:
        screener: made with `check_maps`.
        photos: which.
        advance: called with 1 after each.
    """
    known = list(photos)
    found = []
    decided = screener.screen_many([one.path for one in known])
    for one, (_, decision) in zip(known, decided, strict=True):
        found.append(
            Seen(
                one,
                decision.readable,
                decision.assessed,
                decision.heatmap_stability,
                decision.heatmap_unstable,
            )
        )
        advance(1)
    return found


def figures(seen: Sequence[Seen]) -> list[Figure]:
    """Share of unstable maps and mean agreement: of photos that got an answer, of all with a map, by data set."""
    mapped = [one for one in seen if one.stability is not None]
    answered = [one for one in mapped if one.assessed]
    found = _figures("photos that got an answer", answered)
    found += _figures("all photos that the model was run on", mapped)
    for name in sorted({one.listed.dataset for one in answered} - {""}):
        found += _figures(
            f"photos that got an answer: {name}", [one for one in answered if one.listed.dataset == name]
        )
    return found


def _figures(group: str, seen: Sequence[Seen]) -> list[Figure]:
    clusters = [one.listed.group or str(at) for at, one in enumerate(seen)]
    statistics = {
        "unstable maps": share(np.array([one.unstable for one in seen], bool)),
        "agreement with the mirrored photo's map": mean(np.array([one.stability or 0.0 for one in seen])),
    }
    return figures_of("stability", group, statistics, clusters)
