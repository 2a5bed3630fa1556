"""The paper's own protocol on our images: Data_C, made of copies, then split without a look at them. **It leaks.**

Section 6.2: the five scarce classes are augmented, 3,100 images become 4,831, and all are dealt 8:2 to training and
test. A copy of almost every test photo is then learnt from. It is run to show what that adds, and every output of it
says that it leaks.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from poxlens.errors import ManifestError, TrainingError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.aism.arms import Said
from poxlens.recipes.aism.material import Material
from poxlens.recipes.aism.probe import frozen_features, probe
from poxlens.recipes.aism.study import Arm, Leak, Study
from poxlens.recipes.aism.units import slug_of, start_of
from poxlens.recipes.compare.folds import Fold
from poxlens.recipes.default import Where
from poxlens.train.supervised.augmenting import augment
from poxlens.train.supervised.classifier import classifier
from poxlens.train.supervised.curves import write_curves
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.training import Hooks, Labelled, Training

Ints = NDArray[np.int64]
FILE = "data-c-leaks.csv"
NAME = "Data_C (leaks)"
_PROBABILITY = 0.5  # of each augmentation of a copy; the paper says "random"


@dataclass(frozen=True, eq=False)
class DataC:
    """Images and copies, and their deal."""

    image: Ints  # [U], place in the study's images
    copy: Ints  # [U], 0: the image itself
    train: Ints  # places in the above
    validation: Ints  # dealt from the training part as carelessly as the test part
    test: Ints


def deal(leak: Leak, truth: Ints, classes: tuple[str, ...], seed: int) -> DataC:
    """Copies of the scarce classes and a stratified split that takes no note of them.

    Args:
        leak: how many, and of which classes.
        truth: [N], class numbers.
        classes: names of all.
        seed: of the split.

    Raises:
        TrainingError: a class has too few images for three parts.
    """
    image, copy = [np.arange(len(truth))], [np.zeros(len(truth), np.int64)]
    for name in leak.copied:
        own = np.flatnonzero(truth == classes.index(name))
        wanted = max(0, leak.size - len(own))
        image.append(np.resize(own, wanted) if len(own) else own)
        copy.append(1 + np.arange(wanted) // max(1, len(own)))
    places, copies = np.concatenate(image), np.concatenate(copy).astype(np.int64)
    label = truth[places]
    try:
        train, test = train_test_split(
            np.arange(len(places)), test_size=leak.tested, stratify=label, random_state=seed
        )
        train, validation = train_test_split(train, test_size=0.1, stratify=label[train], random_state=seed)
    except ValueError as fault:
        raise TrainingError(f"Data_C cannot be dealt: {fault}") from fault
    return DataC(places, copies, np.sort(train), np.sort(validation), np.sort(test))


def copied(images: NDArray[np.uint8], data: DataC, seed: int) -> NDArray[np.uint8]:
    """[U, S, S, 3]: each image, and its augmented copies."""
    found = images[data.image]
    draws = torch.Generator().manual_seed(seed)
    for at in np.flatnonzero(data.copy > 0):
        planes = torch.from_numpy(found[at : at + 1]).permute(0, 3, 1, 2)
        found[at] = (
            augment(planes, _PROBABILITY, draws).round().to(torch.uint8).permute(0, 2, 3, 1)[0].numpy()
        )
    return found


def run_leak(
    study: Study, material: Material, where: Where, base: Path, ranks: Ranks, *, until: float, hooks: Hooks
) -> bool:
    """Train and test every arm of the leaking protocol; whether all were finished.

    Raises:
        PoxlensError: as for any arm.
    """
    asked = study.leak
    if asked is None:
        return True
    data = deal(asked, material.cases.truth, material.cases.classes, study.protocol.seed)
    ended = True
    for name in asked.arms:
        arm = next(one for one in study.arms if one.name == name)
        out = folder_of(where.out, name)
        key = _key(study, asked, arm, material, data, base)
        if not _done(out, key):
            if ranks.agreed(time.monotonic() >= until):
                return False
            told = _told(study, arm, material, data, where, base, ranks, until=until, hooks=hooks)
            if told is None:
                ended = False
            elif ranks.first:
                write_atomically(out / FILE, _text(material, data, told))
                write_atomically(out / "done.json", json.dumps({"key": key}) + "\n")
                (out / "checkpoint.pt").unlink(missing_ok=True)
    return ended


def folder_of(out: Path, arm: str) -> Path:
    """Where an arm's leaking run is kept, in a run folder."""
    return out / "leak" / slug_of(arm, 1.0, 1)


def _told(
    study: Study,
    arm: Arm,
    material: Material,
    data: DataC,
    where: Where,
    base: Path,
    ranks: Ranks,
    *,
    until: float,
    hooks: Hooks,
) -> NDArray[np.float32] | None:
    """Probabilities of the test rows; None where time ran out."""
    seed, cases = study.protocol.seed, material.cases
    images, truth = copied(material.images[study.side(arm)], data, seed), cases.truth[data.image]
    settings = study.recipe(arm)
    network = classifier(
        arm.network,
        arm.start if arm.published else base / arm.start,
        len(cases.classes),
        side=study.side(arm),
        dropout=settings.dropout,
        seed=seed,
        folders=where.weights,
        cache=where.downloads,
    )
    if arm.layers == "head":
        features = frozen_features(network, images, ranks.device)
        fold = Fold(0, 0, data.train, data.validation, data.test)
        return probe(features, truth, fold, len(cases.classes), seed)
    out = folder_of(where.out, arm.name)
    training = Training(
        network,
        Labelled(images[data.train], truth[data.train]),
        Labelled(images[data.validation], truth[data.validation]),
        settings,
        out / "checkpoint.pt",
        seed=seed,
        ranks=ranks,
        hooks=hooks,
    )
    ended = training.run(until=until)
    if ranks.first:
        write_curves(out / "curves.csv", training.history)
    return training.probabilities(images[data.test]) if ended else None


def read_leak(path: Path, arm: str) -> tuple[Said, float, float]:
    """What was said of the tested images and copies, and how much of it had been seen.

    Args:
        path: FILE, which may be gzipped.
        arm: whose.

    Returns:
        The probabilities; the share of test rows of whose photo another copy was learnt from; and of whose group any
        photo was.

    Raises:
        ManifestError: the file is not one of `run_leak`.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        classes = [name for name in rows[0] if name.startswith("p_")]
        values = np.array([[float(row[name]) for name in classes] for row in rows])
        truth = np.array([classes.index("p_" + row["label"]) for row in rows], np.int64)
        files = np.array([f"{row['file']}#{row['copy']}" for row in rows])
        groups = np.array([row["group"] for row in rows])
        photo, group = (
            float(np.mean([row[name] == "yes" for row in rows])) for name in ("photo_seen", "group_seen")
        )
    except (OSError, EOFError, ValueError, KeyError, IndexError) as fault:
        raise ManifestError(f"{path}: is no table of the leaking protocol: {fault}") from fault
    return (
        Said(f"{arm}, {NAME}", 1.0, files, groups, np.ones(len(rows), np.int64), truth, values, values),
        photo,
        group,
    )


def _text(material: Material, data: DataC, told: NDArray[np.float32]) -> str:
    cases = material.cases
    group = cases.groups.of[data.image]
    learnt = np.concatenate([data.train, data.validation])
    photo_seen = np.isin(data.image[data.test], data.image[learnt])
    group_seen = np.isin(group[data.test], group[learnt])
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    head = ("protocol", "file", "copy", "group", "label", "photo_seen", "group_seen")
    writer.writerow((*head, *(f"p_{name}" for name in cases.classes)))
    for at, values, photo, any_of in zip(data.test.tolist(), told, photo_seen, group_seen, strict=True):
        row = cases.rows[int(data.image[at])]
        name = cases.groups.names[int(group[at])]
        seen = ("yes" if flag else "no" for flag in (photo, any_of))
        cells = (NAME, row.file, int(data.copy[at]), name, row.label, *seen)
        writer.writerow((*cells, *(f"{float(value):.6f}" for value in values)))
    return stream.getvalue()


def _key(study: Study, asked: Leak, arm: Arm, material: Material, data: DataC, base: Path) -> str:
    told = [
        start_of(arm, base),
        asked.model_dump(mode="json", exclude={"arms"}),
        arm.model_dump(mode="json", exclude={"shares", "folds"}),
        sorted(asdict(study.recipe(arm)).items()),
        study.protocol.seed,
        material.digests[study.side(arm)],
        data.test.tolist(),
    ]
    return sha256_bytes(json.dumps(told).encode())


def _done(out: Path, key: str) -> bool:
    try:
        return bool(
            json.loads((out / "done.json").read_text("utf-8"))["key"] == key and (out / FILE).is_file()
        )
    except (OSError, ValueError, KeyError):
        return False
