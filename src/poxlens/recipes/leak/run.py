"""The leak, shown: the same heads on the same images under the field's common protocol and under honest ones.

decode and harmonise -> augmented copies -> features of a frozen backbone (cached) -> heads under each protocol
-> one predictions file a protocol -> every figure from those files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import PhotoError, TrainingError
from poxlens.files import sha256_file
from poxlens.photo.decode import decode
from poxlens.recipes.default import Advance, Step, Where, silent
from poxlens.recipes.leak.collection import choose_rows, collect
from poxlens.recipes.leak.network import NAME
from poxlens.recipes.leak.predictions import Tested, write_tested
from poxlens.recipes.leak.protocols import Collection, Units
from poxlens.recipes.leak.tasks import Floats, Plan, Result, Task, compute
from poxlens.recipes.samples import Skipped
from poxlens.train.backbones import load_backbone
from poxlens.train.copies import augmented
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.images import Harmonise
from poxlens.train.stored import store_backbone
from poxlens.train.views import View

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Run:
    """What a run leaves behind."""

    plan: Plan
    collection: Collection
    skipped: tuple[Skipped, ...]
    data_sha256: str  # of the table of images
    files: dict[str, Path]  # protocol -> predictions


def run(manifest: Manifest, where: Where, plan: Plan, groups: dict[str, str], *, step: Step = silent) -> Run:
    """Run every protocol; OUT gets predictions-PROTOCOL.csv.gz, and parts/ to resume from.

    Args:
        manifest: the table of images.
        where: folders and hands.
        plan: the choices.
        groups: file -> near-duplicate group; may be empty.
        step: progress display.

    Raises:
        TrainingError: nothing can be read, or a class is too small.
        WeightsError: pretrained weights are missing.
    """
    rows, named, classes = choose_rows(manifest, plan.dataset, plan.others, plan.target, binary=plan.binary)
    backbone = load_backbone((plan.network,), where.weights, cache=where.downloads)
    stored = store_backbone(backbone, side=plan.rule.size)
    extractor = Extractor(stored, FeatureCache(where.cache or where.out / "features"))
    harmonise = Harmonise(plan.rule)
    with step("reading images", len(rows)) as done:
        images, skipped = _read(rows, harmonise, done)
    kept = [place for place, image in enumerate(images) if image is not None]
    if not kept:
        raise TrainingError(f"none of the {len(rows)} images can be read from {manifest.root}")
    pictures = [image for image in images if image is not None]
    collection = collect(
        [rows[place] for place in kept], [named[place] for place in kept], classes, groups, plan.dataset
    )
    with step("features of images and copies", len(kept) * (plan.copies + 1)) as done:
        every = (unit for picture in pictures for unit in copies_of(picture, plan, harmonise))
        features = extractor.table(every, (View(),), workers=where.workers, advance=done)[:, 0]
    tested = experiment(collection, features, plan, where, step=step)
    if plan.tuning:
        tuning = plan.tuning
        small = np.stack([tuning.shrink(u) for p in pictures for u in copies_of(p, plan, harmonise)])
        tested += tune(collection, small, plan, where, step=step)
    files = write_tested(where.out, tested)
    return Run(plan, collection, tuple(skipped), manifest.sha256, files)


def copies_of(image: Pixels, plan: Plan, harmonise: Harmonise) -> Iterator[Pixels]:
    """The image itself and its augmented copies, each compressed once more as a shipped copy would be."""
    yield image
    for number in range(1, plan.copies + 1):
        yield harmonise.compressed(augmented(image, number, seed=plan.seed, ranges=plan.ranges))


def experiment(
    collection: Collection, features: Floats, plan: Plan, where: Where, *, step: Step = silent
) -> list[Tested]:
    """Every head under every protocol and number of copies.

    Args:
        collection: N images.
        features: [N * (copies + 1), D], of each image and its copies side by side.
        plan: the choices.
        where: the folder `out`/parts keeps finished tasks.
        step: progress display.

    Raises:
        TrainingError: a class has too few images or groups.
    """
    tasks = [Task(name, plan.copies, r) for name in plan.protocols for r in range(plan.repeats)]
    numbers = sorted({number for number in plan.fewer if number < plan.copies})
    for number in numbers:
        repeats = range(min(plan.repeats, plan.fewer_repeats))
        tasks += [Task(name, number, r) for name in ("common", "grouped") for r in repeats]
    with step("heads under each protocol", len(tasks)) as done:
        found = compute(tasks, collection, features, plan, where, done)
    return _gathered(collection, tasks, found, plan.heads)


def tune(
    collection: Collection, images: Pixels, plan: Plan, where: Where, *, step: Step = silent
) -> list[Tested]:
    """The fine-tuned network under the first three protocols, once; arguments as in `experiment`.

    Args:
        collection: N images.
        images: [N * (copies + 1), S, S, 3] uint8, small.
        plan: with `tuning`.
        where: folders of weights and parts.
        step: progress display.
    """
    tasks = [Task(name, plan.copies, 0, network=True) for name in ("common", "image", "grouped")]
    with step("fine-tuning a network under each protocol", len(tasks)) as done:
        found = compute(tasks, collection, images, plan, where, done)
    return _gathered(collection, tasks, found, (NAME,))


def _gathered(
    collection: Collection,
    tasks: Sequence[Task],
    found: Sequence[Result],
    heads: Sequence[str],
) -> list[Tested]:
    gathered = []
    for protocol, copies in dict.fromkeys((task.protocol, task.copies) for task in tasks):
        some = [
            result
            for task, result in zip(tasks, found, strict=True)
            if (task.protocol, task.copies) == (protocol, copies)
        ]
        units = Units.of(collection, copies)
        rows = some[0][0] >= 0
        image = units.image[rows]
        gathered += [
            Tested(
                head=head,
                copies=copies,
                protocol=protocol,
                classes=collection.classes,
                file=np.array(collection.files)[image],
                copy=units.copy[rows],
                group=collection.group[image].astype(np.str_),
                label=collection.label[image],
                fold=np.stack([fold[rows] for fold, _ in some]),
                probability=np.stack([shares[place][rows] for _, shares in some]).astype(np.float64),
            )
            for place, head in enumerate(heads)
        ]
    return gathered


def _read(
    rows: Sequence[Row], harmonise: Harmonise, advance: Advance
) -> tuple[list[Pixels | None], list[Skipped]]:
    images: list[Pixels | None] = []
    skipped: list[Skipped] = []
    for row in rows:
        try:
            if row.sha256 and row.path.is_file() and sha256_file(row.path) != row.sha256:
                raise PhotoError("unreadable.changed", "its SHA-256 is not the one in the table")
            images.append(harmonise.image(decode(row.path).pixels, row.dataset))
        except PhotoError as fault:
            images.append(None)
            skipped.append(Skipped(row.file, f"{fault.reason}: {fault}"))
        advance()
    return images, skipped
