"""What clinicians do: blind mode, second opinions, claims, colleagues who are faster, search, FHIR, the explanation."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.fhir.reading import read_result
from poxlens.serve.clinic.referrals.urgency import HOURS, urgency


def fault(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_blind_mode_hides_everything_of_the_model_until_an_opinion_is_noted(house, policy):
    policy(blind=True)
    filed = house.filed(age=3.0)
    nurse, own = house.signed_in("nurse"), f"/v1/worklist/{filed['id']}"
    for told in (nurse.get("/v1/worklist").json()["items"][0], nurse.get(own).json()):
        assert told["blind"] is True
        assert (told["outcome"], told["probability"], told["due_at"], told["urgency"]) == (
            None,
            None,
            None,
            "hidden",
        )
        assert told["dangers"] == ["small_child"]  # of the answers, not of the model
    detail = nurse.get(own).json()
    assert (detail["reasons"], detail["deciding_photo"]) == ([], None)
    photo = detail["photo_results"][0]
    assert (photo["outcome"], photo["probabilities"], photo["novelty"], photo["map_unstable"]) == (
        None,
        {},
        None,
        None,
    )
    assert "refer" not in nurse.get(own).text.replace("referral", "")
    assert fault(nurse.get(f"{own}/photos/1/explanation")) == (403, "blind")
    assert fault(nurse.get(f"{own}/fhir")) == (403, "blind")
    assert fault(nurse.get("/v1/worklist", params={"outcome": "refer"})) == (403, "blind")
    assert nurse.get(f"{own}/photos/1").status_code == 200

    opened = nurse.post(f"{own}/opinion", json={"verdict": "not_suspected"}).json()
    assert (opened["blind"], opened["outcome"], opened["notes"][0]["blind"]) == (False, "refer", True)
    assert nurse.get(f"{own}/photos/1/explanation").status_code == 200
    # Colleagues are still to look for themselves.
    assert house.signed_in("doctor").get(own).json()["blind"] is True
    # A verdict after it is not blind any more, and replaces nothing of what was noted.
    house.clock.pass_(1)
    said = {"verdict": "suspected", "revision": opened["revision"]}
    notes = nurse.post(f"{own}/verdict", json=said).json()["notes"]
    assert [(one["kind"], one["verdict"], one["blind"]) for one in notes] == [
        ("opinion", "not_suspected", True),
        ("verdict", "suspected", False),
    ]


def test_a_second_opinion_comes_back_to_the_queue(house):
    filed = house.filed()
    nurse, doctor = house.signed_in("nurse"), house.signed_in("doctor")
    own = f"/v1/worklist/{filed['id']}"
    colleagues = {one["name"]: one["id"] for one in nurse.get("/v1/worklist/colleagues").json()}
    assert sorted(colleagues) == ["both", "doctor"]  # clinicians of this clinic, not oneself
    asked = nurse.post(
        f"{own}/second-opinion", json={"revision": 1, "note": "?", "colleague": colleagues["doctor"]}
    )
    assert (asked.json()["state"], asked.json()["waiting"]) == ("second_opinion", True)
    stranger = {"revision": asked.json()["revision"], "colleague": house.ids["stranger"]}
    assert fault(nurse.post(f"{own}/second-opinion", json=stranger)) == (404, "not_found")
    assert [one["state"] for one in doctor.get("/v1/worklist").json()["items"]] == ["second_opinion"]
    said = {"verdict": "not_suspected", "revision": asked.json()["revision"]}
    assert doctor.post(f"{own}/verdict", json=said).json()["state"] == "closed"


def test_two_clinicians_do_not_overwrite_each_other(house):
    filed = house.filed()
    nurse, doctor = house.signed_in("nurse"), house.signed_in("doctor")
    own = f"/v1/worklist/{filed['id']}"
    assert nurse.post(f"{own}/claim", json={"claim": True}).json()["claimed_by_me"] is True
    assert doctor.get("/v1/worklist").json()["items"][0]["claimed"] is True
    said = {"verdict": "not_suspected", "revision": 1}
    assert fault(doctor.post(f"{own}/claim", json={"claim": True})) == (409, "claimed")
    assert fault(doctor.post(f"{own}/verdict", json=said)) == (409, "claimed")
    house.clock.pass_(15 * 60)  # the nurse went away
    assert doctor.post(f"{own}/verdict", json=said).status_code == 200
    assert fault(nurse.post(f"{own}/verdict", json=said)) == (409, "changed")
    assert nurse.post(f"{own}/verdict", json={**said, "revision": 2}).json()["revision"] == 3


def test_a_diagnosis_belongs_to_its_verdict(house):
    own = f"/v1/worklist/{house.filed()['id']}/verdict"
    nurse = house.signed_in("nurse")
    for body in (
        {"verdict": "other_diagnosis", "revision": 1},
        {"verdict": "suspected", "diagnosis": "acne", "revision": 1},
    ):
        assert fault(nurse.post(own, json=body)) == (422, "diagnosis")
    body = {"verdict": "other_diagnosis", "diagnosis": "leprosy", "revision": 1}
    assert fault(nurse.post(own, json=body)) == (422, "invalid")
    pcr = own.replace("verdict", "pcr")
    assert fault(nurse.post(pcr, json={"result": "positive", "revision": 1})) == (409, "no_verdict")


def test_search(house):
    first = house.filed(person="A 1")
    house.clock.pass_(3_600)
    second = house.phone().post("/v1/referrals", json=house.referral(photos=False)).json()
    nurse = house.signed_in("nurse")
    nurse.post(f"/v1/worklist/{first['id']}/verdict", json={"verdict": "not_suspected", "revision": 1})

    def found(**wanted):
        return [one["id"] for one in nurse.get("/v1/worklist", params=wanted).json()["items"]]

    assert found() == [second["id"]]
    assert found(waiting=False) == [first["id"]]
    assert found(state="closed") == [first["id"]]
    assert found(person="a  1") == [first["id"]]  # spaces and case do not matter
    assert found(person="A 2") == []
    assert found(code=first["code"].lower()) == [first["id"]]
    assert found(verdict="not_suspected") == [first["id"]]
    assert found(outcome="refer") == [second["id"]]
    assert found(waiting=False, filed_to=house.clock() - 1) == [first["id"]]
    assert found(filed_from=house.clock()) == [second["id"]]


def test_urgency_halves_the_hours_for_each_danger():
    assert urgency("refer", {}).hours == HOURS[Outcome.refer] == 4.0
    assert urgency("uncertain", {"pregnant": True}).hours == 6.0
    assert urgency("not_suspected", {"weak_immunity": True, "risk_group": True, "age": 4.9}).hours == 6.0
    assert urgency("cannot_assess", {"where": ["eyes", "face"], "age": 5}).hours == 12.0
    assert urgency("refer", {"pregnant": False, "age": None}).level == "urgent"
    assert [urgency(one, {}).level for one in ("uncertain", "cannot_assess")] == ["soon", "routine"]


def test_the_explanation_has_a_map_and_where_it_lies(house):
    told = house.signed_in("nurse").get(f"/v1/worklist/{house.filed()['id']}/photos/1/explanation").json()
    assert told["outcome"] == "refer"
    with Image.open(io.BytesIO(base64.b64decode(told["heatmap"].partition(",")[2]))) as layer:
        assert layer.mode == "RGBA"
    assert told["heatmap_box"] == [0.0, 0.0, 1.0, 1.0]


def test_what_went_in_as_fhir_comes_out_with_the_answer(house):
    body = house.referral(fever=True, age=7.0, sex="female")
    filed = house.phone().post("/v1/referrals", json=body).json()
    nurse = house.signed_in("nurse")
    out = nurse.get(f"/v1/worklist/{filed['id']}/fhir")
    assert out.headers["content-type"] == "application/fhir+json"
    assert read_result(out.json()) == read_result(body["result"])
    assert out.json() == body["result"]
    said = {"verdict": "other_diagnosis", "diagnosis": "chickenpox", "message": "Rest.", "revision": 1}
    nurse.post(f"/v1/worklist/{filed['id']}/verdict", json=said)
    nurse.post(f"/v1/worklist/{filed['id']}/pcr", json={"result": "negative", "revision": 2})
    entries = nurse.get(f"/v1/worklist/{filed['id']}/fhir").json()["entry"]
    verdict, pcr = (one["resource"] for one in entries[-2:])
    assert verdict["status"] == "final"
    assert verdict["valueCodeableConcept"]["coding"][0] == {
        "system": "urn:poxlens:verdict",
        "code": "other_diagnosis",
    }
    assert verdict["component"][0]["valueCodeableConcept"]["coding"][1]["code"] == "B01"
    assert verdict["note"] == [{"text": "Rest."}]
    assert pcr["code"]["coding"][0]["code"] == "100383-9"
    assert [one["code"] for one in pcr["valueCodeableConcept"]["coding"]] == ["negative", "260385009"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda b: b.update(resourceType="Patient"), "must be Bundle"),
        (
            lambda b: b["meta"].update(profile=["urn:poxlens:profile:result:2"]),
            "must name urn:poxlens:profile:result:1",
        ),
        (lambda b: b["identifier"].update(value="urn:uuid:x"), "identifier.value"),
        (lambda b: b.update(timestamp="2026-11-20"), "timestamp"),
        (lambda b: b["entry"].pop(1), "one Device, not 0"),
        (lambda b: b["entry"].append(b["entry"][3]), "one Observation screening, not 2"),
        (lambda b: b["entry"].pop(4), "1 to 12 Observations of a photo"),
        (
            lambda b: b["entry"][3]["resource"]["valueCodeableConcept"]["coding"][0].update(code="ill"),
            "must be one of",
        ),
        (lambda b: b["entry"][3]["resource"]["component"][-1].update(valueInteger=2), "there is no photo 2"),
        (
            lambda b: b["entry"][4]["resource"]["component"][1]["valueQuantity"].update(value=1.5),
            "must be 0 to 1",
        ),
        (lambda b: b["entry"][4]["resource"].update(component="x"), "must be a list"),
        (lambda b: b.update(entry=[{"resource": 5}]), "must be an object"),
    ],
)
def test_a_bundle_that_is_not_of_the_profile_is_refused_by_its_place(house, spoil, why):
    body = house.referral()
    spoil(body["result"])
    answer = house.phone().post("/v1/referrals", json=body)
    assert fault(answer) == (422, "result")
    assert why in answer.json()["error"]["message"]


def test_a_file_that_is_no_photo_is_refused_by_its_number(house):
    body = house.referral()
    body["photos"] = [base64.b64encode(b"GIF89a nothing").decode()]
    answer = house.phone().post("/v1/referrals", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("Photo 1: ")
    body["photos"] = ["not base64!"]
    assert fault(house.phone().post("/v1/referrals", json=body)) == (422, "photos")
    assert house.signed_in("nurse").get("/v1/worklist").json()["items"] == []
