"""The model card: what a bundle was made from and how good it is, written from its manifest and its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from poxlens.bundle.manifest import Figure, Interval, Manifest


class Plan(Protocol):
    """What the card tells of the cross-validation."""

    @property
    def repeats(self) -> int:
        """How often all images were dealt to folds."""

    @property
    def folds(self) -> int:
        """Outer folds."""

    @property
    def inner_folds(self) -> int:
        """Folds inside a training part."""

    @property
    def strengths(self) -> tuple[float, ...]:
        """Penalties to choose from."""


@dataclass(frozen=True)
class Story:
    """What a run tells of its data and protocol."""

    counts: Mapping[tuple[str, str, str], int]  # (classes it may be, data set, label) -> images
    networks: tuple[str, ...]
    groups: int  # independent groups of images
    suspects: int  # pairs of images of two sources that may show the same skin
    skipped: int  # images that could not be read
    plan: Plan
    left_out: Mapping[str, tuple[int, int]]  # source -> mpox images, and their groups, learnt from without it
    eight_bit: int  # convolutions whose weights are stored in eight bits
    whole_people: str  # label whose photos also gave skin patches
    steadiness: float = 0.0  # weight of what eight bits disturb, in the head's penalty; 0: none was measured

    def protocol(self) -> str:
        """The protocol in a paragraph."""
        plan = self.plan
        return (
            f"{plan.repeats} x {plan.folds}-fold cross-validation in which patients and near-duplicates stay on one "
            f"side ({self.groups} groups); a source that holds mpox is tested by itself, and images of other "
            f"sources that may show the same skin ({self.suspects} pairs) are left out of training for its test "
            f"folds (strict filter). The penalty is chosen among {', '.join(f'{s:g}' for s in plan.strengths)} inside "
            f"each training part ({plan.inner_folds} folds). Intervals: 95 %, bootstrap over groups of the mean of "
            "the repeats. Thresholds and quantiles are read off the out-of-fold predictions that the figures use"
            f"{self._left_out()}"
        )

    def _left_out(self) -> str:
        """How much the test of a source never seen stands on."""
        if not self.left_out:
            return "; all mpox images are of one source, so none was tested on a source never seen."
        each = [
            f"{images} mpox images ({groups} groups) without {name}"
            for name, (images, groups) in self.left_out.items()
        ]
        return (
            "; the rule-in point must also hold on each mpox source left out of training. Sources share photos, so "
            f"the heads of that test learnt from {' and '.join(each)}, given the weight that "
            "mpox has with all sources: it is a hard test of a head that knows less than the one that ships."
        )


def card(manifest: Manifest, story: Story, model_bytes: int, strength: float) -> str:
    """MODEL_CARD.md.

    Args:
        manifest: of the bundle, files not yet listed.
        story: of the run.
        model_bytes: size of the model file.
        strength: the penalty of the final head.
    """
    figures = manifest.evidence.figures
    parts = [
        f"# {manifest.name} {manifest.version}",
        manifest.intended_use,
        "## What it is",
        f"{_networks(story.networks)} on one {manifest.input.size} px image, "
        "feature maps joined and averaged over places; one linear head (multinomial logistic regression, C = "
        f"{strength:g}, mean of the image and its mirror image in training); temperature "
        f"{manifest.calibration.temperature:.3f}; Grad-CAM of each class and novelty computed in the same graph. "
        f"model.onnx is {model_bytes / 1e6:.2f} MB: batch norm folded, weights stored in half precision"
        f"{', the least sensitive pointwise convolutions in eight bits' if story.eight_bit else ''}; all arithmetic in "
        "32-bit floats. The head was trained and "
        f"tested on features of exactly these stored weights.{_steady(story.steadiness)}",
        "## What it was trained on",
        _data(story),
        f"Images that could not be read: {story.skipped}. SHA-256 of the table: `{manifest.evidence.data_sha256}`.",
        "All images go through the runtime's own decoding and input rule and one JPEG compression of the same quality; "
        "watermark strips are cut off. Images whose class is one of several learn from the sum of those "
        f'probabilities. Skin patches ("patch") are cut from photos of people labelled "{story.whole_people}".',
        "## How it was tested",
        story.protocol(),
        "## How good it is",
        *_sections(figures),
        "## Decisions",
        _decisions(manifest, unseen=bool(story.left_out)),
        "## Limits",
        "\n".join(f"- {limit}" for limit in manifest.limits),
        "## Licence",
        f"{manifest.licence} (the training images are non-commercial); network weights Apache-2.0 and BSD-3-Clause.",
    ]
    return "\n\n".join(parts) + "\n"


def _steady(steadiness: float) -> str:
    if steadiness <= 0:
        return ""
    return (
        " It reads little from directions of the features that computing in eight bits disturbs, measured on the "
        f"images it learnt from (weight {steadiness:g} of this against the plain penalty)."
    )


def _networks(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        levels = ", its last feature map and three earlier ones" if names[0].endswith("@levels") else ""
        return f"A frozen ImageNet network ({names[0].partition('@')[0]}{levels})"
    return f"Frozen ImageNet networks side by side ({', '.join(names)})"


def _data(story: Story) -> str:
    lines = ["| class | data set | label | images |", "|---|---|---|---|"]
    lines += [
        f"| {may} | {source} | {label} | {n} |" for (may, source, label), n in sorted(story.counts.items())
    ]
    return "\n".join(lines)


def _sections(figures: Iterable[Figure]) -> list[str]:
    """One table a kind of group, in the order in which the figures came."""
    kinds: dict[str, list[Figure]] = {}
    for figure in figures:
        kinds.setdefault(_kind(figure.group), []).append(figure)
    parts = []
    for kind, members in kinds.items():
        lines = ["| group | figure | value | 95 % interval | n |", "|---|---|---|---|---|"]
        lines += [f"| {f.group} | {f.name} | {_row(f.interval)} |" for f in members]
        parts += [f"### {kind}", "\n".join(lines)]
    return parts


def _kind(group: str) -> str:
    for words, kind in (
        ("against", "Novelty"),  # "against known classes": before "class"
        ("not skin", "Novelty"),
        ("another kind", "Novelty"),
        ("shortcut", "Shortcuts: what can be told without the rash"),
        ("never seen", "A source left out of training"),
        ("filter", "Ranking, by how strictly shared photos are kept apart"),
        ("skin", "Skin tone (an estimate)"),
        ("source", "By source"),
        ("class", "By class"),
    ):
        if words in group:
            return kind
    return "All known classes"


def _row(interval: Interval) -> str:
    return f"{interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f} | {interval.n}"


def _decisions(manifest: Manifest, *, unseen: bool) -> str:
    out, into = manifest.rule_out, manifest.rule_in
    held = (
        "The rule-out point holds in every mpox source out of fold, but not in a source that training never saw; the "
        "rule-in point holds there too."
        if unseen
        else "Both points hold out of fold; neither was tested on a source that training never saw."
    )
    return (
        f"With p the calibrated probability of {manifest.target}: refer at p >= {into.threshold:.4f}; not suspected at "
        f"p < {out.threshold:.4f} with {manifest.target} outside the conformal set (alpha "
        f"{manifest.conformal_alpha:g}, class-conditional) and the most probable class at "
        f"{manifest.gate.top_probability:g} or more; uncertain otherwise. Novelty above "
        f"{manifest.gate.novelty_limit:.4f} is refused. {held}"
    )
