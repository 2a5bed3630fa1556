"""Leave-one-out, the paper's way and without its leak.

The paper tests each image by what learnt from all others, with the hyper-parameters of the fold of the 10-fold
cross-validation that tested best (Campana 2024, 4.4.1). That fold was picked by its test images, and its
hyper-parameters were chosen on images that are now left out one by one: the figures are too high, and labelled so.
`nested` chooses anew for every group that is left out. Both are the folds of a split with one group each, in the same
code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from poxlens.files import sha256_bytes
from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.features import Network
from poxlens.recipes.compare.folds import Fold
from poxlens.recipes.compare.study import LeaveOneOut
from poxlens.recipes.compare.units import Result, Setting, Unit
from poxlens.recipes.compare.work import Task

WAYS: Mapping[LeaveOneOut, str] = {"best-fold": "best-fold (leaks)", "nested": "nested"}
"""Way -> what stands in the first column of leave_one_out.csv."""


def best_chosen(
    cases: Cases, results: Iterable[Result], network: str, setting: Setting
) -> Mapping[str, Any] | None:
    """Hyper-parameters of the fold with the best test accuracy, the first of equals; None without a finished fold."""
    own = [one for one in results if (one.unit.network, one.unit.setting) == (network, setting)]
    if not own:
        return None
    own.sort(key=lambda one: (one.unit.repeat, one.unit.fold))
    return max(
        own, key=lambda one: float((one.probabilities.argmax(1) == cases.truth[one.test]).mean())
    ).chosen


def tasks(
    cases: Cases,
    parts: Sequence[Fold],
    results: Sequence[Result],
    way: LeaveOneOut,
    networks: Mapping[str, Network],
    asked: Sequence[Setting],
) -> list[Task]:
    """A task for each network, setting and group left out.

    Args:
        cases: the images.
        parts: folds of one group each.
        results: of the cross-validation; the best fold of each network and setting is found among them.
        way: how hyper-parameters are chosen.
        networks: by name.
        asked: settings.
    """
    found = []
    for name, network in networks.items():
        for setting in asked:
            chosen = best_chosen(cases, results, name, setting) if way == "best-fold" else None
            if way == "best-fold" and chosen is None:
                continue  # no fold of it finished; its faults are told already
            variant = way if chosen is None else f"{way} {_short(chosen)}"
            found += [
                Task(Unit(name, setting, part.repeat, part.number, variant), part, network, chosen)
                for part in parts
            ]
    return found


def _short(chosen: Mapping[str, Any]) -> str:
    """Of what is given and not chosen, so that another best fold is another unit."""
    return sha256_bytes(json.dumps(chosen, sort_keys=True).encode())[:8]
