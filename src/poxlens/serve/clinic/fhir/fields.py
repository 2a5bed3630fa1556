"""Taking fields out of FHIR resources that anybody may have sent: each wrong one is named by its place."""

from __future__ import annotations

import math
from typing import Any


class FhirError(ValueError):
    """A resource that is not of the profile; says where."""


def an_object(value: object, where: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FhirError: when it is something else; so do all functions here.
    """
    if not isinstance(value, dict):
        raise FhirError(f"{where}: must be an object")
    return value


def a_list(value: object, where: str, most: int = 200) -> list[Any]:
    """A list; absent is empty."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise FhirError(f"{where}: must be a list of at most {most}")
    return value


def a_text(value: object, where: str, most: int = 300) -> str:
    """A text of one line."""
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise FhirError(f"{where}: must be a text of 1 to {most} characters")
    return value


def a_number(value: object, where: str, low: float = -1e9, high: float = 1e9) -> float:
    """A number within its range."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise FhirError(f"{where}: must be a number")
    if not low <= value <= high:
        raise FhirError(f"{where}: must be {low:g} to {high:g}, not {value:g}")
    return float(value)


def coded(concept: object, system: str, where: str) -> str | None:
    """The code of a CodeableConcept in a system, wherever it stands in the list; None where it has none."""
    for coding in a_list(an_object(concept, where).get("coding"), f"{where}.coding", 20):
        if an_object(coding, f"{where}.coding").get("system") == system:
            return a_text(coding.get("code"), f"{where}.coding.code", 80)
    return None
