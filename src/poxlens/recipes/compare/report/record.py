"""What a run folder tells of its study beside predictions.csv: name, protocol, counts, the split's warning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import read_splits
from poxlens.errors import SplitError
from poxlens.recipes.compare.report.rows import Place, ReportError
from poxlens.recipes.compare.times import read_times


@dataclass(frozen=True, eq=False)
class Record:
    """A study as its run folder records it."""

    name: str
    target: str
    grouped: bool
    seed: int
    study: Mapping[str, Any]  # as it was asked for
    facts: Mapping[str, Any]  # counts and hashes
    splits: Splits | None
    places: tuple[Place, ...]  # the folds asked for; empty when the split is not there
    times: tuple[Mapping[str, Any], ...] = ()  # of each start of the study; empty when none was kept

    @property
    def warning(self) -> str:
        """Why figures are too high, "" when nothing says so."""
        if self.splits is not None and self.splits.warning:
            return self.splits.warning
        if not self.grouped:
            return "UNGROUPED: images of one patient or photo may be learnt from and tested. Figures are too high."
        return ""

    @property
    def mcsi_like(self) -> bool:
        """Whether the paper's tables may stand beside this study's: it is built as MCSI was (and says so)."""
        return "mcsi" in self.name


def read_record(run: Path) -> Record:
    """Read study.json and splits.json of a run folder.

    Raises:
        ReportError: study.json is missing or not one of ours, or the split's file is damaged.
    """
    path = run / "study.json"
    try:
        told = json.loads(path.read_text("utf-8"))
        study = told["study"]
        protocol = study["protocol"]
        name, target = str(study["name"]), str(study["images"]["target"])
        grouped, seed = bool(protocol["grouped"]), int(protocol["seed"])
    except OSError as fault:
        raise ReportError(
            f"{path}: cannot be read ({fault.strerror or fault}). Is {run} the run folder of poxlens compare?"
        ) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise ReportError(f"{path}: is no record of a study ({type(fault).__name__}: {fault}).") from fault
    splits = _splits(run / "splits.json")
    return Record(
        name=name,
        target=target,
        grouped=grouped,
        seed=seed,
        study=study,
        facts={key: value for key, value in told.items() if key != "study"},
        splits=splits,
        places=tuple(splits) if splits is not None else (),
        times=tuple(read_times(run)),
    )


def _splits(path: Path) -> Splits | None:
    if not path.is_file():
        return None
    try:
        return read_splits(path)
    except SplitError as fault:
        raise ReportError(f"{path}: {fault}") from fault
