"""One training of one arm on one fold: trained in pieces, and kept once it is finished."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from poxlens.errors import WeightsError
from poxlens.evaluate.calibration import fit_temperature
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.aism.material import Material
from poxlens.recipes.aism.probe import frozen_features, probe, settle
from poxlens.recipes.aism.study import Arm, Study
from poxlens.recipes.compare.folds import Fold
from poxlens.recipes.default import Where
from poxlens.train.contrastive.encoder import encoder_file_sha256
from poxlens.train.contrastive.pool import check_unseen
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.supervised.classifier import RANDOM, classifier
from poxlens.train.supervised.curves import EventLog, write_curves
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.settings import Settings
from poxlens.train.supervised.training import Hooks, Labelled, Training

Floats = NDArray[np.float32]
NETWORK = "network.safetensors"
_LEAST = 1e-12  # probability whose logarithm is still taken


@dataclass(frozen=True)
class Unit:
    """One training."""

    arm: Arm
    share: float
    fold: Fold
    number: int  # of the fold, counted from 1
    settings: Settings

    @property
    def name(self) -> str:
        """As it is told."""
        return f"{self.arm.name}, {self.share:.0%} of the labels, fold {self.number}"

    @property
    def slug(self) -> str:
        """Its folder."""
        return slug_of(self.arm.name, self.share, self.number)


@dataclass(frozen=True, eq=False)
class Result:
    """What a unit left."""

    unit: Unit
    test: NDArray[np.int64]  # [T], places in the study's images
    probabilities: Floats  # [T, C], as the network gives them
    temperature: float  # fitted on the validation part
    epochs: int  # trained
    best: int  # the epoch that was kept
    seconds: float
    notes: tuple[str, ...]  # what did not go as asked
    folder: Path


def slug_of(arm: str, share: float, number: int) -> str:
    """The folder of an arm's training at a share of the labels on a fold."""
    plain = re.sub(r"[^a-z0-9]+", "-", arm.lower()).strip("-")
    return f"{plain}-{share * 100:g}-{number}"


def units(study: Study, material: Material) -> Iterator[Unit]:
    """All trainings of a study: the larger shares first, and all arms of a fold before the next.

    Args:
        study: the study.
        material: its images and folds.
    """
    for share in sorted({share for arm in study.arms for share in arm.shares}, reverse=True):
        for number, fold in enumerate(material.parts(share), start=1):
            for arm in study.arms:
                if share in arm.shares and (not arm.folds or number in arm.folds):
                    recipe = study.recipe(arm)
                    # Fewer images need more passes to come to as many steps: half of what would make them equal.
                    settings = replace(recipe, epochs=round(recipe.epochs / share**0.5))
                    yield Unit(arm, share, fold, number, settings)


def run_unit(
    unit: Unit,
    study: Study,
    material: Material,
    where: Where,
    base: Path,
    ranks: Ranks,
    *,
    until: float,
    hooks: Hooks,
    log: bool = False,
) -> Result | None:
    """Train a unit, or go on with it; None where time ran out before its end, or another run is at it.

    A finished one is read.

    Args:
        unit: which.
        study: of it.
        material: images and folds.
        where: folders.
        base: the folder that the study's paths are relative to.
        ranks: the processes that train together.
        until: `time.monotonic()` after which no step is begun.
        hooks: told of epochs.
        log: also write event files for TensorBoard.

    Raises:
        PoxlensError: the weights are missing, the encoder has learnt from images that are tested here, or training
            came to nothing.
    """
    folder = where.out / "units" / unit.slug
    key = _key(unit, study, material, base)
    found = _read(unit, folder, key)
    if not unit.arm.published:
        check_unseen(base / unit.arm.start, [material.cases.rows[at] for at in unit.fold.test.tolist()])
    if found is not None:
        return found
    with _claimed(folder, ranks) as ours:
        if not ours:
            return None
        if unit.arm.layers == "head":
            return _probed(unit, study, material, where, base, ranks, key)
        return _trained(unit, study, material, where, base, ranks, key, until=until, hooks=hooks, log=log)


def _probed(
    unit: Unit, study: Study, material: Material, where: Where, base: Path, ranks: Ranks, key: str
) -> Result:
    """Only a new classifier learns."""
    begun = time.monotonic()
    side, seed = study.side(unit.arm), _seed(unit, study)
    # Published and pretrained weights are the same on every fold, random ones are not.
    named = (unit.arm.network, unit.arm.start, side, seed if unit.arm.start == RANDOM else 0)
    features = material.features.get(named)
    if features is None:
        network = _network(unit, study, material, where, base)
        if unit.arm.start == RANDOM:
            settle(network, material.images[side][unit.fold.train], ranks.device)
        features = frozen_features(network, material.images[side], ranks.device)
        material.features[named] = features
    truth, classes = material.cases.truth, len(material.cases.classes)
    told = probe(features, truth, unit.fold, classes, seed)
    folder = where.out / "units" / unit.slug
    result = Result(unit, unit.fold.test, told, 1.0, 0, 0, time.monotonic() - begun, (), folder)
    if ranks.first:
        _keep(result, key)
    return result


def _trained(
    unit: Unit,
    study: Study,
    material: Material,
    where: Where,
    base: Path,
    ranks: Ranks,
    key: str,
    *,
    until: float,
    hooks: Hooks,
    log: bool,
) -> Result | None:
    folder = where.out / "units" / unit.slug
    fold, truth, images = unit.fold, material.cases.truth, material.images[study.side(unit.arm)]
    training = begin(unit, study, material, where, base, ranks, hooks=hooks)
    events = EventLog(folder / "events", len(training.history)) if log and ranks.first else None
    if events is not None:
        _log_too(training.hooks, events)
    ended = training.run(until=until)
    if events is not None:
        events.close()
    if ranks.first:
        write_curves(folder / "curves.csv", training.history)
    if not ended:
        return None
    probabilities = training.probabilities(images[fold.test])
    logits = np.log(np.maximum(training.probabilities(images[fold.validation]), _LEAST))
    temperature = fit_temperature(logits, truth[fold.validation])
    result = Result(
        unit,
        fold.test,
        probabilities,
        temperature,
        len(training.history),
        training.progress.best_epoch,
        sum(epoch.seconds for epoch in training.history),
        tuple(training.progress.notes),
        folder,
    )
    if ranks.first:
        _keep_network(folder, training.network)
        _keep(result, key)
    return result


def begin(
    unit: Unit, study: Study, material: Material, where: Where, base: Path, ranks: Ranks, *, hooks: Hooks
) -> Training:
    """The training of a unit, where its last run left it.

    Raises:
        WeightsError: the weights it starts from are missing or of another network.
    """
    fold, truth, images = unit.fold, material.cases.truth, material.images[study.side(unit.arm)]
    return Training(
        _network(unit, study, material, where, base),
        Labelled(images[fold.train], truth[fold.train]),
        Labelled(images[fold.validation], truth[fold.validation]),
        unit.settings,
        where.out / "units" / unit.slug / "checkpoint.pt",
        seed=_seed(unit, study),
        ranks=ranks,
        hooks=hooks,
    )


def _network(unit: Unit, study: Study, material: Material, where: Where, base: Path) -> FinetunedNetwork:
    arm = unit.arm
    return classifier(
        arm.network,
        arm.start if arm.published else base / arm.start,
        len(material.cases.classes),
        side=study.side(arm),
        dropout=unit.settings.dropout,
        seed=_seed(unit, study),
        folders=where.weights,
        cache=where.downloads,
    )


def finished(unit: Unit, study: Study, material: Material, out: Path, base: Path) -> Result | None:
    """What a unit left, None where it is not finished, or was of other images, weights or settings.

    Raises:
        WeightsError: the weights it starts from are missing.
    """
    return _read(unit, out / "units" / unit.slug, _key(unit, study, material, base))


def _read(unit: Unit, folder: Path, key: str) -> Result | None:
    try:
        with np.load(folder / "result.npz", allow_pickle=False) as stored:
            told = json.loads(str(stored["told"]))
            if told.pop("key") != key:
                return None
            told["notes"] = tuple(told["notes"])
            return Result(unit=unit, test=stored["test"], probabilities=stored["p"], folder=folder, **told)
    except Exception:  # missing, or of any kind of damage: trained again
        return None


def _key(unit: Unit, study: Study, material: Material, base: Path) -> str:
    arm, fold = unit.arm, unit.fold
    told: list[Any] = [
        arm.network,
        start_of(arm, base),
        sorted(asdict(unit.settings).items()) if arm.layers == "all" else "head",
        _seed(unit, study),
        material.digests[study.side(arm)],
        [part.tolist() for part in (fold.train, fold.validation, fold.test)],
    ]
    return sha256_bytes(json.dumps(told).encode())


def start_of(arm: Arm, base: Path) -> str:
    """What an arm starts from: "random", "imagenet", or the SHA-256 of an encoder.

    Raises:
        WeightsError: the encoder is not there.
    """
    if arm.published:
        return arm.start
    try:
        return encoder_file_sha256(base / arm.start)
    except OSError as fault:
        raise WeightsError(
            f"{arm.start}: {fault.strerror or fault}; make it with: poxlens pretrain simclr --network {arm.network}"
        ) from fault


@contextmanager
def _claimed(folder: Path, ranks: Ranks) -> Iterator[bool]:
    """Whether no other run trains this unit just now; several may share a run folder. Freed when a run is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    ours = True
    if ranks.first:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            ours = False
    try:
        yield bool(ranks.agreed(ours))
    finally:
        lock.release()


def _seed(unit: Unit, study: Study) -> int:
    return study.protocol.seed + 1000 * unit.number


def _keep_network(folder: Path, network: torch.nn.Module) -> None:
    from safetensors.torch import save

    state = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    write_atomically(folder / NETWORK, save(state))


def _keep(result: Result, key: str) -> None:
    """Write a finished unit's result, the last of its files: it says that all else is there."""
    told = {
        "key": key,
        "temperature": result.temperature,
        "epochs": result.epochs,
        "best": result.best,
        "seconds": round(result.seconds, 1),
        "notes": list(result.notes),
    }
    buffer = io.BytesIO()
    np.savez(buffer, test=result.test, p=result.probabilities, told=np.array(json.dumps(told)))
    write_atomically(result.folder / "result.npz", buffer.getvalue())
    (result.folder / "checkpoint.pt").unlink(missing_ok=True)


def _log_too(hooks: Hooks, events: EventLog) -> None:
    before = hooks.epoch

    def both(number: int, epoch: Any) -> None:
        events.add(number, epoch)
        before(number, epoch)

    hooks.epoch = both


def load_network(result: Result, study: Study, classes: int) -> torch.nn.Module:
    """The network of a finished unit, at its best epoch.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    from poxlens.train.weights import read_tensors

    unit = result.unit
    network = classifier(
        unit.arm.network, RANDOM, classes, side=study.side(unit.arm), dropout=unit.settings.dropout, seed=0
    )
    file = result.folder / NETWORK
    if not file.is_file():
        raise WeightsError(f"{file}: no such file; train the arm again")
    network.load_state_dict(read_tensors(file))
    return network
