"""Every form against 32-bit floats on the test part of every fold.

One backbone is brought into eight bits once, and the heads of all folds are laid on its embeddings: the tail computes
in floats in every form, so that this gives exactly what a file with that head would give. Images that the ranges were
read off, and those of their groups, are left out of the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import ExportError
from poxlens.export.forms import Kind, name_of
from poxlens.export.parity import Cases, Judged, Limits, Parity, compare, outputs_of
from poxlens.recipes.default import Step
from poxlens.recipes.phone.material import FoldHeads, Material
from poxlens.screen.engine import open_graph
from poxlens.screen.graph import Outputs

REFERENCE: Kind = ("onnx", "fp32")


def check_forms(
    material: Material,
    forms: Mapping[Kind, bytes],
    calibrated: NDArray[np.int64],
    step: Step,
    limits: Limits | None = None,
) -> dict[Kind, Parity]:
    """Parity of every form.

    Args:
        material: of the run.
        forms: their files; ONNX in 32-bit floats must be among them.
        calibrated: places of the calibration images.
        step: shows progress.
        limits: what may change.

    Raises:
        ExportError: there is nothing to compare with, or nothing left to test on.
    """
    if REFERENCE not in forms:
        raise ExportError(
            f"{name_of(REFERENCE)} is not there: the other forms have nothing to be compared with"
        )
    heads = material.fold_heads()
    rows = rows_to_test(material, heads, calibrated)
    if not rows.any():
        raise ExportError("no image is left to test on: all are of groups that the ranges were read off")
    judged = {}
    for kind, data in forms.items():
        runtime, precision = kind
        graph = open_graph(runtime, data, size=material.phone.side, classes=len(material.manifest.classes))
        with step(f"testing {runtime} {precision}", int(rows.sum())) as done:
            outputs = outputs_of(graph, material.images[rows], done)
        judged[kind] = _judged(material, heads, rows, outputs)
    cases = Cases(
        material.file[rows],
        material.group[rows],
        material.truth[rows],
        material.positive[rows],
        material.tone[rows],
        material.manifest.classes.index(material.manifest.target),
        material.manifest.rule_out.threshold,
    )
    return {kind: compare(cases, judged[REFERENCE], one, limits) for kind, one in judged.items()}


def rows_to_test(material: Material, heads: FoldHeads, calibrated: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[N], images of a test part whose group gave no calibration image."""
    seen = np.isin(material.group, material.group[calibrated])
    return np.asarray((heads.tests >= 0) & ~seen, bool)


def told(parity: Parity) -> dict[str, Any]:
    """Parity as JSON has it."""
    found = asdict(parity)
    for changes in found["figures"].values():
        for change in changes.values():
            change["difference"] = change["after"] - change["before"]
    return {"met": parity.met, **found}


def _judged(material: Material, heads: FoldHeads, rows: NDArray[np.bool_], outputs: Outputs) -> Judged:
    tests = heads.tests[rows]
    logits = np.empty((len(tests), len(material.manifest.classes)), np.float32)
    for place, head in enumerate(heads.heads):
        mine = tests == place
        logits[mine] = head.logits(outputs.embedding[mine])
    probabilities = material.probabilities(logits)
    novelty = outputs.novelty.astype(np.float64)
    return Judged(probabilities, material.decisions(rows, probabilities, novelty), outputs.heatmap, novelty)
