"""MIM in folds: learn to inpaint the target's close-ups, then measure everything else (Yue 2024, 3.1 and 3.2)."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from torch import nn

from poxlens.data.manifest import read_manifest
from poxlens.data.splits.units import find_groups, with_groups
from poxlens.errors import TrainingError
from poxlens.files import sha256_bytes, sha256_file, write_atomically
from poxlens.photo.decode import decode
from poxlens.recipes.default import Advance, Recipe, Step, Where, silent
from poxlens.recipes.novelty.closeups import choose, write_list
from poxlens.recipes.novelty.disturb import augmented, noisy
from poxlens.recipes.novelty.images import Cases, alike, read_cases
from poxlens.recipes.novelty.rows import Row, read_rows, write_rows
from poxlens.recipes.novelty.study import Form, Inpainting, Study
from poxlens.train.images import Harmonise
from poxlens.train.inpainting.measuring import similarities
from poxlens.train.inpainting.training import Settings, Training

Pixels = NDArray[np.uint8]
_Form = tuple[str, Pixels, list[str], list[str]]  # condition, images, files and groups


@dataclass(frozen=True, eq=False)
class Closeups:
    """What MIM learns from."""

    images: Pixels  # [N, S, S, 3]
    file: NDArray[np.str_]  # [N]
    group: NDArray[np.int64]  # [N], patients and near-duplicates
    fold: NDArray[np.int64]  # [N]


@dataclass(frozen=True)
class Fold:
    """One training run."""

    form: Form
    fold: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.form}-{self.fold + 1}"


def read_closeups(study: Study, where: Where) -> Closeups:
    """Choose, read and deal the close-ups; closeups.csv in the run folder is the list.

    Raises:
        TrainingError: too few close-ups, or fewer groups than folds.
    """
    told = _inpainting(study)
    table = read_manifest(study.images.manifest)
    if study.images.groups is not None:
        table = with_groups(table, study.images.groups)
    places = [place for place, row in enumerate(table.rows) if row.label == study.target]
    rows = [table.rows[place] for place in places]
    groups = find_groups(table).of[places]
    judged = choose(rows, told.closeups)
    write_list(where.out / "closeups.csv", judged)
    kept = [number for number, one in enumerate(judged) if one.kept]
    recipe = Recipe()
    harmonise = Harmonise(recipe.rule, recipe.jpeg_quality)
    images = [harmonise.image(decode(rows[n].path).pixels, rows[n].dataset) for n in kept]
    group = groups[kept]
    if len(np.unique(group)) < told.folds:
        raise TrainingError(
            f"the {len(kept)} close-ups are of {len(np.unique(group))} independent groups: "
            f"too few for {told.folds} folds"
        )
    fold = np.empty(len(kept), np.int64)
    for number, (_, test) in enumerate(GroupKFold(told.folds).split(kept, groups=group)):
        fold[test] = number
    return Closeups(np.stack(images), np.array([rows[n].file for n in kept]), group, fold)


def folds_of(study: Study) -> list[Fold]:
    """All runs, the sane form first."""
    told = _inpainting(study)
    return [Fold(form, fold) for form in told.forms for fold in range(told.folds)]


def training_of(study: Study, one: Fold, closeups: Closeups, out: Path) -> Training:
    """The training of a fold, at its last checkpoint where there is one."""
    told = _inpainting(study)
    settings = Settings(
        form=one.form,
        epochs=told.epochs,
        batch=told.batch,
        learning_rate=told.learning_rate,
        precision=told.precision,
        seed=study.protocol.seed + one.fold,
    )
    learnt = closeups.images[closeups.fold != one.fold]
    return Training(learnt, settings, out / "mim" / f"{one.name}.pt")


def train_mim(
    study: Study,
    where: Where,
    *,
    only: Sequence[str] = (),
    minutes: float = math.inf,
    step: Step = silent,
) -> tuple[dict[str, int], dict[str, str]]:
    """Train folds, each from its last checkpoint on.

    Args:
        study: with [mim].
        where: folders.
        only: names of folds ("sane-1"); all when empty.
        minutes: to spend; what is not done by then is gone on with in the next run.
        step: progress.

    Returns:
        Epochs done by fold, and why a fold failed.
    """
    closeups = read_closeups(study, where)
    until = time.monotonic() + 60 * minutes
    found: dict[str, int] = {}
    failed: dict[str, str] = {}
    for one in folds_of(study):
        if only and one.name not in only:
            continue
        try:
            training = training_of(study, one, closeups, where.out)
            left = training.settings.epochs - len(training.history)
            with step(f"MIM {one.name}", left) as done:
                training.run(until=until, advance=done)
        except TrainingError as fault:  # one fold's loss is no reason to stop the others
            failed[one.name] = str(fault)
            continue
        found[one.name] = len(training.history)
        told = [asdict(epoch) for epoch in training.history]
        write_atomically(where.out / "mim" / f"{one.name}.json", json.dumps(told) + "\n")
    return found, failed


def measure_mim(
    study: Study, where: Where, *, only: Sequence[str] = (), step: Step = silent
) -> tuple[list[Row], Cases]:
    """Scores of every image by every fold that is trained to its end; novelty = - similarity. Each fold's are kept.

    The target is tested on its own fold: as it is, and as the paper does, augmented and with noise, under the
    conditions "TARGET augmented" and "TARGET noisy" of scores.csv.

    Raises:
        TrainingError: no fold is trained yet.
    """
    closeups = read_closeups(study, where)
    cases = read_cases(study, where, step)
    outside = np.flatnonzero(cases.counted & (cases.condition != study.target) & (cases.condition != ""))
    versions: dict[bool, Pixels] = {False: cases.images[outside]}
    if True in study.protocol.harmonised:
        versions[True] = np.stack(list(alike(versions[False])))
    rows: list[Row] = []
    for one in folds_of(study):
        if only and one.name not in only:
            continue
        training = training_of(study, one, closeups, where.out)
        if not training.done:
            continue
        test = closeups.fold == one.fold
        with step(f"measuring {one.name}", len(versions) * (len(outside) + 4 * int(test.sum()))) as done:
            forms = _targets(study, one, closeups, test)
            key = _measured(training, versions, forms, cases, outside)
            path = where.out / "mim" / f"{one.name}-scores-{key}.csv"
            if not path.exists():
                write_rows(path, _measure(one, training.generator, versions, forms, cases, outside, done))
            rows += read_rows(path)
    if not rows:
        raise TrainingError(f"no fold of MIM in {where.out} is trained to its end yet: go on with --resume")
    return rows, cases


def _measured(
    training: Training,
    versions: Mapping[bool, Pixels],
    forms: Sequence[_Form],
    cases: Cases,
    outside: NDArray[np.int64],
) -> str:
    """What a fold's scores depend on: the trained networks, every image and what is told of it."""
    told = [sha256_file(training.checkpoint), *(sha256_bytes(one.tobytes()) for one in versions.values())]
    for condition, images, files, groups in forms:
        told += [condition, sha256_bytes(images.tobytes()), *files, *groups]
    for column in (cases.condition, cases.file, cases.group):
        told += map(str, column[outside].tolist())
    return sha256_bytes("\n".join(told).encode())[:12]


def _measure(
    one: Fold,
    generator: nn.Module,
    versions: Mapping[bool, Pixels],
    forms: Sequence[_Form],
    cases: Cases,
    outside: NDArray[np.int64],
    done: Advance,
) -> Iterator[Row]:
    conditions, files = cases.condition[outside].tolist(), cases.file[outside].tolist()
    groups = [f"case {group}" for group in cases.group[outside]]
    for harmonised, images in versions.items():
        for condition, own, names, of in forms:
            some = np.stack(list(alike(own))) if harmonised else own
            yield from _rows(generator, one, harmonised, [condition] * len(some), names, of, some, True)
            done(len(some))
        yield from _rows(generator, one, harmonised, conditions, files, groups, images, False)
        done(len(images))


def _targets(study: Study, one: Fold, closeups: Closeups, test: NDArray[np.bool_]) -> list[_Form]:
    """Condition, images, files and groups of the target's test photos in each form."""
    told = _inpainting(study)
    images, files = closeups.images[test], closeups.file[test].tolist()
    groups = [f"closeup {group}" for group in closeups.group[test]]
    forms: Mapping[str, tuple[Pixels, NDArray[np.int64]]] = {
        f"{study.target} augmented": augmented(images, told.augmented, one.fold),
        f"{study.target} noisy": noisy(images, told.noisy, one.fold),
    }
    found = [(study.target, images, files, groups)]
    for condition, (made, origin) in forms.items():
        names = [f"{files[place]}#{number}" for number, place in enumerate(origin.tolist())]
        found.append((condition, made, names, [groups[place] for place in origin.tolist()]))
    return found


def _rows(
    generator: nn.Module,
    one: Fold,
    harmonised: bool,
    conditions: Sequence[str],
    files: Sequence[str],
    groups: Sequence[str],
    images: Pixels,
    target: bool,
) -> list[Row]:
    found = []
    for name, alikes in similarities(generator, images).items():
        for condition, file, group, alike_ in zip(conditions, files, groups, alikes.tolist(), strict=True):
            found.append(
                Row(
                    0, one.fold, f"mim {one.form} {name}", harmonised, condition, file, group, target, -alike_
                )
            )
    return found


def _inpainting(study: Study) -> Inpainting:
    if study.mim is None:
        raise TrainingError("the study has no [mim]")
    return study.mim
