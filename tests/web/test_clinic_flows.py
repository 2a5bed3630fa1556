"""From a person to the clinic and back in Chromium: by the network, by QR codes, and at the clinic's own camera."""

from __future__ import annotations

import base64
import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from benchmarks.browser_worker import FLAGS, chromium
from PIL import Image
from tests.web.clinic_server import ClinicServer, sign_in
from tests.web.conftest import Visit
from tests.web.test_camera import SIDE, y4m
from tests.web.test_reader import bundle, codes

from poxlens.serve.clinic.demo import PASSWORD

pytestmark = pytest.mark.browser

JPEG = (
    base64.b64encode(b"\xff\xd8\xff\xe0\0\x10JFIF").decode().rstrip("=")
)  # how each photo that is sent begins


@pytest.fixture
def nurse(clinic: ClinicServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=clinic.url) as program:
        told = program.post("/v1/session", json={"name": "nurse", "password": PASSWORD}).json()
        program.headers["x-csrf-token"] = told["csrf"]
        yield program


def test_from_the_phone_to_the_verdict_to_the_reply(
    visit: Callable[..., Any], clinic: ClinicServer, pustules: np.ndarray
) -> None:
    with io.BytesIO() as stream:
        Image.fromarray(pustules).save(stream, "JPEG", quality=90)
        photo = stream.getvalue()
    before = clinic.referrals
    phone = visit(clinic.url)
    page = phone.page
    phone.begin()
    phone.choose(photo)
    phone.to_answer()
    phone.press(".row.end .primary")
    page.locator("#device").fill(clinic.token)
    page.locator("#person").fill("gate 7")
    phone.tick("send-photos")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    phone.context.set_offline(True)
    phone.press(".send .primary")
    page.get_by_text("It waits for the network").wait_for()
    lying = phone.lying()  # nothing to read for whoever takes the files of the browser's storage
    assert "sealed" in lying
    for secret in (clinic.token, "gate 7", "Questionnaire", JPEG):
        assert secret not in lying, secret
    # The battery dies, the phone is switched on again without a network, and then there is one.
    page.reload()
    page.locator("h1").wait_for()
    page.get_by_role("button", name="Kept results").click()
    page.get_by_text("It waits for the network").wait_for()
    assert clinic.referrals == before
    phone.context.set_offline(False)
    page.locator(".sent b").wait_for()
    code = page.locator(".sent b").inner_text()
    assert clinic.referrals == before + 1
    assert page.evaluate(WAITING) == [False]
    assert len(phone.lying()) < 3_000  # the photo is no longer on the phone
    assert code not in phone.lying()

    desk = visit(f"{clinic.url}/clinic/", viewport={"width": 1280, "height": 800}).page
    sign_in(desk, "nurse", PASSWORD)
    desk.locator(".search").fill(code)
    desk.locator(".lines .line").nth(1).wait_for(state="detached")
    desk.locator(".line").click()
    desk.get_by_text("gate 7").wait_for()
    desk.locator(".frame-photo img").wait_for()
    desk.keyboard.press("1")
    desk.locator("[name=message]").fill("Come to the gate on Monday.")
    desk.get_by_role("button", name="Give the verdict").click()
    desk.get_by_text("The verdict is given").wait_for()

    page.get_by_role("button", name="Look for the reply").first.click()
    page.get_by_text("Come to the gate on Monday.").wait_for()
    assert "suspects mpox" in page.locator(".clinic-reply").inner_text()
    desk.reload()
    desk.get_by_text("The patient has read the reply").wait_for()
    desk.locator("[name=pcr]").select_option("negative")
    desk.get_by_role("button", name="Add").click()
    desk.get_by_role("button", name="Change", exact=True).wait_for()
    page.get_by_role("button", name="Look for the reply").first.click()
    page.get_by_text("Test result: negative").wait_for()
    page.get_by_role("button", name="Remove from this device").click()
    page.locator(".sent .keep").wait_for(state="detached")
    assert page.evaluate(WAITING) == []


WAITING = """() => new Promise((done) => {
  const open = indexedDB.open("poxlens-results");
  open.onsuccess = () => {
    const all = open.result.transaction("referrals").objectStore("referrals").getAll();
    all.onsuccess = () => (open.result.close(), done(all.result.map(({ waiting }) => waiting)));
  };
})"""


def test_what_waits_is_locked_with_the_passphrase_sent_when_it_is_open_and_wiped(
    visit: Callable[..., Any], clinic: ClinicServer, pustules: np.ndarray
) -> None:
    with io.BytesIO() as stream:
        Image.fromarray(pustules).save(stream, "JPEG", quality=90)
        photo = stream.getvalue()
    before, phrase = clinic.referrals, "four plain words here"
    phone = visit(clinic.url)
    page = phone.page
    phone.begin()
    phone.choose(photo)
    phone.to_answer()
    phone.press(".row.end .primary")
    page.locator("#device").fill(clinic.token)
    phone.tick("send-photos")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.get_by_text("also without a network").wait_for()
    phone.context.set_offline(True)
    phone.press(".send .primary")
    page.get_by_text("It waits for the network").wait_for()
    page.locator(".links button").first.click()
    page.get_by_role("button", name="Lock with a passphrase").click()  # nothing is kept but what waits
    for field in ("#new-passphrase", "#passphrase-again"):
        page.locator(field).fill(phrase)
    phone.press(".lock .primary")
    page.get_by_role("button", name="Lock now").click()
    page.get_by_text("It waits to be sent. Unlock your kept results").wait_for()
    page.locator("select").select_option("fr")
    page.get_by_text("Il attend d'être envoyé").wait_for()
    page.locator("select").select_option("en")
    # With a network, and locked: nothing goes, and nobody reads what waits.
    phone.context.set_offline(False)
    page.reload()
    page.locator(".links button").first.click()
    page.get_by_text("It waits to be sent. Unlock your kept results").wait_for()
    assert clinic.referrals == before
    assert page.evaluate(WAITING) == [True]
    lying = phone.lying()
    assert "wrapped" in lying
    for secret in (clinic.token, "Questionnaire", JPEG):
        assert secret not in lying, secret
    page.locator("#passphrase").fill(phrase)
    phone.press(".lock .primary")
    page.locator(".sent b").wait_for()
    assert clinic.referrals == before + 1
    page.get_by_role("button", name="Wipe everything").click()
    page.get_by_text("Everything is wiped").wait_for()
    page.locator(".sent b").wait_for(state="detached")
    assert phone.lying() == '["en"]'  # the chosen language


def test_the_files_of_the_storage_hold_no_readable_text(
    clinic: ClinicServer, playwright: Any, pustules: np.ndarray, tmp_path: Path
) -> None:
    with io.BytesIO() as stream:
        Image.fromarray(pustules).save(stream, "JPEG", quality=90)
        photo = stream.getvalue()
    context = playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=chromium(), args=FLAGS, locale="en-GB", service_workers="block"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        phone = Visit(context, page)
        page.route("**/v1/referrals", lambda route: route.abort("internetdisconnected"))
        page.goto(clinic.url)
        phone.begin()
        phone.choose(photo)
        phone.to_answer()
        phone.press(".row.end .primary")
        page.locator("#device").fill(clinic.token)
        page.locator("#person").fill("register 4711")
        phone.tick("send-photos")
        phone.press(".send .primary")
        page.get_by_text("It waits for the network").wait_for()
        page.evaluate("localStorage.setItem('mark', 'a text that nobody encrypted')")
    finally:
        context.close()  # writes everything to the disk
    files = [path.read_bytes() for path in (tmp_path / "profile").rglob("*") if path.is_file()]

    def found(text: str) -> bool:
        return any(text.encode(form) in file for file in files for form in ("utf-8", "utf-16-le"))

    assert found("a text that nobody encrypted")  # the search finds what is there
    assert found("poxlens-results")
    for secret in (clinic.token, "register 4711", "QuestionnaireResponse", JPEG):
        assert not found(secret), secret


def test_an_answer_that_is_lost_doubles_nothing(
    visit: Callable[..., Any], clinic: ClinicServer, pustules: np.ndarray
) -> None:
    with io.BytesIO() as stream:
        Image.fromarray(pustules).save(stream, "JPEG", quality=90)
        photo = stream.getvalue()
    before, lost, keys = clinic.referrals, [2], []
    phone = visit(clinic.url, service_workers="block")
    page = phone.page

    def answer(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        told = route.fetch()  # it arrives …
        if lost[0]:
            lost[0] -= 1
            route.abort("connectionreset")  # … and the answer does not
        else:
            route.fulfill(response=told)

    page.route("**/v1/referrals", answer)
    phone.begin()
    phone.choose(photo)
    phone.to_answer()
    phone.press(".row.end .primary")
    page.locator("#device").fill(clinic.token)
    phone.press(".send .primary")
    # It tries again by itself, after 5 and then 10 seconds.
    page.locator(".reply").wait_for()
    assert clinic.referrals == before + 1
    assert len(keys) >= 3  # two that got lost, and the one whose answer came
    assert len(set(keys)) == 1


def test_by_qr_codes(visit: Callable[..., Any], clinic: ClinicServer) -> None:
    told = bundle()
    device = {"resourceType": "Device", "version": [{"value": "poxlens-default 1"}]}
    told["entry"].append({"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": device})
    texts = codes(json.dumps(told), 579)
    before = clinic.referrals
    page = visit(f"{clinic.url}/clinic/", viewport={"width": 1280, "height": 800}).page
    sign_in(page, "nurse", PASSWORD)
    page.get_by_role("link", name="Scan a code").click()
    page.locator("[name=codes]").fill(texts[-1])
    page.get_by_role("button", name="Read the text").click()
    if len(texts) > 1:
        page.get_by_text("Still needed").wait_for()
        page.locator("[name=codes]").fill("\n".join(texts[:-1]))
        page.get_by_role("button", name="Read the text").click()
    page.locator(".sheet").wait_for()
    page.locator("[name=person]").fill("ward 3 bed 2")
    page.get_by_role("button", name="Refer", exact=True).click()
    code = page.locator(".reply-code").inner_text()
    assert clinic.referrals == before + 1
    assert httpx.post(f"{clinic.url}/v1/status", json={"code": code}).json()["state"] == "waiting"
    page.get_by_text("Open the referral").click()
    page.get_by_text("ward 3 bed 2").wait_for()
    page.get_by_text("No photo was sent").wait_for()


@pytest.fixture(scope="module")
def with_camera(
    built: None, playwright: Any, tmp_path_factory: pytest.TempPathFactory, pustules: np.ndarray
) -> Iterator[Any]:
    """A Chromium whose camera shows the drawn rash."""
    video: Path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    y4m(video, np.asarray(Image.fromarray(pustules).resize((SIDE, SIDE))))
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    found = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *fake])
    yield found
    found.close()


def test_at_the_clinics_camera(with_camera: Any, clinic: ClinicServer, nurse: httpx.Client) -> None:
    before = clinic.referrals
    context = with_camera.new_context(permissions=["camera"], viewport={"width": 1280, "height": 900})
    try:
        page, sent = context.new_page(), []
        page.set_default_timeout(120_000)
        page.on("request", lambda one: sent.append(one.url) if one.method != "GET" else None)
        page.goto(f"{clinic.url}/clinic/#/camera")
        sign_in(page, "nurse", PASSWORD)
        page.locator("input[name=whose][value=self]").press("Space")
        page.locator("input[name=intimate][value=no]").press("Space")
        page.locator(".bar button").click()
        page.get_by_text("Good. Take the photo now.").wait_for()
        page.get_by_role("button", name="Take the photo").click()
        page.locator(".taken .good, .taken .bad").wait_for()
        page.get_by_role("button", name="Continue").click()
        page.locator("input[name=fever][value=yes]").press("Space")
        page.locator("input[name=swollen_lymph_nodes][value=yes]").press("Space")
        page.locator(".bar button").click()
        page.locator(".verdict.refer").wait_for()  # fever and nodes refer, whatever the photo shows
        assert [url for url in sent if not url.endswith("/v1/session")] == []
        page.locator("[name=person]").fill("border 12")
        page.locator("[name=send-photos]").check()
        page.get_by_role("button", name="Refer", exact=True).click()
        page.locator(".reply-code").wait_for()
        assert clinic.referrals == before + 1
        [item] = nurse.get("/v1/worklist", params={"person": "border 12"}).json()["items"]
        assert (item["outcome"], item["photos"]) == ("refer", 1)
        photo = nurse.get(f"/v1/worklist/{item['id']}/photos/1").content
        assert Image.open(io.BytesIO(photo)).size == (512, 512)  # the square, 80 % of 640
        page.locator(".found button.primary.wide").click()
        page.locator(".care").wait_for()
        assert page.locator("input[name=whose]:checked").count() == 0
        stored = page.evaluate("indexedDB.databases().then((all) => all.map(({ name }) => name))")
        assert not [name for name in stored if re.search("result|referral", name)]
    finally:
        context.close()
