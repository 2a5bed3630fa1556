"""A trained head becomes a bundle: graph, golden examples, manifest, model card."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from poxlens.bundle.manifest import (
    Calibration,
    ConformalQuantile,
    Evidence,
    Figure,
    Gate,
    Interval,
    Manifest,
    Model,
    OperatingPoint,
)
from poxlens.bundle.pack import pack
from poxlens.bundle.store import Bundle
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.export.card import Story, card
from poxlens.export.graph import assemble
from poxlens.photo.quality import QualityLimits
from poxlens.photo.resize import InputRule
from poxlens.recipes.evidence import Rule
from poxlens.screen.golden import examples
from poxlens.screen.graph import Graph
from poxlens.train.heads import LinearHead
from poxlens.train.novelty import Novelty
from poxlens.train.stored import Stored

_GOLDEN = {"golden/pustules.png": ("umbilicated-pustule", 11)}  # one: each costs a run at every start
_TOLERANCE = 1e-4  # fp32, as in the design
NOT_SKIN_FRACTION = 0.5  # a novel photo with less skin than this is told "not skin"

INTENDED_USE = (
    "Screening aid for close-up photos of a rash: sorts photos into refer, not suspected, uncertain and cannot "
    "assess, to decide who is looked at first. Not a diagnosis; PCR decides."
)
ONE_SOURCE = (
    "All photos of the target come from one source: how it does on photos from elsewhere was not tested, and is likely "
    "worse."
)
_UNSEEN = (
    "Of mpox photos of a source never seen in training, more are called not suspected than out of fold (a hard test: "
    "without that source few mpox photos are left to learn from)."
)
_SCRAPED = ("dermnet", "msid", "msld")
_OF_SCRAPED = (
    "Trained on photos scraped from the web and from teaching collections, not phone photos of consecutive patients.",
    "Each class comes from one to three sources, so part of its accuracy may be the source's (see the shortcuts).",
    _UNSEEN,
    "Healthy close-ups are skin patches cut from photos of people; real healthy close-ups were not available.",
    "Dark skin is under-represented outside the mpox class; its figures are given apart.",
)
_OF_OTHERS = (
    "Trained and tested on the photos listed above alone; part of its accuracy may be their source's (see the "
    "shortcuts).",
    _UNSEEN,
)
_ALWAYS = (
    "Chickenpox and mpox can be present together: another likely rash never rules mpox out.",
    "Skin diseases that it did not learn mostly pass the novelty gate; skin tumours were shown to it as dermoscopy "
    "only.",
    "No photo of early mpox before blisters, of mucosa or of genital lesions was set apart for testing.",
)


@dataclass(frozen=True)
class Trained:
    """All parts of a model."""

    name: str
    version: str
    rule: InputRule
    decision: Rule
    backbone: Stored
    head: LinearHead
    strength: float
    novelty: Novelty
    alpha: float  # of the conformal quantiles


def ship(trained: Trained, figures: Sequence[Figure], story: Story, data_sha256: str, folder: Path) -> Bundle:
    """Write the bundle.

    Args:
        trained: the model.
        figures: its evidence.
        story: of data and protocol.
        data_sha256: of the table of images.
        folder: where the bundle goes.

    Raises:
        TrainingError: when a figure that the manifest needs is missing.
    """
    model = assemble(trained.backbone, trained.head, trained.novelty)
    photos = {path: _phantom(lesion, seed) for path, (lesion, seed) in _GOLDEN.items()}
    decision, points = trained.decision, trained.decision.points
    graph = Graph(model, size=trained.rule.size, classes=len(decision.classes))
    known = {(figure.name, figure.group): figure.interval for figure in figures}
    manifest = Manifest(
        format="poxlens-bundle/1",
        name=trained.name,
        version=trained.version,
        classes=list(decision.classes),
        target=decision.target,
        input=trained.rule,
        models=[Model("onnx", "fp32", "model.onnx", _TOLERANCE)],
        files=[],
        calibration=Calibration(
            "temperature",
            points.temperature,
            _needed(known, "ECE before").value,
            _needed(known, "ECE").value,
            _needed(known, "ECE").n,
        ),
        rule_out=_point(known, decision, "rule-out", points.rule_out),
        rule_in=_point(known, decision, "rule-in", points.rule_in),
        conformal_alpha=trained.alpha,
        conformal={
            name: ConformalQuantile(quantile.quantile, quantile.n)
            for name, quantile in zip(decision.classes, points.quantiles, strict=True)
        },
        gate=Gate(decision.novelty_limit, NOT_SKIN_FRACTION, QualityLimits(), decision.top_probability),
        golden=examples(graph, trained.rule, photos),
        evidence=Evidence(story.protocol(), data_sha256, list(figures)),
        licence="CC-BY-NC-4.0",
        intended_use=INTENDED_USE,
        limits=_limits(story),
    )
    told = card(manifest, story, len(model), trained.strength)
    return pack(folder, manifest, {"model.onnx": model, "MODEL_CARD.md": told.encode(), **photos})


def _limits(story: Story) -> list[str]:
    """What the model's user must know of the photos it learnt from, and of any such model."""
    public = any(source in _SCRAPED for _, source, _ in story.counts)
    own = _OF_SCRAPED if public else _OF_OTHERS
    return [limit if limit != _UNSEEN or story.left_out else ONE_SOURCE for limit in (*own, *_ALWAYS)]


def _phantom(lesion: str, seed: int) -> bytes:
    image = draw(random_spec(seed, size=256, lesion=lesion)).image
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _point(
    known: dict[tuple[str, str], Interval], decision: Rule, name: str, threshold: float
) -> OperatingPoint:
    return OperatingPoint(
        decision.target,
        threshold,
        _needed(known, f"sensitivity, {name}"),
        _needed(known, f"specificity, {name}"),
    )


def _needed(known: dict[tuple[str, str], Interval], name: str) -> Interval:
    if (name, "all") not in known:
        raise TrainingError(f"too few images to compute {name}: give at least 10 of the target and 10 others")
    return known[name, "all"]
