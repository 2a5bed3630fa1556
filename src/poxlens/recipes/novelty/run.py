"""From a study file to scores: every unit once, kept in a file of its own, so that a run can be gone on with."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import PoxlensError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.recipes.default import Step, Where, silent
from poxlens.recipes.novelty.embed import Embedded, embed, network_of
from poxlens.recipes.novelty.images import Cases, read_cases
from poxlens.recipes.novelty.methods import METHODS
from poxlens.recipes.novelty.study import Network, Study
from poxlens.recipes.novelty.units import Scores, Unit, deal, fitted, run_unit, units
from poxlens.train.heads import Preconditioner

_HOW = {False: "images as they are", True: "images made alike"}


@dataclass(frozen=True, eq=False)
class Part:
    """All units of one network on images in one form."""

    network: str
    harmonised: bool
    scores: Mapping[Unit, Scores]


@dataclass(frozen=True, eq=False)
class Done:
    """What a run left in its folder."""

    cases: Cases
    folds: NDArray[np.int64]  # [R, N]
    parts: tuple[Part, ...]
    failed: Mapping[str, str]  # unit -> why


def run_study(study: Study, where: Where, step: Step = silent) -> Done:
    """Fit and score everything a study asks of networks.

    Units that an earlier run finished are read again; a unit that cannot be fitted is named and the rest goes on.

    Args:
        study: what to do.
        where: folders.
        step: progress.

    Raises:
        PoxlensError: images, weights or the table are faulty.
    """
    where.out.mkdir(parents=True, exist_ok=True)
    cases = read_cases(study, where, step)
    folds = np.stack([deal(cases, study, repeat) for repeat in range(study.protocol.repeats)])
    write_tables(where.out, study, cases, folds)
    failed: dict[str, str] = {}
    parts = []
    for network in study.networks:
        stored = network_of(network.name, where, cases.images.shape[1])
        patches = any(METHODS[name].patches for name in network.detectors)
        for harmonised in study.protocol.harmonised:
            with step(f"features of {network.name}, {_HOW[harmonised]}", len(cases.images)) as done:
                found = embed(stored, cases, where, harmonised=harmonised, patches=patches, advance=done)
            scores, faults = _units(study, network, harmonised, cases, folds, found, where.out, step)
            failed |= faults
            parts.append(Part(network.name, harmonised, scores))
    return Done(cases, folds, tuple(parts), failed)


def _units(
    study: Study,
    network: Network,
    harmonised: bool,
    cases: Cases,
    folds: NDArray[np.int64],
    embedded: Embedded,
    out: Path,
    step: Step,
) -> tuple[dict[Unit, Scores], dict[str, str]]:
    found: dict[Unit, Scores] = {}
    failed: dict[str, str] = {}
    key = _key(study, network, harmonised, cases, embedded)
    preconditioner: Preconditioner | None = None
    todo = units(study, cases)
    told = f"detectors on {network.name}, {_HOW[harmonised]}"
    with step(told, len(todo)) as done:
        for unit in todo:
            path = out / "units" / f"{key}-{_slug(unit)}.npz"
            scores = _read(path)
            there = set() if scores is None else set(scores.scores)
            # a detector more is fitted beside those that are there
            missing = [name for name in fitted(unit, network.detectors) if name not in there]
            if scores is None or missing:
                if preconditioner is None:
                    preconditioner = Preconditioner.of(embedded.learnt[cases.known])
                fold = folds[unit.repeat]
                try:
                    fresh = run_unit(unit, fold, cases, embedded, study, missing, preconditioner)
                except (PoxlensError, np.linalg.LinAlgError, ValueError) as fault:
                    failed[f"{told}, fold {unit.fold + 1}, without {unit.left_out or 'nothing'}"] = str(fault)
                    done()
                    continue
                before = {} if scores is None else scores.scores
                scores = Scores(fresh.rows, fresh.logits, {**before, **fresh.scores})
                _write(path, scores)
            found[unit] = scores
            done()
    return found, failed


def _slug(unit: Unit) -> str:
    return f"{unit.repeat}-{unit.fold}-{sha256_bytes(unit.left_out.encode())[:8]}"


def _key(study: Study, network: Network, harmonised: bool, cases: Cases, embedded: Embedded) -> str:
    """What the units of a part depend on."""
    told = [
        network.name,
        study.protocol.model_dump(mode="json", exclude={"harmonised", "accepted"}),
        list(study.images.near),
        harmonised,
        sha256_bytes(embedded.tested.tobytes()),
        sha256_bytes(cases.table.grouping.suspect.tobytes()),
        sha256_bytes(cases.group.tobytes()),
    ]
    return sha256_bytes(json.dumps(told).encode())[:12]


def _write(path: Path, scores: Scores) -> None:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        rows=scores.rows,
        logits=scores.logits,
        **{f"score {name}": values for name, values in scores.scores.items()},  # type: ignore[arg-type]
    )
    write_atomically(path, buffer.getvalue())


def _read(path: Path) -> Scores | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            scores = {
                name.removeprefix("score "): stored[name]
                for name in stored.files
                if name.startswith("score ")
            }
            return Scores(stored["rows"], stored["logits"], scores)
    except Exception:  # absent, or damaged in one of many ways: done again
        return None


def write_tables(out: Path, study: Study, cases: Cases, folds: NDArray[np.int64]) -> None:
    """study.json and folds.csv: what was asked, and which image stood where."""
    from csv import writer

    told = study.model_dump(mode="json")
    # Paths are of one machine and say nothing to another.
    for name in ("manifest", "groups"):
        if told["images"][name]:
            told["images"][name] = Path(told["images"][name]).name
    told["counts"] = {
        name: int(((cases.condition == name) & cases.counted).sum()) for name in cases.conditions
    }
    told["skipped"] = [list(one) for one in cases.skipped]
    told["methods"] = {name: asdict(method) for name, method in METHODS.items()}
    write_atomically(out / "study.json", json.dumps(told, indent=2) + "\n")
    buffer = io.StringIO()
    table = writer(buffer, lineterminator="\n")
    table.writerow(("repeat", "fold", "file", "group", "condition"))
    for repeat, dealt in enumerate(folds):
        for place in np.flatnonzero(cases.condition != ""):
            table.writerow(
                (repeat, dealt[place], cases.file[place], cases.group[place], cases.condition[place])
            )
    write_atomically(out / "folds.csv", buffer.getvalue())
