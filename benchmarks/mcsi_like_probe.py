"""What size, sharpness, JPEG traces and border alone tell of the MCSI-like set, on the folds of its studies.

    python -m benchmarks.mcsi_like_probe runs/mcsi-like-images/manifest.csv

Each class of the set comes from one source, so that a network can tell classes by how their pictures were made. The
probe is the one of `poxlens data audit` (logistic regression on standardised traits and their squares), each class
against the others; it sees no colour and no skin. results/NAME/probe.json stands beside the study's figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import RESAMPLES, RESULTS, predictions
from poxlens.audit.probes import design, out_of_fold
from poxlens.data.manifest import read_manifest
from poxlens.data.scan.look import look
from poxlens.data.scan.traits import TRAITS
from poxlens.evaluate.calibration import softmax
from poxlens.evaluate.intervals import estimate
from poxlens.recipes.compare.report.pooled import STATISTICS
from poxlens.recipes.compare.report.reading import Tested

FAMILIES = ("resolution", "jpeg", "sharpness", "border")
FIGURES = ("accuracy", "macro F1", "AUROC")
STUDIES = ("mcsi-like", "mcsi-like-binary")


def traits(table: Path) -> dict[str, NDArray[np.float64]]:
    """File -> its traits of `FAMILIES`; NaN where one cannot be told."""
    chosen = [place for place, trait in enumerate(TRAITS) if trait.family in FAMILIES]
    return {
        row.file: look(row.path.read_bytes()).traits[chosen].astype(np.float64)
        for row in read_manifest(table).rows
    }


def probed(tested: Tested, seen: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    """The probe's figures on the folds of a study, with intervals over groups, as the study's own are."""
    columns = design(np.stack([seen[file] for file in tested.files]))
    scores = [
        np.stack(
            [out_of_fold(columns, tested.truth == one, fold) for one in range(len(tested.classes))], axis=1
        )
        for fold in tested.fold
    ]
    p = softmax(scores[0], 1.0)
    found = estimate(
        {name: STATISTICS[name](tested, p) for name in FIGURES}, tested.group, resamples=RESAMPLES, seed=0
    )
    return {
        name: {end: round(float(getattr(one, end)), 6) for end in ("value", "low", "high")}
        for name, one in found.items()
    }


def main(words: list[str] | None = None) -> int:
    """Write the figures of both studies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    seen = traits(parser.parse_args(words).table)
    for name in STUDIES:
        if (RESULTS / name / "metrics.json").is_file():
            told = {"families": list(FAMILIES), "figures": probed(predictions(name), seen)}
            (RESULTS / name / "probe.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
            print(name, json.dumps(told["figures"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
