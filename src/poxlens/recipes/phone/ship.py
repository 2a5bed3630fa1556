"""From a run's material to a bundle for the phone, its other forms beside it, and the record of how they were made."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.bundle.manifest import Figure, Interval
from poxlens.bundle.pack import pack
from poxlens.bundle.store import MANIFEST_NAME, Bundle
from poxlens.errors import ExportError
from poxlens.export.calibration import chosen
from poxlens.export.forms import KINDS, Forms, Kind, make_forms, models_of, name_of
from poxlens.export.parity import Limits, Parity
from poxlens.export.phone_card import section
from poxlens.files import write_atomically
from poxlens.recipes.default import Step
from poxlens.recipes.phone.check import REFERENCE, check_forms, told
from poxlens.recipes.phone.material import Material
from poxlens.screen.golden import examples
from poxlens.screen.graph import Graph

PREFERRED = ("int8", "w8", "fp16")
"""Precisions in the order in which they are packed where none is asked for: the first of a runtime that passes."""
RECORD = "export.json"
_AGREES = (
    0.02  # largest difference of a logit from the run's own graph: weights of half precision, mended channels
)


@dataclass(frozen=True)
class Choices:
    """What an export makes."""

    kinds: tuple[Kind, ...] = KINDS
    packed: tuple[Kind, ...] | None = None  # None: of each runtime the first of PREFERRED that passes
    calibration: int = 100  # images
    seed: int = 0
    python: Path | None = None  # with the LiteRT tools
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, eq=False)
class Exported:
    """What an export left behind."""

    bundle: Bundle
    forms: Path  # folder of all forms
    parity: Mapping[Kind, Parity]
    sizes: Mapping[Kind, int]  # bytes


def forms_folder(bundle: Path) -> Path:
    """Where the forms of a bundle stand that are not in it: beside it."""
    return bundle.with_name(f"{bundle.name}-forms")


def export(material: Material, out: Path, choices: Choices, step: Step) -> Exported:
    """Make all forms, prove them, and pack those that are asked for and changed nothing that matters.

    Nothing is written before all is made. A form that misses a limit stands in the folder of forms with its figures,
    and is not packed.

    Args:
        material: of the run.
        out: folder of the bundle.
        choices: what is made.
        step: shows progress.

    Raises:
        ExportError: a form cannot be made, or none of those asked for may be packed.
    """
    _require_room(out)
    calibrated = np.flatnonzero(material.learnable)
    calibrated = calibrated[
        chosen(material.group[calibrated], material.stratum[calibrated], choices.calibration, choices.seed)
    ]
    kinds = tuple(kind for kind in KINDS if kind in {REFERENCE, *choices.kinds})
    forms = make_forms(material.phone, material.images[calibrated], kinds, python=choices.python, step=step)
    _require_agreement(material, forms, material.images[calibrated])
    parity = check_forms(material, forms.files, calibrated, step, choices.limits)
    record = _record(material, forms, parity, calibrated, choices)
    passed = to_pack(parity, choices)
    _replace(forms_folder(out), {name_of(k): data for k, data in forms.files.items()}, record)
    if not passed:
        asked = choices.packed or tuple(parity)
        missed = "; ".join(
            f"{' '.join(kind)}: {', '.join(parity[kind].missed)}"
            for kind in asked
            if kind in parity and not parity[kind].met
        )
        raise ExportError(
            f"no bundle was written, for none of the forms asked for meets the limits ({missed}). "
            f"All forms and their figures are in {forms_folder(out)}"
        )
    bundle = _pack(material, forms, parity, passed, out)
    return Exported(
        bundle, forms_folder(out), parity, {kind: len(data) for kind, data in forms.files.items()}
    )


def to_pack(parity: Mapping[Kind, Parity], choices: Choices) -> list[Kind]:
    """What goes into the bundle: the asked forms that meet the limits, or the smallest and quickest of each runtime."""
    if choices.packed is not None:
        return [kind for kind in choices.packed if kind in parity and parity[kind].met]
    found: list[Kind] = []
    for runtime in ("litert", "onnx"):
        met = [kind for kind, one in parity.items() if kind[0] == runtime and one.met]
        best = [kind for precision in PREFERRED for kind in met if kind[1] == precision]
        found += best[:1]
    return found


def _require_room(out: Path) -> None:
    """Refuse folders of other things before minutes are spent."""
    for folder, mark, what in (
        (out, MANIFEST_NAME, "a bundle"),
        (forms_folder(out), RECORD, "forms of a bundle"),
    ):
        if folder.exists() and not (folder / mark).is_file() and any(folder.iterdir()):
            raise ExportError(f"{folder}: holds other things than {what}; choose another --out")


def _pack(
    material: Material, forms: Forms, parity: Mapping[Kind, Parity], passed: Sequence[Kind], out: Path
) -> Bundle:
    told_before = material.manifest
    graph = Graph(forms.files[REFERENCE], size=material.phone.side, classes=len(told_before.classes))
    golden = examples(graph, told_before.input, material.photos)
    packed = {kind: forms.files[kind] for kind in passed}
    evidence = replace(
        told_before.evidence,
        figures=[*told_before.evidence.figures, *_figures({kind: parity[kind] for kind in passed})],
    )
    manifest = replace(
        told_before,
        models=models_of(packed, golden, told_before.input, material.photos),
        files=[],
        golden=golden,
        evidence=evidence,
    )
    sizes = {kind: len(data) for kind, data in forms.files.items()}
    card = material.card.rstrip("\n") + "\n\n" + section(forms, parity, sizes, passed, material.phone.head)
    files = {name_of(kind): data for kind, data in packed.items()}
    return pack(out, manifest, {**files, "MODEL_CARD.md": card.encode("utf-8"), **material.photos})


def _figures(parity: Mapping[Kind, Parity]) -> list[Figure]:
    """What each packed form changed, as evidence."""
    found = []
    for (runtime, precision), one in parity.items():
        for group, changes in one.figures.items():
            where = f"{runtime} {precision} against 32-bit floats" + ("" if group == "all" else f", {group}")
            for name, change in changes.items():
                value = round(change.difference, 5)
                low, high = min(round(change.low, 5), value), max(round(change.high, 5), value)
                found.append(Figure(f"change of {name}", where, Interval(value, low, high, change.n)))
    return found


def _require_agreement(material: Material, forms: Forms, images: NDArray[np.uint8]) -> None:
    """The float form gives what the run's own graph gives, or the evidence would be of another model."""
    if material.reference is None:
        return
    side, classes = material.phone.side, len(material.manifest.classes)
    own = Graph(material.reference, size=side, classes=classes).run(images[:16])
    made = Graph(forms.files[REFERENCE], size=side, classes=classes).run(images[:16])
    apart = float(np.abs(own.logits - made.logits).max())
    if not apart <= _AGREES:
        raise ExportError(
            f"the graph made anew differs from the run's by {apart:.3g} in a logit, {_AGREES:g} is allowed: "
            "the networks' weights here are not those that the run learnt from"
        )


def _record(
    material: Material,
    forms: Forms,
    parity: Mapping[Kind, Parity],
    calibrated: NDArray[np.int64],
    choices: Choices,
) -> dict[str, Any]:
    sensitivity = forms.sensitivity
    return {
        "bundle": f"{material.manifest.name} {material.manifest.version}",
        "data_sha256": material.manifest.evidence.data_sha256,
        "calibration": {
            "images": [str(material.file[i]) for i in calibrated],
            "places": calibrated.tolist(),
            "seed": choices.seed,
        },
        "eight_bits": {
            "signal_over_noise_all_db": round(sensitivity.all_eight, 2),
            "signal_over_noise_db": round(sensitivity.mixed, 2),
            "in_floats": list(sensitivity.kept),
            "dead_channels_mended": forms.mended,
            "biases_corrected": forms.corrected,
            "layers": [
                {
                    "name": one.name,
                    "db": round(one.noise, 2),
                    "work": round(one.work, 5),
                    "in_floats": one.kept,
                }
                for one in sensitivity.layers
            ],
        },
        "head_parameters": material.phone.head.parameters,
        "forms": {
            name_of(kind): {
                "runtime": kind[0],
                "precision": kind[1],
                "bytes": len(data),
                "parity": told(parity[kind]),
            }
            for kind, data in forms.files.items()
        },
    }


def _replace(folder: Path, files: Mapping[str, bytes], record: Mapping[str, Any]) -> None:
    """The folder of forms, whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in files.items():
            write_atomically(aside / name, data)
        write_atomically(aside / RECORD, json.dumps(record, indent=1, allow_nan=False) + "\n")
        aside.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
