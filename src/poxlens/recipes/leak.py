"""The leak, shown: the same heads on the same images under the field's common protocol and under honest ones.

decode and harmonise -> augmented copies -> features of a frozen backbone (cached) -> heads under each protocol
-> one predictions file a protocol -> every figure from those files.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.data.manifest import Manifest, Row
from poxlens.errors import PhotoError, TrainingError
from poxlens.files import sha256_bytes, sha256_file, write_atomically
from poxlens.photo.decode import decode
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import Advance, Step, Where, silent
from poxlens.recipes.leak_collection import choose_rows, collect
from poxlens.recipes.leak_heads import HEADS, Reduction
from poxlens.recipes.leak_network import NAME, Tuning, fine_tune
from poxlens.recipes.leak_predictions import Tested, write_tested
from poxlens.recipes.leak_protocols import Collection, Units, folds_of
from poxlens.recipes.samples import Skipped
from poxlens.train.augmented import Ranges, augmented
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.images import Harmonise
from poxlens.train.stored import store_backbone
from poxlens.train.views import View

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Inputs = NDArray[Any]  # features, or images of the network that is fine-tuned


@dataclass(frozen=True)
class Plan:
    """All choices of a run; written to metrics.json."""

    dataset: str | None = None  # tested; None: the whole table
    others: tuple[str, ...] = ()  # data sets that "merged" and "strict" learn from as well
    target: str = "mpox"
    binary: bool = False
    copies: int = 13
    fewer: tuple[int, ...] = (0, 1, 2, 4, 8)  # other numbers of copies, for "common" and "grouped"
    network: str = "efficientnet-lite0"
    heads: tuple[str, ...] = tuple(HEADS)
    repeats: int = 5
    fewer_repeats: int = 2  # of the runs with fewer copies
    folds: int = 5
    seed: int = 0
    rule: InputRule = field(default_factory=InputRule)
    ranges: Ranges = field(default_factory=Ranges)
    tuning: Tuning | None = None  # also fine-tune a whole network, one repeat

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that are run."""
        return ("common", "image", "grouped", *(("merged", "strict") if self.others else ()))


@dataclass(frozen=True, eq=False)
class Run:
    """What a run leaves behind."""

    plan: Plan
    collection: Collection
    skipped: tuple[Skipped, ...]
    data_sha256: str  # of the table of images
    files: dict[str, Path]  # protocol -> predictions


@dataclass(frozen=True)
class Task:
    """One protocol, once: all its folds under all heads (or under the fine-tuned network)."""

    protocol: str
    copies: int
    repeat: int
    network: bool = False


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
    key = _digest(collection, features, plan)
    folder = where.out / "parts"
    jobs = (delayed(_kept)(folder, key(task), task, collection, features, plan) for task in tasks)
    found = []
    with step("heads under each protocol", len(tasks)) as done:
        for shares in Parallel(n_jobs=where.workers, return_as="generator")(jobs):
            found.append(shares)
            done()
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
    key = _digest(collection, images, plan)
    found = []
    with step("fine-tuning a network under each protocol", len(tasks)) as done:
        for task in tasks:
            found.append(_kept(where.out / "parts", key(task), task, collection, images, plan, where.weights))
            done()
    return _gathered(collection, tasks, found, (NAME,))


def _kept(
    folder: Path,
    key: str,
    task: Task,
    collection: Collection,
    inputs: Inputs,
    plan: Plan,
    weights: tuple[Path, ...] = (),
) -> tuple[NDArray[np.int64], Floats]:
    """Fold [U] (-1: not tested) and scores [H, U, C] of one task, from disk where they are there."""
    name = f"{task.protocol}-{task.copies}-{task.repeat}{'-network' if task.network else ''}-{key[:16]}.npz"
    try:
        with np.load(folder / name, allow_pickle=False) as stored:
            return stored["fold"], stored["shares"]
    except Exception:  # missing, or of any kind of damage: computed again
        pass
    with threadpool_limits(1 if not task.network else None):
        fold, shares = _compute(task, collection, inputs, plan, weights)
    buffer = io.BytesIO()
    np.savez(buffer, fold=fold, shares=shares)
    write_atomically(folder / name, buffer.getvalue())
    return fold, shares


def _compute(
    task: Task, collection: Collection, inputs: Inputs, plan: Plan, weights: tuple[Path, ...]
) -> tuple[NDArray[np.int64], Floats]:
    units = Units.of(collection, task.copies)
    chosen = inputs.reshape(len(collection.files), plan.copies + 1, *inputs.shape[1:])[:, : task.copies + 1]
    part = chosen.reshape(-1, *inputs.shape[1:])
    label = collection.label[units.image]
    heads, classes = (1 if task.network else len(plan.heads)), len(collection.classes)
    fold = np.full(len(label), -1, np.int64)
    shares = np.zeros((heads, len(label), classes), np.float32)
    seed = plan.seed + 1000 * task.repeat
    for number, one in enumerate(folds_of(collection, task.protocol, task.copies, plan.folds, seed)):
        fold[one.test] = number
        train, test, truth = part[one.train], part[one.test], label[one.train]
        if plan.tuning and task.network:
            found = [fine_tune(train, truth, test, classes, plan.tuning, weights, seed + number)]
        else:
            found = _heads(train, truth, test, classes, task.copies, plan.heads)
        shares[:, one.test] = np.stack(found)
    return fold, shares


def _heads(
    train: Inputs, label: NDArray[np.int64], test: Inputs, classes: int, copies: int, heads: Sequence[str]
) -> list[Floats]:
    reduce = Reduction(train)
    learnt, asked = reduce(train), reduce(test)
    weight = np.full(len(learnt), 1 / (copies + 1), np.float32)
    return [HEADS[name][0](learnt, label, weight, asked, classes) for name in heads]


def _gathered(
    collection: Collection,
    tasks: Sequence[Task],
    found: Sequence[tuple[NDArray[np.int64], Floats]],
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


def _digest(collection: Collection, inputs: Inputs, plan: Plan) -> Callable[[Task], str]:
    """Task -> digest of everything else that its result depends on."""
    told = {
        "files": collection.files,
        "label": collection.label.tolist(),
        "tested": collection.tested.tolist(),
        "heads": plan.heads,
        "folds": plan.folds,
        "seed": plan.seed,
        "tuning": None if plan.tuning is None else asdict(plan.tuning),
        "inputs": sha256_bytes(np.ascontiguousarray(inputs).tobytes()),
    }

    def digest(task: Task) -> str:
        # Splits that know no groups stay as they are when a better table of groups comes.
        group = [] if task.protocol in ("common", "image") else collection.group.tolist()
        # The heads of a task do not see how a network is tuned, nor the other way about.
        blind = "heads" if task.network else "tuning"
        return sha256_bytes(json.dumps({**told, blind: None, "group": group}).encode())

    return digest


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
