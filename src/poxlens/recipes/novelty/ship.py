"""The gate for a bundle, from the material of a recipe's run: one call that replaces the shipped score.

    shipped = gate_of(prepared)
    novelty = shipped.novelty                               # of predictions.csv, instead of novelty_of_unseen
    rule = Rule(..., shipped.limit)
    figures += figures_of(shipped, prepared)
    trained = Trained(..., subspace=shipped.gate, ...)      # the graph takes it as it takes a subspace

Novelty of each image comes from a gate that learnt from neither it nor anything of its group; where a source is left
out, from one that learnt from nothing of the source. The limit is the
lowest at which the asked share of the target's images, and of all known close-ups, pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from poxlens.bundle.manifest import Figure
from poxlens.errors import TrainingError
from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.statistic import share
from poxlens.recipes.evidence import as_interval
from poxlens.recipes.novelty.pictures import drawn, sample_photos
from poxlens.train.features import Extractor
from poxlens.train.images import Harmonise
from poxlens.train.novelty.gate import Gate, fit_gate
from poxlens.train.novelty.limits import limit_for

if TYPE_CHECKING:
    from poxlens.recipes.default import Prepared  # which imports this module

Floats = NDArray[np.float32]

ACCEPTED = 0.95
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Shipped:
    """A gate with its limit and its evidence."""

    gate: Gate
    limit: float
    novelty: Floats  # [N], of the run's samples, none by a gate that knew it
    pictures: Floats  # [P], of pictures that are not skin, likewise
    kinds: tuple[str, ...]  # [P], what each picture is
    scenes: tuple[str, ...]  # [P], what each shows; crops of one photo are not independent
    unseen: Mapping[str, Floats]  # source that holds the target -> [N], by a gate that learnt nothing of it
    missing: tuple[str, ...] = ()  # sample photos that could not be had; the gate is another one without them


def gate_of(prepared: Prepared, *, accepted: float = ACCEPTED, drawings: int = 60, seed: int = 0) -> Shipped:
    """Fit the gate on a run's close-ups, its probes and pictures that are not skin.

    Args:
        prepared: of `prepare_run`, with probes.
        accepted: share of held-out images of the target, and of all held-out close-ups, that must pass.
        drawings: pictures of each kind that is made in code.
        seed: of pictures and folds.

    Raises:
        TrainingError: there are no probes to learn dermoscopy from.
    """
    table = prepared.table
    known, probe = np.flatnonzero(prepared.close), np.flatnonzero(prepared.probe)
    if not len(probe):
        raise TrainingError("the gate learns other kinds of photos from probes, and the recipe has none")
    photos, missing = sample_photos(seed)
    pictures = [*drawn(drawings, seed), *photos]
    harmonise = Harmonise(prepared.recipe.rule, prepared.recipe.jpeg_quality)
    learnt, tested = embeddings(prepared.extractor, [harmonise.image(p.pixels) for p in pictures])
    scene = np.unique([picture.group for picture in pictures], return_inverse=True)[1]
    parts = (table.grouping.group[known], table.grouping.group[probe], scene.astype(np.int64))
    novelty = np.full(len(table.source), np.nan, np.float32)
    held = np.full(len(pictures), np.nan, np.float32)
    folds = [_dealt(groups, _FOLDS) for groups in parts]
    with threadpool_limits(1):
        for fold in range(_FOLDS):
            near, far, other = (part != fold for part in folds)
            outliers = {"probe": table.learnt[probe[far]], "picture": learnt[other]}
            test = np.zeros(len(novelty), bool)
            test[known[~near]] = True
            strict = table.grouping.strict(test)  # nor from what may show the same skin in another source
            gate = _fitted(prepared, known[near & strict[known]], outliers, seed)
            mine = np.concatenate([known[~near], probe[~far]])
            novelty[mine] = gate.score(table.tested[mine])
            held[~other] = gate.score(tested[~other])
        every = {"probe": table.learnt[probe], "picture": learnt}
        unseen = {
            source: _without(prepared, source, every, seed).score(table.tested)
            for source in table.target_sources
        }
        gate = _fitted(prepared, known, every, seed)
    whole = np.isnan(novelty)  # photos of whole people, which no gate learns from
    novelty[whole] = gate.score(table.tested[whole])
    target = table.possible[:, prepared.labels.classes.index(prepared.recipe.target)]
    limit = limit_for(
        novelty[known], {prepared.recipe.target: target[known], "known": np.ones(len(known), bool)}, accepted
    )
    kinds, scenes = tuple(p.kind for p in pictures), tuple(p.group for p in pictures)
    return Shipped(gate, limit, novelty, held, kinds, scenes, unseen, tuple(missing))


def figures_of(shipped: Shipped, prepared: Prepared) -> list[Figure]:
    """What the gate refuses, for the bundle's evidence: pictures that are not skin, and each set of probes."""
    refused: dict[str, tuple[NDArray[np.bool_], list[str]]] = {
        "pictures that are not skin": (shipped.pictures > shipped.limit, list(shipped.scenes))
    }
    table = prepared.table
    for name in prepared.recipe.probes:
        rows = prepared.probe & (table.source == name)
        if rows.any():
            groups = [str(group) for group in table.grouping.group[rows]]
            refused[f"{name}, another kind of photo"] = (shipped.novelty[rows] > shipped.limit, groups)
    found = []
    for group, (hits, clusters) in refused.items():
        interval = as_interval(estimate({"x": share(hits)}, clusters)["x"])
        if interval is not None:
            found.append(Figure("refused as novel", group, interval))
    return found


def embeddings(extractor: Extractor, images: list[NDArray[np.uint8]]) -> tuple[Floats, Floats]:
    """Of images [S, S, 3]: mean of each and its mirror image [N, D], and of each as it is [N, D]."""
    tested = np.concatenate([extractor.pooled(image[None]) for image in images])
    mirrored = np.concatenate(
        [extractor.pooled(np.ascontiguousarray(image[None, :, ::-1])) for image in images]
    )
    return (tested + mirrored) / 2, tested


def _fitted(prepared: Prepared, rows: NDArray[np.int64], outliers: dict[str, Floats], seed: int) -> Gate:
    table = prepared.table
    return fit_gate(table.learnt[rows], table.tested[rows], table.grouping.group[rows], outliers, seed=seed)


def _without(prepared: Prepared, source: str, outliers: dict[str, Floats], seed: int) -> Gate:
    """The gate that learnt from no image of a source, nor from what may show the same skin elsewhere."""
    here = prepared.table.source == source
    rows = prepared.close & ~here & prepared.table.grouping.strict(here)
    return _fitted(prepared, np.flatnonzero(rows), outliers, seed)


def _dealt(groups: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    found = np.zeros(len(groups), np.int64)
    for number, (_, test) in enumerate(GroupKFold(folds).split(groups, groups=groups)):
        found[test] = number
    return found
