"""The decision: from what was measured on a photo to one outcome with its reasons. Pure functions, no input
or output.

The rule is DESIGN "The decision": readable, then usable, then known, then what it is, then how sure, then the
context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

from poxlens.screen.context import Context
from poxlens.screen.reasons import DISCLAIMER, REASONS, Reason, reason
from poxlens.screen.stability import LIMIT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from poxlens.bundle.manifest import Manifest
    from poxlens.photo.quality import QualityCheck
    from poxlens.photo.skin import SkinTone

__all__ = ["DISCLAIMER", "REASONS", "Context", "Decision", "Outcome", "Reason", "combine", "decide", "judge"]


class Outcome(StrEnum):
    """What to do; the order of CONCERN says which of two weighs more."""

    refer = "refer"
    not_suspected = "not_suspected"
    uncertain = "uncertain"
    cannot_assess = "cannot_assess"


CONCERN = (Outcome.cannot_assess, Outcome.not_suspected, Outcome.uncertain, Outcome.refer)
"""Outcomes from least to most: the one further right decides for a person with several photos."""


@dataclass(frozen=True, eq=False)
class Decision:
    """One photo's, or one person's, outcome with everything that led to it.

    Args:
        outcome: what to do.
        reasons: why, the first being the one that weighs most; never empty.
        probabilities: class -> calibrated probability; empty when the model was not run. A photo that was
            refused for its novelty keeps them for evaluation, but they mean nothing there and `to_json`
            leaves them out.
        prediction_set: classes that conformal prediction cannot exclude.
        heatmap: [h, w] float32 >= 0, what spoke for the target class; None when the model was not run.
        heatmaps: [C, h, w], the same for each class.
        heatmap_stability: agreement of the heat map with that of the mirrored photo, -1 to 1; None when that was not
            looked at. It takes no part in the outcome.
        bundle: name, version and digest of the bundle.
        novelty: higher = less like the training set.
        quality: the checks in the order they were made.
        skin_tone: an estimate; None when the photo could not be read.
        ms: milliseconds for decode, quality, model and total.
        context: the answers that were taken into account.
        prepared: [S, S, 3] uint8, the part of the photo that the model saw, under the heat map.
        photos: of how many photos a person's decision is made; None for one photo.
        target: the class that is screened for.
        readable: whether the file (for a person: any file) could be read as a photo.
        assessed: whether the photo passed every gate, so that its probabilities mean something.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    bundle: str = ""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    prediction_set: tuple[str, ...] = ()
    heatmap: NDArray[np.float32] | None = None
    heatmaps: NDArray[np.float32] | None = None
    heatmap_stability: float | None = None
    novelty: float | None = None
    quality: tuple[QualityCheck, ...] = ()
    skin_tone: SkinTone | None = None
    ms: Mapping[str, float] = field(default_factory=dict)
    context: Context | None = None
    prepared: NDArray[np.uint8] | None = None
    photos: int | None = None
    target: str = ""
    readable: bool = True
    assessed: bool = False

    @property
    def heatmap_unstable(self) -> bool:
        """Whether the heat map failed its own check, so that it must be shown with that warning."""
        return self.heatmap_stability is not None and self.heatmap_stability < LIMIT

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form that a client may see: numbers rounded, no pixels, no metadata of the photo."""
        known = self.novelty is not None and isfinite(self.novelty)
        shown: dict[str, Any] = {
            "outcome": self.outcome.value,
            "reasons": [r.to_json() for r in self.reasons],
            "probabilities": {c: round(p, 6) for c, p in self.probabilities.items()} if self.assessed else {},
            "prediction_set": list(self.prediction_set) if self.assessed else [],
            "novelty": round(self.novelty or 0.0, 6) if known else None,
            "quality": [_quality_json(check) for check in self.quality],
            "skin_tone": _skin_tone_json(self.skin_tone),
            "bundle": self.bundle,
            "ms": {step: round(ms, 2) for step, ms in self.ms.items()},
        }
        if self.heatmap_stability is not None:
            shown["heatmap_check"] = {
                "stability": round(self.heatmap_stability, 4),
                "limit": LIMIT,
                "unstable": self.heatmap_unstable,
            }
        if self.context is not None:
            shown["context"] = self.context.to_json()
        if self.photos is not None:
            shown["photos"] = self.photos
        return shown


def judge(
    probabilities: Mapping[str, float], prediction_set: Sequence[str], manifest: Manifest
) -> tuple[Outcome, tuple[Reason, ...]]:
    """Step 4 of the rule: outcome and reasons from the calibrated probabilities of a photo that passed the
    gate.

    Args:
        probabilities: class -> probability, summing to 1.
        prediction_set: the conformal set.
        manifest: operating points and limits.
    """
    p = probabilities[manifest.target]
    if p >= manifest.rule_in.threshold:
        return Outcome.refer, (reason("refer.probability"),)
    doubts = []
    if not p < manifest.rule_out.threshold:
        doubts.append("uncertain.between")
    if manifest.target in prediction_set:
        doubts.append("uncertain.possible")
    if not prediction_set:
        doubts.append("uncertain.empty_set")
    if not max(probabilities.values()) >= manifest.gate.top_probability:
        doubts.append("uncertain.top_probability")
    if doubts:
        return Outcome.uncertain, tuple(reason(code) for code in doubts)
    return Outcome.not_suspected, (reason("not_suspected.probability"),)


def novelty_reason(novelty: float, skin_fraction: float, manifest: Manifest) -> Reason | None:
    """Step 3 of the rule: why a photo is refused as unlike the training set, or None."""
    if novelty <= manifest.gate.novelty_limit:  # not a number is never below the limit
        return None
    not_skin = skin_fraction < manifest.gate.not_skin_fraction
    return reason("novel.not_skin" if not_skin else "novel.unknown")


def decide(
    manifest: Manifest,
    *,
    bundle: str = "",
    unreadable: Reason | None = None,
    quality: Sequence[QualityCheck] = (),
    novelty: float | None = None,
    skin_fraction: float = 1.0,
    probabilities: Mapping[str, float] | None = None,
    prediction_set: Sequence[str] = (),
    context: Context | None = None,
) -> Decision:
    """The whole rule for one photo, in its order; what comes after the first refusal need not be given.

    Args:
        manifest: of the bundle.
        bundle: its name, version and digest.
        unreadable: why the file could not be read.
        quality: the quality checks.
        novelty: higher = less like the training set.
        skin_fraction: share of the photo that is skin, 0 to 1.
        probabilities: class -> calibrated probability.
        prediction_set: the conformal set.
        context: answers about the person.

    Raises:
        ValueError: when the photo passed every gate given but there are no probabilities to judge.
    """
    failed = tuple(Reason(check.reason, check.advice) for check in quality if not check.passed)
    refusal = None if novelty is None else novelty_reason(novelty, skin_fraction, manifest)
    reasons: tuple[Reason, ...]
    if unreadable is not None:
        outcome, reasons = Outcome.cannot_assess, (unreadable,)
    elif failed:
        outcome, reasons = Outcome.cannot_assess, failed
    elif refusal is not None:
        outcome, reasons = Outcome.cannot_assess, (refusal,)
    elif probabilities and novelty is not None:
        outcome, reasons = judge(probabilities, prediction_set, manifest)
    else:
        raise ValueError("a readable photo of good quality needs its novelty and probabilities")
    decision = Decision(
        outcome,
        reasons,
        bundle=bundle,
        probabilities=dict(probabilities or {}),
        prediction_set=tuple(prediction_set),
        novelty=novelty,
        quality=tuple(quality),
        target=manifest.target,
        readable=unreadable is None,
        assessed=outcome is not Outcome.cannot_assess,
    )
    return decision if context is None else with_context(decision, context)


def with_context(decision: Decision, context: Context) -> Decision:
    """Step 5 of the rule: the decision with the person's answers taken into account, never milder."""
    why = tuple(reason(code) for code in context.override if code not in {r.code for r in decision.reasons})
    if not why:
        return replace(decision, context=context)
    already = decision.outcome is Outcome.refer
    # A reassuring sentence must not stand beside a referral.
    kept = tuple(r for r in decision.reasons if not r.code.startswith("not_suspected."))
    reasons = (*kept, *why) if already else (*why, *kept)
    return replace(decision, outcome=Outcome.refer, reasons=reasons, context=context)


def combine(decisions: Sequence[Decision], *, context: Context | None = None) -> Decision:
    """One decision for a person from the decisions of several photos.

    Any refer decides; else any uncertain; else one assessed photo is enough for not_suspected; else
    cannot_assess. Probabilities, heat map and the rest are those of the deciding photo: among those with the
    person's outcome, the one with the highest probability of the target class; the reasons are of all photos
    with that outcome.

    Args:
        decisions: of one person's photos, all by the same bundle.
        context: answers about the person.

    Raises:
        ValueError: without decisions, or when they are by different bundles.
    """
    if not decisions:
        raise ValueError("a person needs at least one photo")
    if len({decision.bundle for decision in decisions}) > 1:
        raise ValueError("the photos of a person must be screened with one bundle")
    outcome = max((decision.outcome for decision in decisions), key=CONCERN.index)
    deciding = [decision for decision in decisions if decision.outcome is outcome]
    reasons = {r.code: r for decision in deciding for r in decision.reasons}
    refused = sum(decision.outcome is Outcome.cannot_assess for decision in decisions)
    if refused and outcome is not Outcome.cannot_assess:
        reasons["person.refused"] = reason("person.refused")
    lead = max(deciding, key=_certainty)
    steps = {step: sum(d.ms.get(step, 0.0) for d in decisions) for step in lead.ms}
    person = replace(
        lead,
        reasons=tuple(reasons.values()),
        ms=steps,
        photos=len(decisions),
        readable=any(decision.readable for decision in decisions),
    )
    return person if context is None else with_context(person, context)


def _certainty(decision: Decision) -> tuple[bool, float]:
    return decision.assessed, decision.probabilities.get(decision.target, 0.0)


def _quality_json(check: QualityCheck) -> dict[str, Any]:
    limit = list(check.limit) if isinstance(check.limit, tuple) else check.limit
    return {"name": check.name, "value": round(check.value, 4), "limit": limit, "passed": check.passed}


def _skin_tone_json(tone: SkinTone | None) -> dict[str, Any] | None:
    if tone is None:
        return None
    ita = None if tone.ita is None else round(tone.ita, 1)
    return {"ita": ita, "ita_class": tone.ita_class, "group": tone.group, "estimate": True}
