"""The material of a run of `poxlens train`: its bundle, and its images read again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from poxlens.bundle.store import MANIFEST_NAME, Bundle, load
from poxlens.data.manifest import Manifest as ImageTable
from poxlens.errors import ExportError
from poxlens.export.forms import Phone
from poxlens.export.tail import Head
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import LABELS, Prepared, Recipe, Step, Where, prepare_run
from poxlens.recipes.grouping import Limits
from poxlens.recipes.phone.material import FoldHeads, Material
from poxlens.recipes.points import Targets, truth
from poxlens.recipes.protocol import Plan, choose_and_fit, deal
from poxlens.recipes.samples import Labels
from poxlens.train.backbones import load_backbone
from poxlens.train.novelty import Gate, Novelty, Subspace

RECIPE = "recipe.json"
_BEFORE = {"backbone_bytes": 11_000_000}  # what runs did that do not tell it


def is_trained(run: Path) -> bool:
    """Whether a folder is a run of `poxlens train`, or the bundle in one."""
    return any((folder / RECIPE).is_file() for folder in (run, run.parent) if folder.is_dir())


def trained_material(
    run: Path, table: ImageTable, where: Where, step: Step, *, labels: Labels = LABELS
) -> Material:
    """The material of a run.

    Args:
        run: the run folder, or the bundle in it.
        table: of the images that it learnt from, with the same groups.
        where: weights and features.
        step: shows progress.
        labels: what the table's labels mean.

    Raises:
        ExportError: this is no such run, or the table is another.
        BundleError: its bundle is damaged.
    """
    folder = run.parent if (run / MANIFEST_NAME).is_file() else run
    told = _told(folder)
    for what, found in (("data_sha256", table.sha256), ("groups_sha256", table.groups_sha256)):
        if told.get(what) != found:
            which = "table of images" if what == "data_sha256" else "list of groups (--groups)"
            raise ExportError(f"{folder}: the run learnt from another {which} than the one given")
    recipe = _recipe(told["recipe"])
    bundle = load(folder / "bundle")
    model = bundle.read(_onnx(bundle))
    prepared = prepare_run(table, where, recipe, labels.held_by(table), step)
    samples, found_table = prepared.samples, prepared.table
    head, subspace = _head_of(model)
    manifest = bundle.manifest
    backbone = load_backbone(recipe.networks, where.weights, cache=where.downloads)
    return Material(
        phone=Phone(backbone, model, head, subspace, recipe.rule.size),
        manifest=manifest,
        card=bundle.read("MODEL_CARD.md").decode("utf-8"),
        photos={example.file: bundle.read(example.file) for example in manifest.golden},
        reference=model,
        images=np.stack([sample.image for sample in samples]),
        file=np.array([sample.row.file for sample in samples]),
        group=np.asarray(found_table.grouping.group, np.int64),
        stratum=found_table.stratum,
        truth=truth(found_table.possible),
        positive=found_table.possible[:, manifest.classes.index(manifest.target)],
        tone=np.array([sample.tone.group or "" for sample in samples]),
        usable=np.array([sample.usable for sample in samples]),
        learnable=found_table.learnable,
        fold_heads=lambda: _fold_heads(prepared, step),
    )


def _fold_heads(prepared: Prepared, step: Step) -> FoldHeads:
    """The heads of the first repeat of the run's own cross-validation: the same folds, fitted again."""
    table, plan = prepared.table, prepared.recipe.plan
    tests = np.full(len(table.source), -1)
    parts: list[NDArray[np.bool_]] = []
    for block, (_, rows) in enumerate(table.blocks()):
        parts += deal(table, rows, plan.folds, plan.seed + block)
    heads: list[Head] = []
    with threadpool_limits(1), step("heads of the folds", len(parts)) as done:
        for test in parts:
            train = table.grouping.strict(test) & table.learnable
            head, _ = choose_and_fit(table, plan, table.preconditioner, train)
            tests[test] = len(heads)
            heads.append(Head.linear(head))
            done()
    return FoldHeads(tuple(heads), tests)


def _told(folder: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads((folder / RECIPE).read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ExportError(
            f"{folder}: its {RECIPE} cannot be read ({fault}); name a run of poxlens train"
        ) from fault
    return found


def _recipe(told: Mapping[str, Any]) -> Recipe:
    try:
        nested = {
            "rule": InputRule(**told["rule"]),
            "limits": Limits(**told["limits"]),
            "plan": Plan(**_tuples(told["plan"])),
            "targets": Targets(**_tuples(told["targets"])),
        }
        return Recipe(**{**_BEFORE, **_tuples(told), **nested})
    except (KeyError, TypeError) as fault:
        raise ExportError(f"the run's {RECIPE} was written by another version of poxlens: {fault}") from fault


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def _onnx(bundle: Bundle) -> str:
    for model in bundle.manifest.models:
        if (model.runtime, model.precision) == ("onnx", "fp32"):
            return model.file
    raise ExportError(f"{bundle.source}: the run's bundle holds no ONNX file in 32-bit floats")


def _head_of(model: bytes) -> tuple[Head, Novelty]:
    """Head and novelty as the run's graph holds them."""
    import onnx
    from onnx import numpy_helper

    values = {t.name: numpy_helper.to_array(t) for t in onnx.load_from_string(model).graph.initializer}
    try:
        head = Head(((values["head.weight"], values["head.bias"]),))
        novelty = _gate_of(values) if "gate.weight" in values else _subspace_of(values)
    except KeyError as fault:
        raise ExportError(
            f"the run's model has no {fault}: it was made by another version of poxlens"
        ) from fault
    return head, novelty


def _subspace_of(values: Mapping[str, NDArray[Any]]) -> Subspace:
    return Subspace(
        values["novelty.mean"],
        (1.0 / values["novelty.inverse_scale"]).astype(np.float32),
        values["novelty.directions.half"].astype(np.float32),
    )


def _gate_of(values: Mapping[str, NDArray[Any]]) -> Gate:
    return Gate(
        values["gate.centres.half"].astype(np.float32),
        float(values["gate.slope"][0]),
        float(values["gate.offset"][0]),
        values["gate.weight"],
        values["gate.bias"],
    )
