"""The checks themselves: what each measures on a bundle's maps, with limits that were fixed before the first look."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from poxlens.evaluate.statistic import Floats, share
from poxlens.explain import trial
from poxlens.explain.measures import (
    area_under,
    best_possible,
    curve,
    energy_inside,
    enlarged,
    order_of,
    points_inside,
    rank_agreement,
)
from poxlens.explain.methods import plain
from poxlens.explain.randomise import STAGES, randomised
from poxlens.explain.record import Figure, figures_of, mean, ratio
from poxlens.screen.graph import Graph, Outputs
from poxlens.screen.stability import LIMIT, agreement, mirrored, stability

LEAST_ENERGY = 2.0  # times the lesions' share of the area, the mean over phantoms
MOST_RANDOM = (
    0.5  # rank correlation with the map of a randomised model, upper end of the interval, at every stage
)
RANDOM_SEEDS = tuple(range(20))  # one head shuffled gives -.6 to .8: few of them tell only of themselves
AREAS = (0.07, 0.12, 0.2)  # shares of the picture between which phantoms are told apart
SHIFTS = ((8, 0), (-8, 0), (0, 8), (0, -8), (8, 8), (-8, -8))  # px of the model's input: right, down
_BATCH = 8

Images = NDArray[np.uint8]
Run = Callable[[Images], Outputs]
Advance = Callable[[int], None]


def batches(run: Run, images: Images) -> Outputs:
    """All outputs of many images, a few at a time."""
    parts = [run(images[at : at + _BATCH]) for at in range(0, len(images), _BATCH)]
    names = ("logits", "embedding", "heatmap", "novelty")
    return Outputs(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def on_lesions(
    maps: NDArray[np.float32], tried: trial.Tried, lesion: str, least: float | None
) -> list[Figure]:
    """Energy inside the lesions over their share of the area, the best that so coarse a map can reach, and pointing.

    Args:
        maps: [N, h, w].
        tried: the phantoms.
        lesion: for the name of the group.
        least: energy over area that must be reached; None for no limit.
    """
    group = f"phantoms: {lesion}"
    energy = np.array([energy_inside(one, mask) for one, mask in zip(maps, tried.masks, strict=True)])
    shown, places = np.isfinite(energy), maps.shape[1:]
    best = np.array([energy_inside(best_possible(m, (places[0], places[1])), m) for m in tried.masks])
    hits = np.array([points_inside(one, mask) for one, mask in zip(maps, tried.masks, strict=True)])
    statistics = {
        "energy on lesions over their share of the area": ratio(energy[shown], tried.areas[shown]),
        "the same, of a perfect map of this size": ratio(best[shown], tried.areas[shown]),
        "the mean of each phantom's own quotient": mean(energy[shown] / tried.areas[shown]),
        "energy on lesions": mean(energy[shown]),
        "lesions' share of the area": mean(tried.areas[shown]),
    }
    found = figures_of("energy", group, statistics)
    if least is not None:
        found[0] = found[0].at_least(least)
    return found + figures_of("pointing", group, {"strongest point on a lesion": share(hits[shown])})


def by_area(maps: NDArray[np.float32], tried: trial.Tried, known: NDArray[np.bool_]) -> list[Figure]:
    """The energy on lesions where they cover little or much, and where the bundle would answer at all.

    Looked at after the first run, to see what its figure is made of; so there are no limits.

    Args:
        maps: [N, h, w].
        tried: the phantoms.
        known: [N], not refused as novel.
    """
    edges = (0.0, *AREAS, 1.0)
    parts = {
        f"lesions on {low:.0%} to {high:.0%} of the picture": (tried.areas >= low) & (tried.areas < high)
        for low, high in pairwise(edges)
    }
    parts |= {"not refused as novel": known, "refused as novel": ~known}
    found = []
    for name, rows in parts.items():
        some = trial.Tried(tried.images[rows], tried.masks[rows])
        found += (
            on_lesions(maps[rows], some, f"{trial.TARGET_LESION}, {name}", None)[:2] if rows.any() else []
        )
    return found


def randomisation(model: bytes, size: int, images: Images, target: int, done: Advance) -> list[Figure]:
    """Mean rank correlation of the maps with those of the model randomised more and more; near 0 is right.

    Intervals are over shufflings, which differ far more than phantoms do.

    Args:
        model: bytes of the .onnx file.
        size: side of its input, px.
        images: [N, S, S, 3].
        target: number of the class.
        done: progress, a model at a time.
    """
    maps = batches(Graph(model, size=size).run, images).heatmap[:, target]
    statistics = {}
    for name, part in STAGES:
        seen = np.empty((len(RANDOM_SEEDS), len(images)))
        for row, seed in enumerate(RANDOM_SEEDS):
            graph = Graph(randomised(model, part, seed), size=size)
            other = batches(graph.run, images).heatmap[:, target]
            seen[row] = [rank_agreement(a, b) for a, b in zip(maps, other, strict=True)]
            done(1)
        statistics[f"rank correlation after randomising: {name}"] = mean(seen.mean(1))
    group = f"phantoms: {trial.TARGET_LESION}"
    return [one.surely_below(MOST_RANDOM) for one in figures_of("randomisation", group, statistics)]


def deletion(
    images: Images, maps: NDArray[np.float32], likely: Callable[[Images], Floats], done: Advance
) -> list[Figure]:
    """How much faster the target's probability falls, or rises, in the map's order than in a random one.

    Args:
        images: [N, S, S, 3].
        maps: [N, h, w], at least as many.
        likely: [N, S, S, 3] -> [N] probability of the target.
        done: progress, a photo at a time.
    """
    fallen, risen = np.empty(len(images)), np.empty(len(images))
    for at, photo in enumerate(images):
        without = nothing(photo)
        rng = np.random.default_rng(at)
        order = order_of(maps[at])
        chance = rng.permutation(len(order)).astype(np.int64)
        areas = {
            (insert, name): area_under(curve(photo, without, one, likely, insert=insert))
            for insert in (False, True)
            for name, one in (("map", order), ("chance", chance))
        }
        fallen[at] = areas[False, "chance"] - areas[False, "map"]
        risen[at] = areas[True, "map"] - areas[True, "chance"]
        done(1)
    statistics = {
        "deletion: area under the curve, random order minus the map's": mean(fallen),
        "insertion: area under the curve, the map's order minus random": mean(risen),
    }
    return [
        one.surely_above(0.0)
        for one in figures_of("deletion", f"phantoms: {trial.TARGET_LESION}", statistics)
    ]


def steadiness(
    run: Run, images: Images, maps: NDArray[np.float32], target: int, lesion: str, done: Advance
) -> list[Figure]:
    """Mean agreement of the map with that of the mirrored, and of the slightly shifted, photo.

    Args:
        run: the model.
        images: [N, S, S, 3].
        maps: [N, h, w].
        target: number of the class.
        lesion: for the name of the group.
        done: progress, 2 in all.
    """
    turned = batches(run, mirrored(images)).heatmap[:, target]
    flips = np.array([stability(a, b) for a, b in zip(maps, turned, strict=True)])
    done(1)
    moved = np.stack(
        [
            [
                _shifted_agreement(a, b, by, images.shape[1])
                for a, b in zip(maps, _of_shifted(run, images, by, target), strict=True)
            ]
            for by in SHIFTS
        ]
    )
    done(1)
    statistics = {
        "agreement with the mirrored photo's map": mean(flips),
        "agreement with the map of the photo shifted by 8 px": mean(moved.mean(0)),
    }
    group = f"phantoms: {lesion}"
    return [*figures_of("stability", group, statistics), unstable(maps, turned, group)]


def unstable(maps: NDArray[np.float32], of_mirrored: NDArray[np.float32], group: str) -> Figure:
    """The share of maps that `screen` would show with a warning.

    Args:
        maps: [N, h, w].
        of_mirrored: [N, h, w] of the mirrored photos.
        group: which photos.
    """
    found = np.array([stability(a, b) for a, b in zip(maps, of_mirrored, strict=True)])
    return figures_of("stability", group, {"unstable maps": share(found < LIMIT)})[0]


def chance_agreement(maps: NDArray[np.float32], of_mirrored: NDArray[np.float32]) -> float:
    """The agreement that maps of different photos reach in 5 of 100 pairs: below it, a map says no more than chance.

    Args:
        maps: [N, h, w].
        of_mirrored: [N, h, w] of the mirrored photos, in the same order.
    """
    pairs = [
        stability(maps[at], of_mirrored[(at + away) % len(maps)])
        for away in range(1, min(len(maps), 21))
        for at in range(len(maps))
    ]
    return float(np.quantile(pairs, 0.95))


def nothing(photo: Images) -> Images:
    """The photo's own blurred colours, [S, S, 3] uint8; see `methods.plain`."""
    planes = torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1)[None].float()
    return np.asarray(plain(planes)[0].permute(1, 2, 0).round().numpy(), np.uint8)


def shifted(images: Images, by: tuple[int, int]) -> Images:
    """[N, S, S, 3] moved right and down by px; the border's pixels fill what becomes free."""
    right, down = by
    most = max(abs(right), abs(down))
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    side = images.shape[1]
    return np.ascontiguousarray(
        padded[:, most - down : most - down + side, most - right : most - right + side]
    )


def _of_shifted(run: Run, images: Images, by: tuple[int, int], target: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] = batches(run, shifted(images, by)).heatmap[:, target]
    return found


def _shifted_agreement(
    one: NDArray[np.float32], other: NDArray[np.float32], by: tuple[int, int], side: int
) -> float:
    """Agreement of a map with the shifted photo's, moved back, where both show the same skin."""
    right, down = by
    a, b = enlarged(one, side), enlarged(other, side)
    a = a[max(0, -down) : side - max(0, down), max(0, -right) : side - max(0, right)]
    b = b[max(0, down) : side + min(0, down), max(0, right) : side + min(0, right)]
    return agreement(a, b)


def accepted(known: NDArray[np.bool_]) -> Figure:
    """Phantoms are drawn: how many the bundle's own gate takes for photos like those it learnt from."""
    return figures_of("gate", f"phantoms: {trial.TARGET_LESION}", {"not refused as novel": share(known)})[0]
