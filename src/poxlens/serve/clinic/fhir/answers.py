"""The answers about a person in a QuestionnaireResponse of `urn:poxlens:questionnaire:context`."""

from __future__ import annotations

from typing import Any

from poxlens.screen.context import MAX_AGE, SEXES
from poxlens.serve.clinic.fhir.fields import FhirError, a_list, a_number, a_text, an_object

YES_NO = (
    "contact_with_case_21d", "fever", "swollen_lymph_nodes", "exposure", "risk_group", "pregnant", "weak_immunity",
)  # fmt: skip
PLACES = (
    "face", "eyes", "mouth", "neck", "chest", "back", "arms", "hands", "genitals", "bottom", "legs", "feet",
)  # fmt: skip
SINCE = ("1d", "4d", "7d", "14d", "28d", "longer")


def read_answers(response: dict[str, Any]) -> dict[str, Any]:
    """Answers by linkId: bool, number, text, or list of texts for `where`; not answered is absent.

    Answers to questions that are not known here are left out, as a newer phone may ask more.

    Raises:
        FhirError: for an answer of the wrong kind.
    """
    found: dict[str, Any] = {}
    for item in a_list(response.get("item"), "QuestionnaireResponse.item", 60):
        name = a_text(an_object(item, "item").get("linkId"), "item.linkId", 80)
        given = [an_object(answer, name) for answer in a_list(item.get("answer"), f"{name}.answer", 20)]
        if not given:
            continue
        if name in YES_NO:
            found[name] = _yes_no(given[0], name)
        elif name == "where":
            found[name] = sorted({_choice(answer, name, PLACES) for answer in given})
        elif name == "since":
            found[name] = _choice(given[0], name, SINCE)
        elif name == "age":
            found[name] = a_number(
                given[0].get("valueDecimal", given[0].get("valueInteger")), name, 0, MAX_AGE
            )
        elif name == "sex":
            found[name] = _choice(given[0], name, SEXES)
    return found


def _yes_no(answer: dict[str, Any], name: str) -> bool:
    value = answer.get("valueBoolean")
    if not isinstance(value, bool):
        raise FhirError(f"{name}: must be valueBoolean")
    return value


def _choice(answer: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    code = an_object(answer.get("valueCoding"), name).get("code")
    if code not in known:
        raise FhirError(f"{name}: must be one of {', '.join(known)}")
    return str(code)
