"""Writing a result as the FHIR R4 Bundle of docs/fhir.md, and the clinic's answer beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from poxlens.screen.decision import Outcome
from poxlens.screen.reasons import DISCLAIMER
from poxlens.serve.advice import TITLES, class_name
from poxlens.serve.clinic.fhir.answers import PLACES, SINCE, YES_NO
from poxlens.serve.clinic.fhir.reading import (
    CODE,
    CONDITION,
    OUTCOME,
    PROBABILITY,
    PROFILE,
    REASON,
    PhotoResult,
    Result,
)

LOINC, UCUM, ICD = "http://loinc.org", "http://unitsofmeasure.org", "http://hl7.org/fhir/sid/icd-10"
VERDICT, PCR = "urn:poxlens:verdict", "urn:poxlens:pcr"
_GENDER = "http://hl7.org/fhir/administrative-gender"
_ICD = {"mpox": "B04", "chickenpox": "B01", "measles": "B05", "hfmd": "B08.4", "acne": "L70"}
_PCR_LOINC = {"system": LOINC, "code": "100383-9"}
_SNOMED_RESULT = {"positive": "10828004", "negative": "260385009", "inconclusive": "419984006"}


@dataclass(frozen=True)
class Answered:
    """What the clinic says of a result."""

    verdict: str
    at: float  # seconds since 1970
    diagnosis: str | None
    message: str | None
    pcr: str | None
    pcr_at: float | None


def write_result(result: Result, answered: Answered | None = None) -> dict[str, Any]:
    """The Bundle.

    Args:
        result: of the screening.
        answered: the clinic's answer; with it the Bundle has one Observation more, and one for the PCR.
    """
    at = _time(result.at)
    url = _urls(result.identifier)
    photos = [_photo(photo, at, url) for photo in result.photos]
    places = [url(f"{10 + n:02d}") for n in range(len(photos))]
    entries = [
        (url("01"), _patient(result)),
        (url("02"), _device(result)),
        (url("04"), _response(result, at, url)),
        (url("05"), _screening(result, at, url, places)),
        *zip(places, photos, strict=True),
        (url("06"), _report(result, at, url, places)),
    ]
    if result.outcome != Outcome.not_suspected:
        entries.append((url("07"), _request(result, at, url)))
    if answered is not None:
        entries += _answer(answered, url)
    return {
        "resourceType": "Bundle",
        "meta": {"profile": [PROFILE]},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": result.identifier},
        "type": "collection",
        "timestamp": at,
        "entry": [{"fullUrl": where, "resource": resource} for where, resource in entries],
    }


def _urls(identifier: str) -> Any:
    def url(digits: str) -> str:
        return identifier[:-2] + digits

    return url


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _patient(result: Result) -> dict[str, Any]:
    sex = result.answers.get("sex")
    return {"resourceType": "Patient", **({"gender": sex} if sex else {})}


def _device(result: Result) -> dict[str, Any]:
    version = {"type": _coded(CODE, "bundle"), "value": result.bundle}
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "poxlens", "type": "model-name"}],
        "version": [version],
    }


def _response(result: Result, at: str, url: Any) -> dict[str, Any]:
    items = []
    for name, value in result.answers.items():
        if name in YES_NO:
            answers: list[dict[str, Any]] = [{"valueBoolean": value}]
        elif name == "where":
            answers = [
                {"valueCoding": {"system": "urn:poxlens:place", "code": c}} for c in PLACES if c in value
            ]
        elif name == "since" and value in SINCE:
            answers = [{"valueCoding": {"system": "urn:poxlens:since", "code": value}}]
        elif name == "sex":
            answers = [{"valueCoding": {"system": _GENDER, "code": value}}]
        else:
            answers = [{"valueDecimal": value}]
        items.append({"linkId": name, "answer": answers})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:poxlens:questionnaire:context|2",
        "status": "completed",
        "subject": {"reference": url("01")},
        "authored": at,
        **({"item": items} if items else {}),
    }


def _screening(result: Result, at: str, url: Any, places: list[str]) -> dict[str, Any]:
    parts = [_part("reason", valueCodeableConcept=_coded(REASON, code)) for code in result.reasons]
    parts.append(_part("target", valueCodeableConcept=_condition(result.target)))
    parts += [_part(name, valueQuantity=_share(value)) for name, value in result.limits.items()]
    parts.append(_part("deciding-photo", valueInteger=result.deciding + 1))
    return {
        **_observation("screening", at, url),
        "valueCodeableConcept": _coded(OUTCOME, result.outcome),
        "derivedFrom": [{"reference": one} for one in (url("04"), *places)],
        "component": parts,
    }


def _photo(photo: PhotoResult, at: str, url: Any) -> dict[str, Any]:
    parts = [_part("reason", valueCodeableConcept=_coded(REASON, code)) for code in photo.reasons]
    for name, value in photo.probabilities.items():
        parts.append({"code": _coded(PROBABILITY, name), "valueQuantity": _share(value)})
    parts += [_part("not-excluded", valueCodeableConcept=_condition(code)) for code in photo.prediction_set]
    if photo.novelty is not None:
        parts.append(_part("novelty", valueQuantity=_share(photo.novelty, 3)))
    if photo.ita is not None:
        degrees = {"value": round(photo.ita, 1), "unit": "deg", "system": UCUM, "code": "deg"}
        parts.append(_part("skin-tone-ita", valueQuantity=degrees))
    if photo.tone is not None:
        parts.append(_part("skin-tone", valueString=photo.tone))
    if photo.map_unstable:
        parts.append(_part("map-unstable", valueBoolean=True))
    return {
        **_observation("photo", at, url),
        "valueCodeableConcept": _coded(OUTCOME, photo.outcome),
        "component": parts,
    }


def _observation(kind: str, at: str, url: Any, status: str = "preliminary") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": status,
        "code": _coded(CODE, kind),
        "subject": {"reference": url("01")},
        "effectiveDateTime": at,
        "device": {"reference": url("02")},
    }


def _report(result: Result, at: str, url: Any, places: list[str]) -> dict[str, Any]:
    title, subtitle = TITLES[Outcome(result.outcome)]
    return {
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "code": _coded(CODE, "screening"),
        "subject": {"reference": url("01")},
        "effectiveDateTime": at,
        "result": [{"reference": one} for one in (url("05"), *places)],
        "conclusion": f"{title}. {subtitle} {DISCLAIMER}",
        "conclusionCode": [_coded(OUTCOME, result.outcome)],
    }


def _request(result: Result, at: str, url: Any) -> dict[str, Any]:
    refer = result.outcome == Outcome.refer
    code = {"coding": [_PCR_LOINC]} if refer else _coded("urn:poxlens:request", "examination")
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "proposal",
        "priority": "urgent" if refer else "routine",
        "code": code,
        "subject": {"reference": url("01")},
        "authoredOn": at,
        "reasonReference": [{"reference": url("05")}],
    }


def _answer(answered: Answered, url: Any) -> list[tuple[str, dict[str, Any]]]:
    """The clinician's verdict, and the PCR's result."""
    verdict = {
        **_observation("verdict", _time(answered.at), url, "final"),
        "valueCodeableConcept": _coded(VERDICT, answered.verdict),
        "derivedFrom": [{"reference": url("05")}],
    }
    del verdict["device"]  # a person said so
    if answered.diagnosis is not None:
        verdict["component"] = [_part("diagnosis", valueCodeableConcept=_condition(answered.diagnosis))]
    if answered.message is not None:
        verdict["note"] = [{"text": answered.message}]
    found = [(url("40"), verdict)]
    if answered.pcr is not None:
        test = {
            **_observation("pcr", _time(answered.pcr_at or answered.at), url, "final"),
            "code": {"coding": [_PCR_LOINC]},
        }
        del test["device"]
        if answered.pcr == "not_done":
            test["status"] = "cancelled"
        else:
            told = _coded(PCR, answered.pcr)
            told["coding"].append({"system": "http://snomed.info/sct", "code": _SNOMED_RESULT[answered.pcr]})
            test["valueCodeableConcept"] = told
        found.append((url("41"), test))
    return found


def _part(name: str, **value: Any) -> dict[str, Any]:
    return {"code": _coded(CODE, name), **value}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _condition(code: str) -> dict[str, Any]:
    codings = [{"system": CONDITION, "code": code, "display": class_name(code)}]
    if code in _ICD:
        codings.append({"system": ICD, "code": _ICD[code]})
    return {"coding": codings}


def _share(value: float, digits: int = 4) -> dict[str, Any]:
    return {"value": round(value, digits), "unit": "1", "system": UCUM, "code": "1"}
