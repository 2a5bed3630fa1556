"""Reading a result of the profile `urn:poxlens:profile:result:1` (docs/fhir.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.fhir.answers import read_answers
from poxlens.serve.clinic.fhir.fields import FhirError, a_list, a_number, a_text, an_object, coded

PROFILE = "urn:poxlens:profile:result:1"
CODE, OUTCOME, REASON = "urn:poxlens:code", "urn:poxlens:outcome", "urn:poxlens:reason"
CONDITION, PROBABILITY = "urn:poxlens:condition", "urn:poxlens:probability"
LIMITS = ("rule-in", "rule-out", "novelty-limit")
MAX_PHOTOS = 12
_IDENTIFIER = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class PhotoResult:
    """What the model said of one photo."""

    outcome: str
    reasons: tuple[str, ...]
    probabilities: dict[str, float] = field(default_factory=dict)  # empty where the model did not see it
    prediction_set: tuple[str, ...] = ()
    novelty: float | None = None
    tone: str | None = None  # "light" or "dark"
    ita: float | None = None  # degrees
    map_unstable: bool = False

    @property
    def assessed(self) -> bool:
        """Whether its probabilities mean something."""
        return self.outcome != Outcome.cannot_assess


@dataclass(frozen=True)
class Result:
    """What a phone found out about a person."""

    identifier: str  # urn:uuid:...
    at: float  # seconds since 1970
    bundle: str  # name, version and digest
    outcome: str
    reasons: tuple[str, ...]
    target: str
    photos: tuple[PhotoResult, ...]
    deciding: int  # index of the photo that decided
    answers: dict[str, Any]
    limits: dict[str, float] = field(default_factory=dict)  # rule-in, rule-out, novelty-limit of that bundle

    @property
    def decided(self) -> PhotoResult:
        """The photo that decided."""
        return self.photos[self.deciding]


def read_result(bundle: dict[str, Any]) -> Result:
    """Read and check a Bundle.

    Args:
        bundle: decoded JSON.

    Raises:
        FhirError: when it is not of the profile; names the place.
    """
    if bundle.get("resourceType") != "Bundle":
        raise FhirError("resourceType: must be Bundle")
    profiles = a_list(an_object(bundle.get("meta"), "meta").get("profile"), "meta.profile", 20)
    if PROFILE not in profiles:
        raise FhirError(f"meta.profile: must name {PROFILE}")
    entries = _entries(bundle)
    observations = [resource for resource in entries if resource["resourceType"] == "Observation"]
    photos = tuple(_photo(resource) for resource in observations if _kind(resource) == "photo")
    if not 1 <= len(photos) <= MAX_PHOTOS:
        raise FhirError(f"entry: must hold 1 to {MAX_PHOTOS} Observations of a photo")
    screening = _only(
        [resource for resource in observations if _kind(resource) == "screening"], "Observation screening"
    )
    parts = _components(screening, "screening")
    deciding = int(a_number(_one(parts, "deciding-photo").get("valueInteger"), "deciding-photo"))
    if not 1 <= deciding <= len(photos):
        raise FhirError(f"deciding-photo: there is no photo {deciding}")
    target = coded(_one(parts, "target").get("valueCodeableConcept"), CONDITION, "target")
    if target is None:
        raise FhirError("target: has no code of urn:poxlens:condition")
    answers = _only(
        [r for r in entries if r["resourceType"] == "QuestionnaireResponse"], "QuestionnaireResponse"
    )
    return Result(
        identifier=_identifier(bundle),
        at=_instant(bundle),
        bundle=_device(entries),
        outcome=_outcome(screening, "screening"),
        reasons=_reasons(parts, "screening"),
        target=target,
        photos=photos,
        deciding=deciding - 1,
        answers=read_answers(answers),
        limits=_limits(parts),
    )


def _limits(parts: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    told = {name: _quantity(parts, name) for name in LIMITS}
    return {name: value for name, value in told.items() if value is not None}


def _entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for place, entry in enumerate(a_list(bundle.get("entry"), "entry", 50)):
        resource = an_object(an_object(entry, f"entry[{place}]").get("resource"), f"entry[{place}].resource")
        a_text(resource.get("resourceType"), f"entry[{place}].resource.resourceType", 60)
        found.append(resource)
    return found


def _identifier(bundle: dict[str, Any]) -> str:
    told = a_text(an_object(bundle.get("identifier"), "identifier").get("value"), "identifier.value", 60)
    if not _IDENTIFIER.fullmatch(told):
        raise FhirError("identifier.value: must be urn:uuid: and a UUID in lower case")
    return told


def _instant(bundle: dict[str, Any]) -> float:
    told = a_text(bundle.get("timestamp"), "timestamp", 40)
    try:
        moment = datetime.fromisoformat(told)
        if moment.tzinfo is None:
            raise ValueError
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise FhirError("timestamp: must be a time with seconds and offset") from None


def _device(entries: list[dict[str, Any]]) -> str:
    device = _only([resource for resource in entries if resource["resourceType"] == "Device"], "Device")
    versions = a_list(device.get("version"), "Device.version", 10)
    if not versions:
        raise FhirError("Device.version: must name the bundle")
    return a_text(an_object(versions[0], "Device.version").get("value"), "Device.version.value", 200)


def _photo(resource: dict[str, Any]) -> PhotoResult:
    parts = _components(resource, "photo")
    tone = [a_text(part.get("valueString"), "skin-tone", 8) for part in parts.get("skin-tone", [])]
    if any(told not in ("light", "dark") for told in tone):
        raise FhirError("skin-tone: must be light or dark")
    excluded = [
        coded(part.get("valueCodeableConcept"), CONDITION, "not-excluded")
        for part in parts.get("not-excluded", [])
    ]
    return PhotoResult(
        outcome=_outcome(resource, "photo"),
        reasons=_reasons(parts, "photo"),
        probabilities=_probabilities(resource),
        prediction_set=tuple(code for code in excluded if code is not None),
        novelty=_quantity(parts, "novelty"),
        tone=tone[0] if tone else None,
        ita=_quantity(parts, "skin-tone-ita"),
        map_unstable=any(part.get("valueBoolean") is True for part in parts.get("map-unstable", [])),
    )


def _components(resource: dict[str, Any], where: str) -> dict[str, list[dict[str, Any]]]:
    """Components by their code of urn:poxlens:code; those of other systems are left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in a_list(resource.get("component"), f"{where}.component", 60):
        code = coded(an_object(part, f"{where}.component").get("code"), CODE, f"{where}.component.code")
        if code is not None:
            found.setdefault(code, []).append(part)
    return found


def _probabilities(resource: dict[str, Any]) -> dict[str, float]:
    found = {}
    for part in a_list(resource.get("component"), "photo.component", 60):
        name = coded(part.get("code"), PROBABILITY, "photo.component.code")
        if name is not None:
            value = an_object(part.get("valueQuantity"), f"probability {name}").get("value")
            found[name] = a_number(value, f"probability {name}", 0.0, 1.0)
    return found


def _quantity(parts: dict[str, list[dict[str, Any]]], name: str) -> float | None:
    if name not in parts:
        return None
    return a_number(an_object(parts[name][0].get("valueQuantity"), name).get("value"), name)


def _outcome(resource: dict[str, Any], where: str) -> str:
    told = coded(resource.get("valueCodeableConcept"), OUTCOME, f"{where}.valueCodeableConcept")
    if told not in set(Outcome):
        raise FhirError(f"{where}: the outcome must be one of {', '.join(Outcome)}, not {told!r}")
    return str(told)


def _reasons(parts: dict[str, list[dict[str, Any]]], where: str) -> tuple[str, ...]:
    told = [
        coded(part.get("valueCodeableConcept"), REASON, f"{where}.reason") for part in parts.get("reason", [])
    ]
    reasons = tuple(code for code in told if code is not None)
    if not reasons:
        raise FhirError(f"{where}: has no reason")
    return reasons


def _kind(resource: dict[str, Any]) -> str | None:
    return coded(resource.get("code"), CODE, "Observation.code")


def _one(parts: dict[str, list[dict[str, Any]]], name: str) -> dict[str, Any]:
    return _only(parts.get(name, []), f"component {name}")


def _only(found: list[dict[str, Any]], what: str) -> dict[str, Any]:
    if len(found) != 1:
        raise FhirError(f"entry: must hold one {what}, not {len(found)}")
    return found[0]
