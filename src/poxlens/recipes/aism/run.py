"""What `poxlens aism` does with a study: units one after the other, then tables, figures and pages."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poxlens import __version__
from poxlens.errors import PoxlensError, TrainingError, WeightsError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.aism.material import Material, read_material
from poxlens.recipes.aism.study import Study
from poxlens.recipes.aism.units import Result, Unit, finished, run_unit, units
from poxlens.recipes.default import Step, Where, silent
from poxlens.train.supervised.curves import Epoch
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.training import Hooks

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What of a study."""

    arms: tuple[str, ...] = ()  # names; all when empty
    minutes: float = math.inf  # no step is begun later
    log: bool = False  # event files for TensorBoard
    frozen: bool = True  # the comparison of frozen networks
    leak: bool = True  # the paper's protocol
    report: bool = True


@dataclass
class Trained:
    """What a run has so far."""

    material: Material
    results: list[Result] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)  # units that time did not reach
    failed: dict[str, str] = field(default_factory=dict)  # unit, or arm where no fold can be trained -> why


def train_arms(
    study: Study,
    where: Where,
    base: Path,
    asked: Asked,
    ranks: Ranks,
    *,
    step: Step = silent,
    say: Say = lambda _: None,
) -> Trained:
    """Train every arm on every fold, as far as time allows; what is finished is only read.

    A unit that cannot be trained is named and the rest goes on.

    Args:
        study: the study.
        where: folders.
        base: the folder that the study's paths are relative to.
        asked: what of it.
        ranks: the processes that train together.
        step: progress.
        say: told of each finished epoch and of what did not go as asked.

    Raises:
        PoxlensError: images, groups or folds are faulty.
    """
    known = {arm.name for arm in study.arms}
    for name in asked.arms:
        if name not in known:
            raise TrainingError(f'there is no arm "{name}"; there are: {", ".join(sorted(known))}')
    material = read_material(study, base, where.out, step, where.workers)
    if ranks.first:
        _record(study, material, where.out)
    trained = Trained(material)
    until = time.monotonic() + 60 * asked.minutes
    todo = list(units(study, material))
    with step("trainings", len(todo)) as done:
        for unit in todo:
            if unit.arm.name in trained.failed:  # told once, not for each fold
                done()
                continue
            chosen = not asked.arms or unit.arm.name in asked.arms
            try:
                found = finished(unit, study, material, where.out, base)
                if found is None and chosen and ranks.agreed(time.monotonic() < until):
                    hooks = _hooks(unit, say)
                    found = run_unit(
                        unit, study, material, where, base, ranks, until=until, hooks=hooks, log=asked.log
                    )
            except WeightsError as fault:
                trained.failed[unit.arm.name] = str(fault)
            except PoxlensError as fault:
                trained.failed[unit.name] = str(fault)
            else:
                if found is None:
                    trained.waiting.append(unit.name)
                else:
                    trained.results.append(found)
            done()
    return trained


def _hooks(unit: Unit, say: Say) -> Hooks:
    def told(number: int, epoch: Epoch) -> None:
        say(
            f"{unit.name}: epoch {number} of {unit.settings.epochs}, loss {epoch.loss:.3f}, validation "
            f"{epoch.validation_loss:.3f} ({epoch.validation_accuracy:.1%}), {epoch.seconds:.0f} s"
        )

    return Hooks(told, lambda text: say(f"{unit.name}: {text}"))


def _record(study: Study, material: Material, out: Path) -> None:
    cases = material.cases
    told: dict[str, Any] = {
        "study": study.model_dump(mode="json"),
        "poxlens": __version__,
        "manifest_sha256": cases.manifest.sha256,
        "splits_sha256": material.splits.digest,
        "images": {name: int((cases.truth == at).sum()) for at, name in enumerate(cases.classes)},
        "groups": cases.groups.count,
        "digest": sha256_bytes("".join(material.digests.values()).encode()),
        "skipped": [list(one) for one in cases.skipped],
    }
    write_atomically(out / "study.json", json.dumps(told, indent=1) + "\n")
