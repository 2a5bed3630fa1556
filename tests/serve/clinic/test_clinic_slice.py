"""A referral's whole way: in from a phone, up the worklist, a verdict, and the reply by the code."""

from __future__ import annotations

import io

from PIL import Image


def test_a_referral_is_filed_looked_at_and_answered(house):
    filed = house.filed(person="17 of 2026", fever=True, age=3.0)
    assert filed["replayed"] is False
    assert len(filed["code"]) == 14

    anyone = house.client()
    waiting = anyone.post("/v1/status", json={"code": filed["code"]}).json()
    assert (waiting["state"], waiting["answer"], waiting["test_result"]) == ("waiting", None, None)

    nurse = house.signed_in("nurse")
    items = nurse.get("/v1/worklist").json()["items"]
    assert [item["id"] for item in items] == [filed["id"]]
    assert items[0]["outcome"] == "refer"
    assert items[0]["dangers"] == ["small_child"]
    assert items[0]["age"] == 3.0
    # Four hours for `refer`, halved for a small child.
    assert items[0]["due_at"] == "2026-09-21T16:13:20.000Z"

    detail = nurse.get(f"/v1/worklist/{filed['id']}").json()
    assert detail["person"] == "17 of 2026"
    assert detail["answers"] == {"fever": True, "age": 3.0}
    assert detail["photo_results"][0]["probabilities"]["mpox"] == 0.93
    photo = nurse.get(f"/v1/worklist/{filed['id']}/photos/1")
    with Image.open(io.BytesIO(photo.content)) as opened:
        assert opened.format == "JPEG"
        assert opened.size == (480, 480)
        assert not opened.getexif()

    said = {"verdict": "suspected", "message": "Please come for a test.", "revision": detail["revision"]}
    answered = nurse.post(f"/v1/worklist/{filed['id']}/verdict", json=said)
    assert answered.status_code == 200
    assert answered.json()["state"] == "awaiting_pcr"
    assert nurse.get("/v1/worklist").json()["items"] == []
    counts = nurse.get("/v1/worklist/counts").json()
    assert counts == {"new": 0, "second_opinion": 0, "awaiting_pcr": 1, "closed": 0}

    reply = anyone.post("/v1/status", json={"code": filed["code"].lower().replace("-", "")}).json()
    assert (reply["state"], reply["answer"], reply["message"]) == (
        "answered",
        "suspected",
        "Please come for a test.",
    )
    assert "PCR" in reply["title"]

    revision = answered.json()["revision"]
    tested = nurse.post(f"/v1/worklist/{filed['id']}/pcr", json={"result": "positive", "revision": revision})
    assert tested.json()["state"] == "closed"
    reply = anyone.post("/v1/status", json={"code": filed["code"]}).json()
    assert reply["test_result"] == "positive"
    assert house.actions()[-5:] == ["referral.filed", "signin", "referral.opened", "verdict", "pcr"]


def test_the_same_referral_sent_again_is_one(house):
    body = house.referral()
    first = house.phone().post("/v1/referrals", json=body)
    again = house.phone().post("/v1/referrals", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "replayed": True}
    other = house.phone().post("/v1/referrals", json={**body, "person": "somebody else"})
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "key_reused"
    assert len(house.signed_in("nurse").get("/v1/worklist").json()["items"]) == 1


def test_a_photo_is_taken_with_consent_only(house):
    body = house.referral()
    body["consent"]["photo"] = False
    answer = house.phone().post("/v1/referrals", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "consent"
    filed = house.filed(photos=False)
    nurse = house.signed_in("nurse")
    assert nurse.get(f"/v1/worklist/{filed['id']}/photos/1").status_code == 404
    assert nurse.get(f"/v1/worklist/{filed['id']}").json()["photo_results"][0]["available"] is False
