"""What clinicians do: blind mode, second opinions, claims, colleagues who are faster, search, FHIR, the explanation."""

from __future__ import annotations

import base64
import io
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.fhir.reading import PhotoResult, Result, read_result
from poxlens.serve.clinic.fhir.writing import write_result
from poxlens.serve.clinic.instants import DAY
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.referrals.states import State
from poxlens.serve.clinic.referrals.urgency import HOURS, SMALL_CHILD, dangers, urgency
from poxlens.serve.clinic.store.erasing import delete_expired
from poxlens.serve.clinic.store.tables import Clinic, Referral

START = 1_790_000_000.0  # of the clock of conftest


def fault(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_blind_mode_hides_everything_of_the_model_until_an_opinion_is_noted(house, policy):
    policy(blind=True)
    filed = house.filed(age=3.0)
    nurse, own = house.signed_in("nurse"), f"/v1/worklist/{filed['id']}"
    for told in (nurse.get("/v1/worklist").json()["items"][0], nurse.get(own).json()):
        assert told["blind"] is True
        assert (told["outcome"], told["probability"], told["urgency"]) == (None, None, "hidden")
        assert told["due_at"] == "2026-09-21T16:13:20.000Z"  # two hours for every child of three
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


def said_by_the_model(outcome: str, number: int, **answers: object) -> dict[str, object]:
    """The body of a referral of a photo that was not sent."""
    photo = PhotoResult(outcome, ("uncertain.between",), {"mpox": 0.5, "acne": 0.5}, ("mpox",), 0.3, "dark")
    identifier = f"urn:uuid:{number:08d}-0000-4000-8000-000000000000"
    result = Result(identifier, START - 60, "b 1", outcome, photo.reasons, "mpox", (photo,), 0, answers)
    return {"result": write_result(result)}


def test_the_queue_of_blind_mode_tells_nothing_of_the_outcome(each_house):
    house, filed = each_house, {}
    outcomes = ("not_suspected", "uncertain", "refer", "cannot_assess")
    for number, outcome in enumerate((*outcomes, *reversed(outcomes))):
        told = house.phone().post("/v1/referrals", json=said_by_the_model(outcome, number))
        assert told.status_code == 201, told.text
        filed[told.json()["id"]] = outcome
        house.clock.pass_(60)
    young = house.phone().post("/v1/referrals", json=said_by_the_model("not_suspected", 9, age=3.0)).json()
    nurse = house.signed_in("nurse")

    def queue() -> list[dict]:
        found, after = [], {}
        while True:
            page = nurse.get("/v1/worklist", params={"most": 2, **after}).json()
            found += page["items"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    by_outcome = [filed[one["id"]] for one in queue() if one["id"] in filed]
    assert by_outcome[:2] == ["refer", "refer"]
    assert by_outcome[-2:] == ["not_suspected", "not_suspected"]
    with house.service.store.writing() as session:
        session.get_one(Clinic, house.ids["north"]).policy = Policy(blind=True).model_dump()
    lines = queue()
    assert [one["id"] for one in lines] == [young["id"], *filed]  # the child first, then as they came
    assert {one["urgency"] for one in lines} == {"hidden"}
    waits = [one["due_at"] for one in lines[1:]]
    assert waits == sorted(waits)
    # Nobody waits longer for the mode: all are due as early as the gravest outcome.
    house.clock.pass_(4 * 3600 - 8 * 60 + 1)
    nurse = house.signed_in("nurse")
    assert [one["overdue"] for one in queue()] == [True, True] + [False] * 7


def test_the_counts_are_those_of_the_rows_whatever_happens(each_house):
    house, luck = each_house, random.Random(4)
    nurse = house.signed_in("nurse")

    def counted() -> dict[str, int]:
        with house.service.store.reading() as session:
            found = Counter(session.scalars(select(Referral.state)))
        return {state.value: found[state] for state in State}

    assert nurse.get("/v1/worklist/counts").json() == dict.fromkeys(counted(), 0)
    for number in range(12):
        body = {**said_by_the_model("refer", number), "person": f"p{number % 5}"}
        own = f"/v1/worklist/{house.phone().post('/v1/referrals', json=body).json()['id']}"
        chosen = luck.choice(["suspected", "not_suspected", "second", "none"])
        if chosen == "second":
            assert nurse.post(f"{own}/second-opinion", json={"revision": 1}).status_code == 200
        elif chosen != "none":
            done = nurse.post(f"{own}/verdict", json={"revision": 1, "verdict": chosen}).json()
            if luck.random() < 0.5:
                nurse.post(f"{own}/pcr", json={"revision": done["revision"], "result": "negative"})
        assert nurse.get("/v1/worklist/counts").json() == counted()
    assert len([n for n in counted().values() if n]) >= 3
    admin = house.signed_in("admin")
    assert admin.post("/v1/admin/erase", json={"person": "p1"}).json()["referrals"] == 3
    assert nurse.get("/v1/worklist/counts").json() == counted()
    assert sum(counted().values()) == 9
    house.clock.pass_(1_826 * DAY)
    assert delete_expired(house.service).referrals == 9
    told = house.signed_in("nurse").get("/v1/worklist/counts").json()
    assert told == counted() == dict.fromkeys(told, 0)


def test_small_children_are_the_same_in_the_app_and_in_the_queue():
    page = Path(__file__).parents[3] / "web/src/questions/answers.ts"
    (years,) = re.findall(r"const SMALL_CHILD = (\d+);", page.read_text("utf-8"))
    assert int(years) == SMALL_CHILD == 8
    assert dangers({"age": 7.9}) == ["small_child"]
    assert dangers({"age": 8.0}) == []


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
    assert urgency("cannot_assess", {"where": ["eyes", "face"], "age": 8}).hours == 12.0
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
