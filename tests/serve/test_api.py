"""The JSON API: what a photo, several photos, answers about the person and bad requests give."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from poxlens.errors import BundleError
from poxlens.screen.decision import Outcome
from poxlens.screen.stability import LIMIT, UNSTABLE
from poxlens.serve.advice import NEXT_STEPS, TITLES, class_name, next_steps
from poxlens.serve.app import create_app
from poxlens.serve.upload import MAX_PHOTOS

URL = "http://127.0.0.1:8731"


@pytest.fixture
def client(fake_screener: Any) -> TestClient:
    return TestClient(create_app(fake_screener, page=()), base_url=URL, raise_server_exceptions=False)


def _post(client: TestClient, *photos: bytes, context: object = None, field: str = "photos") -> Any:
    form = (
        None if context is None else {"context": context if isinstance(context, str) else json.dumps(context)}
    )
    files = [(field, (f"name of a person {i}.jpg", photo, "image/jpeg")) for i, photo in enumerate(photos)]
    return client.post("/api/screen", files=files, data=form)


def _picture(url: str, kind: str) -> Image.Image:
    head, _, data = url.partition(",")
    assert head == f"data:{kind};base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    picture.load()
    return picture


def test_one_photo_gets_an_answer_with_all_that_the_page_shows(client: TestClient, pustules: bytes) -> None:
    reply = _post(client, pustules)
    assert reply.status_code == 200
    body = reply.json()
    person, (photo,) = body["person"], body["photos"]
    assert person["outcome"] == photo["outcome"] == "refer"
    assert (person["title"], person["subtitle"]) == TITLES[Outcome.refer]
    assert person["next"] == list(NEXT_STEPS[Outcome.refer])
    assert person["photos"] == 1
    assert [reason["code"] for reason in photo["reasons"]] == ["refer.probability"]
    assert sum(photo["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert photo["prediction_set"] == ["mpox"]
    assert photo["novelty"] == 7.25
    assert [check["name"] for check in photo["quality"]] == [
        "short_side",
        "aspect",
        "dark",
        "bright",
        "blur",
        "skin",
    ]
    assert photo["quality"][0] == {
        "name": "short_side", "value": 480.0, "limit": 128.0, "passed": True, "reason": "quality.short_side",
        "advice": "The image is too small. Send the original photo, not a preview or a thumbnail.",
    }  # fmt: skip
    assert photo["skin_tone"]["ita"] == pytest.approx(-20.0, abs=8.0)
    assert photo["skin_tone"]["estimate"] is True
    assert (photo["width"], photo["height"]) == (480, 480)
    assert photo["ms"]["total"] >= 8.0


def test_the_preview_is_the_photo_and_the_map_is_strongest_on_the_lesions(
    client: TestClient, pustules: bytes
) -> None:
    (photo,) = _post(client, pustules).json()["photos"]
    preview = _picture(photo["preview"], "image/jpeg")
    original = Image.open(io.BytesIO(pustules))
    assert preview.size == original.size
    difference = np.asarray(preview, float) - np.asarray(original, float)
    assert np.abs(difference).mean() < 3.0
    heat = _picture(photo["heatmap"], "image/png")
    assert heat.mode == "RGBA"
    assert photo["heatmap_box"] == [0.0, 0.0, 1.0, 1.0]
    alpha = np.asarray(heat.getchannel("A"), float)
    grey = np.asarray(original.convert("L").resize(alpha.shape[::-1]), float)
    bright = grey > np.median(grey) + 40
    assert alpha[bright].mean() > 2.0 * alpha[~bright].mean()


@pytest.mark.parametrize(("stability", "warned"), [(None, False), (0.95, False), (0.2, True)])
def test_a_map_that_failed_its_check_comes_with_a_warning(
    fake_screener: Any, pustules: bytes, stability: float | None, warned: bool
) -> None:
    judge = fake_screener._judge
    fake_screener._judge = lambda photo: replace(judge(photo), heatmap_stability=stability)
    client = TestClient(create_app(fake_screener), base_url=URL)
    (photo,) = _post(client, pustules).json()["photos"]
    assert photo["heatmap"] is not None
    assert photo["heatmap_warning"] == (UNSTABLE if warned else None)
    assert photo["outcome"] == "refer"
    if stability is not None:
        assert photo["heatmap_check"] == {"stability": stability, "limit": LIMIT, "unstable": warned}


def test_the_preview_is_finer_than_what_is_screened(
    client: TestClient, pustules: bytes, image_bytes: Any
) -> None:
    large = np.asarray(Image.open(io.BytesIO(pustules)).resize((1600, 1200)))
    (photo,) = _post(client, image_bytes(large)).json()["photos"]
    assert _picture(photo["preview"], "image/jpeg").size == (800, 600)


def test_the_map_covers_the_middle_of_a_long_photo(
    client: TestClient, pustules: bytes, image_bytes: Any
) -> None:
    wide = np.tile(np.asarray(Image.open(io.BytesIO(pustules))), (1, 2, 1))
    (photo,) = _post(client, image_bytes(wide)).json()["photos"]
    left, top, width, height = photo["heatmap_box"]
    assert (top, height) == (0.0, 1.0)
    assert width == pytest.approx(0.75)
    assert left == pytest.approx(0.125)


def test_the_preview_carries_no_metadata(client: TestClient, image_bytes: Any, pustules: bytes) -> None:
    exif = Image.Exif()
    exif[0x010E] = "name of a person"
    tagged = image_bytes(np.asarray(Image.open(io.BytesIO(pustules))), exif=exif)
    assert b"name of a person" in tagged
    reply = _post(client, tagged)
    (photo,) = reply.json()["photos"]
    assert not _picture(photo["preview"], "image/jpeg").getexif()
    assert b"name of a person" not in base64.b64decode(photo["preview"].partition(",")[2])
    assert "name of a person" not in reply.text


def test_several_photos_are_one_person_in_the_order_sent(
    client: TestClient, pustules: bytes, macules: bytes, tiny: bytes
) -> None:
    body = _post(client, macules, tiny, b"no image", pustules).json()
    assert [p["outcome"] for p in body["photos"]] == [
        "not_suspected",
        "cannot_assess",
        "cannot_assess",
        "refer",
    ]
    assert body["person"]["outcome"] == "refer"
    assert body["person"]["photos"] == 4
    assert "person.refused" in [reason["code"] for reason in body["person"]["reasons"]]
    assert [p["readable"] for p in body["photos"]] == [True, True, False, True]


def test_a_refused_photo_shows_its_checks_and_no_numbers_that_mean_nothing(
    client: TestClient, tiny: bytes
) -> None:
    (photo,) = _post(client, tiny).json()["photos"]
    assert photo["outcome"] == "cannot_assess"
    assert next(c["name"] for c in photo["quality"] if not c["passed"]) == "short_side"
    assert photo["reasons"][0]["code"] == "quality.short_side"
    assert photo["probabilities"] == {}
    assert photo["heatmap"] is None
    assert photo["preview"] is not None


def test_what_is_no_photo_is_answered_not_failed(client: TestClient) -> None:
    body = _post(client, b"plain text").json()
    assert body["person"]["outcome"] == "cannot_assess"
    assert body["person"]["readable"] is False
    assert body["person"]["next"] == list(next_steps(Outcome.cannot_assess, readable=False))
    assert body["photos"][0]["reasons"][0]["code"] == "unreadable.not_an_image"
    assert body["photos"][0]["preview"] is None


def test_an_empty_file_is_answered_too(client: TestClient) -> None:
    assert _post(client, b"").json()["photos"][0]["reasons"][0]["code"] == "unreadable.empty"


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"contact_with_case_21d": True}, "context.contact"),
        ({"fever": True, "swollen_lymph_nodes": True}, "context.fever_and_nodes"),
    ],
)
def test_answers_override_the_person_but_not_the_photo(
    client: TestClient, macules: bytes, answers: dict[str, bool], code: str
) -> None:
    body = _post(client, macules, context=answers).json()
    assert body["photos"][0]["outcome"] == "not_suspected"
    assert body["person"]["outcome"] == "refer"
    assert body["person"]["reasons"][0]["code"] == code
    assert body["person"]["context"] == answers


@pytest.mark.parametrize("answers", [{}, {"fever": True}, {"fever": False, "swollen_lymph_nodes": True}, ""])
def test_other_answers_do_not(client: TestClient, macules: bytes, answers: object) -> None:
    assert _post(client, macules, context=answers).json()["person"]["outcome"] == "not_suspected"


@pytest.mark.parametrize(
    ("context", "said"),
    [("{", "not valid JSON"), ("[1]", "JSON object"), ('{"fevr": true}', "'fevr'"), ('{"age": -3}', "age")],
)
def test_wrong_answers_are_named(client: TestClient, macules: bytes, context: str, said: str) -> None:
    reply = _post(client, macules, context=context)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "bad_context"
    assert said in reply.json()["error"]["message"]


def test_the_field_may_be_named_as_php_does(client: TestClient, macules: bytes) -> None:
    assert _post(client, macules, field="photos[]").status_code == 200


def test_bad_requests_have_a_code_and_a_sentence(client: TestClient, macules: bytes) -> None:
    form = {"content-type": "multipart/form-data"}
    bounded = {"content-type": "multipart/form-data; boundary=a"}
    as_file = [("context", ("a", b"x")), ("photos", ("b", macules))]
    cases = [
        (client.post("/api/screen", json={}), 415, "not_multipart"),
        (client.post("/api/screen", files=[("other", ("a", b"x"))]), 400, "no_photo"),
        (client.post("/api/screen", files=as_file), 400, "bad_context"),
        (client.post("/api/screen", headers=form, content=b"x"), 400, "bad_form"),
        (client.post("/api/screen", headers=bounded, content=b"junk"), 400, "bad_form"),
        (_post(client, *[b"x"] * (MAX_PHOTOS + 1)), 400, "too_many"),
        (client.get("/api/screen"), 405, "method"),
        (client.get("/docs"), 404, "not_found"),
        (client.get("/openapi.json"), 404, "not_found"),
        (client.get("/../app.py"), 404, "not_found"),
    ]
    for reply, status, code in cases:
        assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
        assert reply.json()["error"]["message"].endswith(".")


def test_the_most_photos_that_are_allowed_are_answered(client: TestClient) -> None:
    assert len(_post(client, *[b"x"] * MAX_PHOTOS).json()["photos"]) == MAX_PHOTOS


def test_an_upload_over_the_limit_is_refused(fake_screener: Any, pustules: bytes) -> None:
    client = TestClient(create_app(fake_screener, page=(), max_body=20_000), base_url=URL)
    reply = _post(client, pustules)
    assert reply.status_code == 413
    assert reply.json()["error"] == {
        "code": "too_large",
        "message": "The photos are larger than 0.02 MB together. Send fewer, or smaller copies.",
    }
    assert fake_screener.seen == []


def test_no_photo_touches_the_disk(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, image_bytes: Any
) -> None:
    """A form's files over 1 MB usually go to a temporary file; here they must not."""
    rolled = []
    original = tempfile.SpooledTemporaryFile.rollover
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", lambda f: (rolled.append(f), original(f)))
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda *_, **__: pytest.fail("a temporary file was opened")
    )
    loud = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), dtype=np.uint8)
    photo = image_bytes(loud, "PNG")
    assert len(photo) > 5_000_000
    assert _post(client, photo).status_code == 200
    assert rolled == []


def test_a_failing_model_is_told_without_its_inside(fake_screener: Any, pustules: bytes) -> None:
    client = TestClient(create_app(fake_screener, page=()), base_url=URL, raise_server_exceptions=False)
    for fault, said in (
        (BundleError("secret path", client_message="The model failed."), "The model failed."),
        (RuntimeError("secret path"), "could not be screened"),
    ):

        def fail(*_: object, fault: Exception = fault, **__: object) -> None:
            raise fault

        fake_screener.screen = fail
        reply = _post(client, pustules)
        assert reply.status_code == 500
        assert said in reply.json()["error"]["message"]
        assert "secret" not in reply.text


def test_the_model_runs_off_the_event_loop_one_photo_a_core(
    fake_screener: Any, macules: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poxlens.serve.app.available_cores", lambda: 2)
    names, together, most = set(), 0, 0
    lock, met = threading.Lock(), threading.Event()
    screen = fake_screener.screen

    def watched(photo: object, **options: object) -> object:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
            names.add(threading.current_thread().name)
            if together == 2:
                met.set()
        met.wait(10)  # the first photo waits for company, so that a busy machine cannot part the two
        try:
            return screen(photo, **options)
        finally:
            with lock:
                together -= 1

    fake_screener.screen = watched
    client = TestClient(create_app(fake_screener, page=()), base_url=URL)
    assert _post(client, *[macules] * 8).status_code == 200
    assert most == 2
    assert "MainThread" not in names
    assert not any(name.startswith("asyncio-portal") for name in names)


def test_the_bundle_is_described_with_its_evidence(client: TestClient) -> None:
    body = client.get("/api/bundle").json()
    assert (body["name"], body["version"], body["target"]) == ("fake", "0.1", "mpox")
    assert body["classes"][3] == {"code": "hfmd", "name": "Hand, foot and mouth disease"}
    assert body["rule_out"]["sensitivity"] == {"value": 0.962, "low": 0.93, "high": 0.98, "n": 410}
    assert body["figures"][1] == {
        "name": "AUROC of mpox", "group": "dark skin", "value": 0.93, "low": 0.89, "high": 0.96, "n": 340,
    }  # fmt: skip
    assert body["conformal_coverage"] == pytest.approx(0.9)
    assert body["max_bytes"] == 60_000_000
    assert body["disclaimer"] == "A screening aid, not a diagnosis. A PCR test of a skin lesion decides."


def test_a_class_without_a_name_stays_readable() -> None:
    assert class_name("tinea-corporis") == "Tinea corporis"


def test_no_advice_diagnoses() -> None:
    sentences = [s for steps in NEXT_STEPS.values() for s in steps] + [
        s for pair in TITLES.values() for s in pair
    ]
    for sentence in sentences:
        assert sentence.endswith(".") or sentence in {title for title, _ in TITLES.values()}
        for claim in ("you have", "is mpox", "not mpox", "no mpox", "safe", "healthy", "diagnos"):
            assert claim not in sentence.lower()
    assert set(NEXT_STEPS) == set(TITLES) == set(Outcome)
