"""Grad-CAM of each class (Yue 2024, figure 5), on photos of the test fold, as a local page.

The page holds photos of patients: it is for the machine it was made on, and stays out of any repository.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.explain.methods import explain
from poxlens.explain.network import Classifier
from poxlens.explain.page import PRIVATE, WHAT_IT_SHOWS, picture
from poxlens.files import write_atomically
from poxlens.pages.document import document, heading, notes, section
from poxlens.recipes.aism.material import Material
from poxlens.recipes.aism.study import Study
from poxlens.recipes.aism.units import Result, load_network
from poxlens.screen.overlay import draw
from poxlens.screen.reasons import DISCLAIMER

_RIGHT, _WRONG = 3, 2  # photos of a class
_SIDE = 256  # px on the page
FILE = "gallery.html"


def write_gallery(study: Study, material: Material, results: list[Result], out: Path, arm: str = "") -> Path:
    """The page of an arm's first finished fold on all labels; where it is.

    Args:
        study: the study.
        material: its images.
        results: finished trainings.
        out: the run folder.
        arm: which; the first that is finished when empty.

    Raises:
        TrainingError: nothing of it is finished.
    """
    for result in results:
        if result.unit.share == 1 and result.unit.arm.layers == "all" and arm in ("", result.unit.arm.name):
            break
    else:
        raise TrainingError(
            f'no training of "{arm or "any arm"}" on all labels is finished: there is nothing to show'
        )
    cases, side = material.cases, study.side(result.unit.arm)
    network = load_network(result, study, len(cases.classes))
    truth, decided = cases.truth[result.test], result.probabilities.argmax(1)
    parts = []
    for number, name in enumerate(cases.classes):
        own = np.flatnonzero(truth == number)
        # The surest of each kind, as in the paper's figure: right answers, and errors that look sure.
        surest = own[np.argsort(-result.probabilities[own].max(1), kind="stable")]
        right = surest[decided[surest] == number][:_RIGHT]
        wrong = surest[decided[surest] != number][:_WRONG]
        panels = [
            _panel(network, material.images[side], result, at, cases.classes) for at in (*right, *wrong)
        ]
        parts.append(
            section(name, f'<div class="panels">{"".join(panels)}</div>' if panels else "<p>None.</p>")
        )
    body = heading(
        "poxlens aism", f"Grad-CAM by class: {result.unit.name}", "photos that were not learnt from"
    )
    body += notes(
        [PRIVATE, WHAT_IT_SHOWS, "The surest right answers of each class, then the surest wrong ones."]
    )
    path = out / FILE
    write_atomically(path, document("Heat maps by class", body + "".join(parts), footer=DISCLAIMER))
    return path


def _panel(
    network: nn.Module, images: NDArray[np.uint8], result: Result, at: int, classes: tuple[str, ...]
) -> str:
    image = images[result.test[at]][None]
    values = result.probabilities[at]
    told = int(values.argmax())
    heat = explain(Classifier(network.backbone, network.head), image, told)[0]  # type: ignore[arg-type]
    said = f"told {classes[told]} ({values[told]:.2f})"
    return f"<figure>{picture(draw(image[0], heat, side=_SIDE), said)}<figcaption>{escape(said)}</figcaption></figure>"
