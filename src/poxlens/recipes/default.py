"""The default recipe: a table of images becomes a bundle with its evidence.

decode and harmonise -> features of a frozen backbone (cached) -> groups and suspects -> nested grouped
cross-validation, a source left out at a time, shortcuts -> thresholds -> final head and novelty score -> one
graph -> bundle, model card, predictions.csv.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.bundle.manifest import Figure
from poxlens.bundle.store import Bundle
from poxlens.data.manifest import Manifest
from poxlens.data.similarity import view_similarity
from poxlens.errors import TrainingError
from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.ranking import auroc
from poxlens.export.card import Story
from poxlens.files import write_atomically
from poxlens.photo.resize import InputRule
from poxlens.recipes.evidence import Rule, as_interval, figures_of
from poxlens.recipes.grouping import Grouping, Limits, find_groups
from poxlens.recipes.novelty.ship import figures_of as refusals
from poxlens.recipes.novelty.ship import gate_of
from poxlens.recipes.points import Targets, choose_points
from poxlens.recipes.predictions import Predicted, read_predictions, rows_of, write_predictions
from poxlens.recipes.protocol import (
    LeftOut,
    OutOfFold,
    Plan,
    Table,
    choose_and_fit,
    leave_source_out,
    out_of_fold,
)
from poxlens.recipes.samples import Labels, Sample, Skipped, possible_table, read_samples
from poxlens.recipes.shipping import Trained, ship
from poxlens.recipes.shortcuts import SPOILT, traits
from poxlens.recipes.steadiness import with_disturbances
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.images import Harmonise
from poxlens.train.novelty import Novelty, Subspace
from poxlens.train.stored import Stored, store_backbone
from poxlens.train.views import DUPLICATE_VIEWS, MIRROR_VIEWS, View

Floats = NDArray[np.float32]

_OTHER = "other-rash"
_OTHER_LABELS = (
    "bacterial-infection",
    "bullous",
    "eczema",
    "urticaria",
    "vascular-tumour",
    "vasculitis",
    "viral-infection",
)

LABELS = Labels(
    classes=("mpox", "chickenpox", "measles", "hfmd", "acne", _OTHER, "healthy"),
    meaning={
        **{name: (name,) for name in ("mpox", "chickenpox", "measles", "hfmd", "acne", "healthy", _OTHER)},
        **dict.fromkeys(_OTHER_LABELS, (_OTHER,)),
        "others": ("chickenpox", "measles"),  # MSLD does not tell them apart
        "normal": ("healthy",),
    },
    whole_people="normal",
)


@dataclass(frozen=True)
class Recipe:
    """All choices of a run; written to recipe.json in its folder."""

    name: str = "poxlens-default"
    version: str = "3"
    target: str = "mpox"
    networks: tuple[str, ...] = ("efficientnet-lite0@levels",)
    duplicate_network: str = "efficientnet-lite0"
    backbone_bytes: int = 0  # that large weights should not exceed; 0: all in eight bits that bear it
    rule: InputRule = field(default_factory=InputRule)
    jpeg_quality: int = 85
    weight_of_rest: float = 0.3  # importance of an image whose class is not a rash like the target's
    rashes: tuple[str, ...] = ("mpox", "chickenpox", "measles", "hfmd")
    novelty_size: int = 64
    probes: Mapping[str, int] = field(default_factory=lambda: {"ham10000": 300})
    limits: Limits = field(default_factory=Limits)
    plan: Plan = field(default_factory=Plan)
    targets: Targets = field(default_factory=Targets)


@dataclass(frozen=True)
class Where:
    """Folders and hands of a run."""

    out: Path
    weights: tuple[Path, ...] = ()
    cache: Path | None = None  # of features; out/features when None
    downloads: Path | None = None  # of weights; None forbids downloading
    workers: int = 2


class Advance(Protocol):
    """Tells a progress display that some more are done."""

    def __call__(self, count: int = 1, /) -> None:
        """`count` more are done."""


Step = Callable[[str, int], AbstractContextManager[Advance]]


def silent(name: str, total: int) -> AbstractContextManager[Advance]:
    """A progress display that shows nothing."""
    del name, total
    return nullcontext(_nothing)


def _nothing(count: int = 1, /) -> None:
    del count


@dataclass(frozen=True, eq=False)
class Prepared:
    """What every experiment of a run stands on."""

    recipe: Recipe
    labels: Labels
    samples: list[Sample]
    skipped: list[Skipped]
    backbone: Stored
    extractor: Extractor
    table: Table
    probe: NDArray[np.bool_]  # [N], samples that no head learns from

    @property
    def close(self) -> NDArray[np.bool_]:
        """[N], close-ups that heads learn from: all but photos of whole people."""
        whole = np.array([sample.label == self.labels.whole_people for sample in self.samples])
        return np.asarray(self.table.learnable & ~whole, bool)


def train(
    manifest: Manifest,
    where: Where,
    recipe: Recipe | None = None,
    *,
    labels: Labels = LABELS,
    step: Step = silent,
) -> Bundle:
    """Run the recipe; the run folder gets recipe.json, predictions.csv, skipped.csv, groups.csv and bundle/.

    Args:
        manifest: the table of images.
        where: folders.
        recipe: the choices; the defaults when None.
        labels: what the table's labels mean.
        step: progress display.

    Raises:
        TrainingError: when a class or source is too small, or nothing can be read.
        WeightsError: when pretrained weights are missing or not the published ones.
    """
    recipe = recipe or Recipe()
    labels = labels.held_by(manifest)
    where.out.mkdir(parents=True, exist_ok=True)
    prepared = prepare_run(manifest, where, recipe, labels, step)
    _write_tables(where.out, recipe, manifest, prepared)
    table, plan = prepared.table, recipe.plan
    with step("cross-validation, strict filter", _folds(table, plan)) as done:
        experiments = {"strict": out_of_fold(table, plan, done=done)}
    left_out = {}
    if len(table.target_sources) > 1:
        with step("leaving a source out", len(table.target_sources)) as done:
            for source in table.target_sources:
                left_out[source] = leave_source_out(table, plan, source, labels.classes.index(recipe.target))
                done()
    experiments |= _comparisons(prepared, step)
    with step("novelty gate", 1) as done:
        gated = _gated(prepared)
        done()
    rule = _rule(prepared, experiments["strict"], left_out, gated.limit)
    path = where.out / "predictions.csv"
    _write_predictions(path, prepared, experiments, left_out, gated)
    told = _story(prepared, left_out)
    figures = figures_of(read_predictions(path), rule, seed=plan.seed)
    figures += [*_probe_figures(prepared, gated.novelty), *gated.figures]
    with threadpool_limits(1):
        head, strength = choose_and_fit(table, plan, table.preconditioner, table.learnable)
    trained = Trained(
        recipe.name,
        recipe.version,
        recipe.rule,
        rule,
        prepared.backbone,
        head,
        strength,
        gated.gate,
        recipe.targets.alpha,
    )
    return ship(trained, figures, told, manifest.sha256, where.out / "bundle")


@dataclass(frozen=True, eq=False)
class _Gated:
    """The novelty score that ships, its limit, and what it gives images that it did not learn from."""

    gate: Novelty
    limit: float
    novelty: Floats  # [N]
    unseen: Mapping[str, Floats]  # source that holds the target -> [N], by a score that learnt nothing of it
    figures: list[Figure]


def _gated(prepared: Prepared) -> _Gated:
    """The gate that learns other kinds of photos from probes; without probes, the subspace of what is known."""
    recipe = prepared.recipe
    if prepared.probe.any():
        shipped = gate_of(prepared)
        return _Gated(
            shipped.gate, shipped.limit, shipped.novelty, shipped.unseen, refusals(shipped, prepared)
        )
    novelty = novelty_of_unseen(prepared)
    limit = float(np.quantile(novelty[prepared.close], recipe.targets.known_accepted))
    with threadpool_limits(1):
        subspace = Subspace.fit(prepared.table.learnt[prepared.close], recipe.novelty_size)
    return _Gated(subspace, limit, novelty, dict.fromkeys(prepared.table.target_sources, novelty), [])


def _rule(prepared: Prepared, strict: OutOfFold, left_out: Mapping[str, LeftOut], limit: float) -> Rule:
    """Thresholds and quantiles."""
    table, recipe, rows = prepared.table, prepared.recipe, prepared.table.learnable
    points = choose_points(
        strict.logits[:, rows].astype(np.float64),
        {name: one.logits[rows].astype(np.float64) for name, one in left_out.items()},
        table.possible[rows],
        table.source[rows],
        prepared.labels.classes,
        recipe.target,
        recipe.targets,
    )
    return Rule(prepared.labels.classes, recipe.target, points, limit)


def _write_predictions(
    path: Path,
    prepared: Prepared,
    experiments: Mapping[str, OutOfFold],
    left_out: Mapping[str, LeftOut],
    gated: _Gated,
) -> None:
    table = prepared.table
    rows = rows_of(prepared.samples, table.grouping.group, gated.novelty.astype(np.float64), table.possible)
    predicted = {
        name: Predicted(rows, found.logits.astype(np.float64), found.fold.astype(np.int64))
        for name, found in experiments.items()
    }
    for name, one in left_out.items():
        folds = np.zeros((1, len(one.logits)), np.int64)
        strangers = replace(rows, novelty=gated.unseen[name].astype(np.float64))
        predicted[f"left out: {name}"] = Predicted(strangers, one.logits[None].astype(np.float64), folds)
    write_predictions(path, predicted, prepared.labels.classes)


def prepare_run(
    manifest: Manifest, where: Where, recipe: Recipe, labels: Labels = LABELS, step: Step = silent
) -> Prepared:
    """Images, features and groups of a run, from the cache where it has them."""
    side = recipe.rule.size  # weights first: what is missing should not show after minutes of reading
    network = load_backbone(recipe.networks, where.weights, cache=where.downloads)
    backbone = store_backbone(network, side=side, most_bytes=recipe.backbone_bytes)
    alone = load_backbone((recipe.duplicate_network,), where.weights, cache=where.downloads)
    harmonise = Harmonise(recipe.rule, recipe.jpeg_quality)
    with step("reading images", len(manifest.rows)) as done:
        samples, skipped = read_samples(
            manifest, labels, harmonise, probes=recipe.probes, workers=where.workers, advance=done
        )
    sources = sorted({s.row.dataset for s in samples if recipe.target in s.possible})
    if not sources:
        raise TrainingError(f'images of "{recipe.target}" are not in the table')
    if len(labels.classes) < 2:
        raise TrainingError(f'all images are of "{recipe.target}": there is nothing to tell it from')
    cache = FeatureCache(where.cache or where.out / "features")
    extractor = Extractor(backbone, cache)
    single = store_backbone(alone, side=side)
    with step("features", len(samples)) as done:
        features = _features(extractor, samples, MIRROR_VIEWS, where, done)
    with step("features for near-duplicates", len(samples)) as done:
        views = _features(Extractor(single, cache), samples, DUPLICATE_VIEWS, where, done)
    grouping = find_groups(samples, view_similarity(views), recipe.target, recipe.limits)
    possible = possible_table(samples, labels.classes)
    source = np.array([sample.row.dataset for sample in samples])
    table = Table(
        learnt=features.mean(1),
        tested=features[:, 0],
        possible=possible,
        stratum=np.array([f"{sample.row.dataset}: {sample.row.label}" for sample in samples]),
        source=source,
        weight=_weights(possible, recipe, labels),
        grouping=grouping,
        target_sources=tuple(sources),
    )
    if recipe.plan.steadiness > 0:
        images = [sample.image for sample in samples]
        table = with_disturbances(table, images, network, backbone, cache, step, workers=where.workers)
    probe = np.asarray(~possible.any(1), bool)
    return Prepared(recipe, labels, samples, skipped, backbone, extractor, table, probe)


def novelty_of_unseen(prepared: Prepared) -> NDArray[np.float32]:
    """[N] novelty of each sample by a subspace that never saw its source; probes by one of all sources."""
    table, size = prepared.table, prepared.recipe.novelty_size
    close = prepared.close
    found = np.zeros(len(close), np.float32)
    for source in np.unique(table.source):
        here = table.source == source
        rows = close & ~here if (close & ~here).sum() > size else close
        found[here] = Subspace.fit(table.learnt[rows], size).score(table.tested[here])
    return found


def _comparisons(prepared: Prepared, step: Step) -> dict[str, OutOfFold]:
    """The looser filters and the shortcuts, on the sources that hold the target, with the same plan."""
    table, grouping = prepared.table, prepared.table.grouping
    plan = replace(prepared.recipe.plan, repeats=min(3, prepared.recipe.plan.repeats))
    fixed = replace(plan, strengths=(sorted(plan.strengths)[len(plan.strengths) // 2],))
    only = table.target_sources
    count = plan.repeats * plan.folds * len(only)
    found = {}
    with step("comparison: looser filters", 3 * count) as done:
        found["grouped filter"] = out_of_fold(table, fixed, keep=grouping.grouped, only=only, done=done)
        found["loose filter"] = out_of_fold(table, fixed, keep=grouping.lenient, only=only, done=done)
        found["random filter"] = out_of_fold(
            table, fixed, keep=_random_filter(grouping), only=only, done=done
        )
    spoilt = {name: _spoilt_features(prepared, change) for name, change in SPOILT.items()}
    spoilt["colour, sharpness and JPEG traits"] = np.stack(
        [traits(sample.image) for sample in prepared.samples]
    )
    with step("comparison: shortcuts", len(spoilt) * count) as done:
        for name, features in spoilt.items():
            changed = replace(table, learnt=features, tested=features, disturbed=None)
            found[f"shortcut: {name}"] = out_of_fold(changed, fixed, only=only, done=done)
    return found


def _random_filter(grouping: Grouping) -> Callable[[NDArray[np.bool_]], NDArray[np.bool_]]:
    """As loose, with as many images taken out at random as the strict filter takes out."""

    def keep(test: NDArray[np.bool_]) -> NDArray[np.bool_]:
        loose, strict = grouping.lenient(test), grouping.strict(test)
        spare = np.flatnonzero(loose)
        drop = max(0, len(spare) - int(strict.sum()))
        chosen = np.random.default_rng(int(test.sum())).choice(spare, drop, replace=False)
        loose[chosen] = False
        return loose

    return keep


def _spoilt_features(
    prepared: Prepared, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> NDArray[np.float32]:
    images = (change(sample.image) for sample in prepared.samples)
    return prepared.extractor.table(images, (View(),))[:, 0]


def _features(
    extractor: Extractor,
    samples: list[Sample],
    views: tuple[View, ...],
    where: Where,
    done: Advance,
) -> NDArray[np.float32]:
    images = (sample.image for sample in samples)
    return extractor.table(images, views, workers=where.workers, advance=done)


def _weights(possible: NDArray[np.bool_], recipe: Recipe, labels: Labels) -> NDArray[np.float32]:
    rash = possible[:, [labels.classes.index(name) for name in recipe.rashes if name in labels.classes]].any(
        1
    )
    return np.where(rash, 1.0, recipe.weight_of_rest).astype(np.float32)


def _folds(table: Table, plan: Plan) -> int:
    return plan.repeats * plan.folds * len(table.blocks())


def _write_tables(out: Path, recipe: Recipe, manifest: Manifest, prepared: Prepared) -> None:
    """recipe.json, skipped.csv and groups.csv: what was chosen, left out, and held together."""
    told = {
        "recipe": asdict(recipe),
        "data_sha256": manifest.sha256,
        "groups_sha256": manifest.groups_sha256,
        "images": len(manifest.rows),
        "samples": len(prepared.samples),
        "skipped": len(prepared.skipped),
        "backbone_bytes": len(prepared.backbone.model),
        "eight_bit_weights": len(prepared.backbone.eight_bit),
    }
    write_atomically(out / "recipe.json", json.dumps(told, indent=2) + "\n")
    skipped = [(one.file, one.reason) for one in prepared.skipped]
    _write_csv(out / "skipped.csv", ("file", "reason"), skipped)
    group = prepared.table.grouping.group
    whole = [i for i, sample in enumerate(prepared.samples) if sample.patch is None]
    groups = [(prepared.samples[i].row.file, group[i]) for i in whole]
    _write_csv(out / "groups.csv", ("file", "group"), groups)


def _write_csv(path: Path, names: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(names)
    table.writerows(rows)
    write_atomically(path, buffer.getvalue())


def _story(prepared: Prepared, left_out: Mapping[str, LeftOut]) -> Story:
    """What the card tells of the data and the protocol, counted from the run."""
    table, labels = prepared.table, prepared.labels
    counts: dict[tuple[str, str, str], int] = {}
    for sample in prepared.samples:
        if sample.possible:
            key = (" or ".join(sample.possible), sample.row.dataset, sample.label)
            counts[key] = counts.get(key, 0) + 1
    suspects = int(np.triu(table.grouping.suspect & (table.source[:, None] != table.source[None])).sum())
    return Story(
        counts=counts,
        networks=prepared.recipe.networks,
        groups=len(np.unique(table.grouping.group[table.learnable])),
        suspects=suspects,
        skipped=len(prepared.skipped),
        plan=prepared.recipe.plan,
        left_out={name: (one.images, one.groups) for name, one in left_out.items()},
        eight_bit=len(prepared.backbone.eight_bit),
        whole_people=labels.whole_people,
        steadiness=0.0 if table.disturbed is None else prepared.recipe.plan.steadiness,
    )


def _probe_figures(prepared: Prepared, novelty: NDArray[np.float32]) -> list[Figure]:
    """How well novelty tells the probes (images of another kind) from close-ups of sources never seen."""
    known = prepared.table.learnable
    found = []
    for name in prepared.recipe.probes:
        probe = prepared.probe & (prepared.table.source == name)
        if probe.any():
            rows = known | probe
            group = prepared.table.grouping.group[rows].tolist()
            value = estimate({"x": auroc(novelty[rows], probe[rows])}, group)["x"]
            interval = as_interval(value)
            if interval:
                found.append(Figure("novelty AUROC", f"{name} against known classes", interval))
    return found
