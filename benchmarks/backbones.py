"""Which networks to put side by side: accuracy of the default recipe's head on each choice of backbone.

    python -m benchmarks.backbones --data ../shared/data --weights ../shared/weights --cache runs/features

Every choice goes through the recipe's own protocol (strict filter, grouped folds, the same seeds) with the penalty
fixed, and is tested on the sources that hold mpox. Prints a Markdown table and writes --json.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from poxlens.bundle.fields import plain
from poxlens.bundle.manifest import Interval
from poxlens.data.manifest import read_manifest
from poxlens.data.splits.units import with_groups
from poxlens.errors import WeightsError
from poxlens.evaluate.conformal import ClassQuantile
from poxlens.recipes.default import Prepared, Recipe, Where, prepare_run
from poxlens.recipes.evidence import Rule, figures_of, part_of
from poxlens.recipes.points import Points, temperature_of
from poxlens.recipes.predictions import Predicted, rows_of
from poxlens.recipes.protocol import Plan, out_of_fold
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.stored import store_backbone
from poxlens.train.views import MIRROR_VIEWS

CHOICES = (
    ("mobilenet-v3-small",),
    ("mobilenet-v2",),
    ("efficientnet-lite0",),
    ("efficientnet-lite0@levels",),
    ("efficientnet-lite2",),
    ("efficientnet-lite2@levels",),
    ("efficientnet-lite0", "mobilenet-v3-small"),
    ("mobilenet-v3-small", "mobilenet-v2"),
    ("efficientnet-lite0", "mobilenet-v3-small", "mobilenet-v2"),
    ("efficientnet-lite2", "mobilenet-v3-small", "mobilenet-v2"),
    ("efficientnet-lite0", "efficientnet-lite2", "mobilenet-v3-small", "mobilenet-v2"),
)
WANTED = (
    ("accuracy", "msld rashes, strict filter"),
    ("AUROC", "msld rashes, strict filter"),
    ("macro F1", "msid 4 classes, strict filter"),
    ("AUROC", "strict filter"),
)
"""Name and group of the figures to print."""


def main() -> None:
    """Run all choices."""
    parser = options(__doc__ or "")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--networks", nargs="+", action="append", help="one choice instead of all; several times for several"
    )
    told = parser.parse_args()
    plan = replace(Recipe().plan, strengths=(0.01,), repeats=told.repeats, jobs=told.jobs)
    prepared = prepared_from(told, Recipe())
    where = where_of(told)
    print("| networks | MB | " + " | ".join(f"{name}, {group}" for name, group in WANTED) + " |")
    print("|---" * (2 + len(WANTED)) + "|")
    found = []
    for networks in [tuple(one) for one in told.networks or ()] or CHOICES:
        try:
            size, figures = tried(networks, prepared, plan, where)
        except WeightsError as fault:
            print(f"| {' + '.join(networks)} | not run: {fault} |", flush=True)
            continue
        cells = [
            f"{i.value:.3f} ({i.low:.3f} to {i.high:.3f})" for i in (figures[wanted] for wanted in WANTED)
        ]
        print(f"| {' + '.join(networks)} | {size / 1e6:.1f} | {' | '.join(cells)} |", flush=True)
        told_figures = {", ".join(wanted): plain(figures[wanted]) for wanted in WANTED}
        found.append({"networks": networks, "bytes_half_precision": size, **told_figures})
    if told.json:
        told.json.write_text(json.dumps(found, indent=2) + "\n")


def options(told: str) -> argparse.ArgumentParser:
    """Where the images, weights and features are, and how many hands to use."""
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, action="append", default=[])
    parser.add_argument("--groups", type=Path, help="CSV file,group, as results/duplicates/groups.csv")
    parser.add_argument("--cache", type=Path, default=Path("runs/features"))
    parser.add_argument("--jobs", type=int, default=2)
    return parser


def where_of(told: argparse.Namespace) -> Where:
    """The folders that `options` named."""
    return Where(told.cache.parent, tuple(told.weights), told.cache, workers=told.jobs)


def prepared_from(told: argparse.Namespace, recipe: Recipe) -> Prepared:
    """Images, features and groups of the table that `options` named."""
    table = read_manifest(told.data / "manifest.csv")
    return prepare_run(with_groups(table, told.groups) if told.groups else table, where_of(told), recipe)


def tried(
    networks: tuple[str, ...], prepared: Prepared, plan: Plan, where: Where
) -> tuple[int, dict[tuple[str, str], Interval]]:
    """Bytes of the backbone in half precision, and figures by name and group."""
    table, classes = prepared.table, prepared.labels.classes
    backbone = store_backbone(load_backbone(networks, where.weights), most_bytes=10**9)
    images = (sample.image for sample in prepared.samples)
    extractor = Extractor(backbone, FeatureCache(where.cache) if where.cache else None)
    features = extractor.table(images, MIRROR_VIEWS, workers=where.workers)
    chosen = replace(table, learnt=features.mean(1), tested=features[:, 0])
    tested = out_of_fold(chosen, plan, only=table.target_sources)
    rows = rows_of(prepared.samples, table.grouping.group, np.zeros(len(features)), table.possible)
    predicted = part_of(
        Predicted(rows, tested.logits.astype(np.float64), tested.fold.astype(np.int64)), tested.tested
    )
    temperature = temperature_of(predicted.logits, predicted.rows.possible)
    points = Points(
        temperature, 0.1, 0.9, (ClassQuantile(1.0, 0),) * len(classes)
    )  # ranking alone is asked for
    figures = figures_of({"strict": predicted}, Rule(classes, prepared.recipe.target, points, 1.0))
    return len(backbone.model), {(figure.name, figure.group): figure.interval for figure in figures}


if __name__ == "__main__":
    main()
