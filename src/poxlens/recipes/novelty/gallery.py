"""The gallery of MIM: original, masked and inpainted photos side by side (Yue 2024, figure 5).

The page holds photos of patients: it is for the machine it was made on, and stays out of any repository.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from poxlens.errors import TrainingError
from poxlens.files import write_atomically
from poxlens.pages.document import document, heading, notes, section
from poxlens.recipes.default import Where
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.mim import folds_of, read_closeups, training_of
from poxlens.recipes.novelty.study import Study
from poxlens.train.inpainting.masking import MASK, centre
from poxlens.train.inpainting.measuring import pictures, similarities

_EACH = 3  # photos of a condition
_SIDE = 160  # px on the page


def write_gallery(study: Study, where: Where, cases: Cases, only: Sequence[str] = ()) -> Path:
    """The page of the first fold that is trained; where it is.

    Raises:
        TrainingError: none is.
    """
    closeups = read_closeups(study, where)
    for one in folds_of(study):
        training = training_of(study, one, closeups, where.out)
        if training.done and (not only or one.name in only):
            break
    else:
        raise TrainingError("no fold of MIM is trained yet: there is nothing to show")
    parts = [
        _part(
            f"{study.target}, not learnt from", closeups.images[closeups.fold == one.fold], training.generator
        )
    ]
    parts += [
        _part(name, cases.images[(cases.condition == name) & cases.counted], training.generator)
        for name in cases.conditions
        if name != study.target
    ]
    body = (
        heading("poxlens novelty", f"MIM {one.name}: original, masked, inpainted")
        + notes(["Photos of patients: keep this page on this machine."])
        + "".join(parts)
    )
    path = where.out / "gallery.html"
    write_atomically(path, document("Inpainted photos", body))
    return path


def _part(title: str, images: NDArray[np.uint8], generator: nn.Module) -> str:
    some = images[np.linspace(0, len(images) - 1, min(_EACH, len(images))).astype(int)]
    filled, alike = pictures(generator, some), similarities(generator, some)["ssim+hbd"]
    top, left = centre(some.shape[1])
    rows = []
    for original, made, value in zip(some, filled, alike.tolist(), strict=True):
        masked = original.copy()
        masked[top : top + MASK, left : left + MASK] = 255
        views = ((original, "original"), (masked, "masked"), (made, "inpainted"))
        shown = "".join(_image(image, name) for image, name in views)
        rows.append(f"<p>{shown} SSIM + HBD {value:.3f}</p>")
    return section(title, "".join(rows))


def _image(pixels: NDArray[np.uint8], told: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((_SIDE, _SIDE)).save(buffer, "JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{escape(told)}" width="{_SIDE}" height="{_SIDE}" src="data:image/jpeg;base64,{data}">'
