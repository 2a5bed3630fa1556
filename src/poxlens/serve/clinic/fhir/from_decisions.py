"""A result from what this program decided itself: on photos that were screened on the server, and in demonstrations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from poxlens.bundle.manifest import Manifest
from poxlens.screen.decision import Context, Decision, combine
from poxlens.serve.clinic.fhir.reading import PhotoResult, Result


def limits_of(manifest: Manifest) -> dict[str, float]:
    """The limits that a bundle decides by, named as the profile names them."""
    return {
        "rule-in": round(manifest.rule_in.threshold, 4),
        "rule-out": round(manifest.rule_out.threshold, 4),
        "novelty-limit": round(manifest.gate.novelty_limit, 3),
    }


def result_of(
    decisions: Sequence[Decision],
    context: Context | None,
    at: float,
    target: str,
    limits: Mapping[str, float] | None = None,
) -> Result:
    """The result for a person.

    Args:
        decisions: of their photos, one or more.
        context: answers about them.
        at: seconds since 1970.
        target: the class that is screened for.
        limits: of the bundle, by `limits_of`; left out of the result when None.
    """
    person = combine(decisions, context=context)
    deciding = next(
        (
            n
            for n, one in enumerate(decisions)
            if one.outcome is person.outcome and one.prepared is person.prepared
        ),
        0,
    )
    return Result(
        identifier=new_identifier(),
        at=at,
        bundle=person.bundle,
        outcome=person.outcome,
        reasons=tuple(reason.code for reason in person.reasons),
        target=target,
        photos=tuple(_photo(decision) for decision in decisions),
        deciding=deciding,
        answers=context.to_json() if context is not None else {},
        limits=dict(limits or {}),
    )


def new_identifier() -> str:
    """A random UUID whose last two digits are free for the entries of the Bundle."""
    return f"urn:uuid:{str(uuid.uuid4())[:-2]}00"


def _photo(decision: Decision) -> PhotoResult:
    tone = decision.skin_tone
    return PhotoResult(
        outcome=decision.outcome,
        reasons=tuple(reason.code for reason in decision.reasons),
        probabilities={name: round(p, 4) for name, p in decision.probabilities.items()},
        prediction_set=decision.prediction_set,
        novelty=round(decision.novelty, 3) if decision.novelty is not None else None,
        tone=tone.group if tone is not None else None,
        ita=tone.ita if tone is not None else None,
        map_unstable=decision.heatmap_unstable,
    )
