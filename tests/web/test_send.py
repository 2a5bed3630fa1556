"""From the page to the clinic's own server: what it files is what the page showed, and nothing goes unasked."""

from __future__ import annotations

import base64
import importlib.util
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

CLINIC = "https://clinic.example"


@pytest.fixture(scope="module")
def clinics() -> ModuleType:
    """The clinic's server as its own tests furnish it."""
    path = Path(__file__).parents[1] / "serve" / "clinic" / "conftest.py"
    spec = importlib.util.spec_from_file_location("clinic_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["clinic_conftest"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_a_referral_with_its_photo(
    clinics: ModuleType,
    visit: Callable[..., Any],
    url: str,
    pustules: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cheap = clinics.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(clinics.passwords, "_HASHER", cheap)
    monkeypatch.setattr(clinics.passwords, "_NOBODY", cheap.hash("nobody"))
    with io.BytesIO() as stream:
        exif = Image.Exif()
        exif[0x010F] = "a phone that gives its owner away"
        Image.fromarray(pustules).save(stream, "JPEG", quality=90, exif=exif)
        photo = stream.getvalue()
    settings = clinics.Settings(data=tmp_path / "data", keys=tmp_path / "keys.json")
    house = clinics.furnish(settings, photo)
    phone, sent, up = house.client(), [], [False]

    def answer(route: Any) -> None:
        asked = route.request
        sent.append(asked)
        if not up[0]:
            route.abort("internetdisconnected")
            return
        names = ("authorization", "content-type", "idempotency-key")
        headers = {name: value for name, value in asked.headers.items() if name in names}
        told = phone.request(
            asked.method, asked.url.removeprefix(CLINIC), content=asked.post_data_buffer, headers=headers
        )
        allowed = {"access-control-allow-origin": url.rstrip("/")}
        route.fulfill(status=told.status_code, body=told.content, headers={**told.headers, **allowed})

    # The policy of a deployment with a clinic names it; that is the server's doing (tests/serve/test_deployment.py).
    one = visit(bypass_csp=True, service_workers="block")
    page = one.page
    one.context.route("**/settings.json", lambda route: route.fulfill(json={"clinic": CLINIC}))
    one.context.route(f"{CLINIC}/**", answer)
    page.reload()
    one.begin()
    one.choose(photo)
    one.press(".bar button")
    one.pick("where", "hands")
    page.locator("#age").fill("31")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    one.press(".row.end .primary")
    page.locator("#device").wait_for()
    assert sent == []
    page.locator("#device").fill("poxd_nobody")
    one.press(".send .primary")
    page.get_by_text("It waits for the network").wait_for()
    up[0] = True
    page.get_by_role("button", name="Try now").click()
    page.get_by_text("does not know this device").wait_for()
    page.get_by_role("button", name="Correct it and send again").click()
    page.locator("#device").fill(house.tokens["phone"])
    page.locator("#person").fill("register 12")
    one.tick("send-photos")
    one.press(".send .primary")
    page.locator(".reply").wait_for()
    code = page.locator(".reply").inner_text()
    number = page.locator(".sheet dd").nth(3).inner_text()

    reply = phone.post("/v1/status", json={"code": code}).json()
    assert reply["state"] == "waiting"
    nurse = house.signed_in("nurse")
    [row] = nurse.get("/v1/worklist").json()["items"]
    bundle = nurse.get(f"/v1/worklist/{row['id']}/fhir").json()
    assert bundle["identifier"]["value"].removeprefix("urn:uuid:")[:8].upper() == number
    kept = Image.open(io.BytesIO(nurse.get(f"/v1/worklist/{row['id']}/photos/1").content))
    assert min(kept.size) == min(pustules.shape[:2])
    body = sent[-1].post_data_json
    assert body["consent"] == {"photo": True, "training": False}
    [coded] = body["photos"]
    assert b"gives its owner away" in photo
    assert b"Exif" not in base64.b64decode(coded)
    # Coming back to the summary does not file it again.
    before = len(sent)
    page.go_back()
    one.press(".row.end .primary")
    page.locator(".reply").wait_for()
    assert len(sent) == before
    house.service.store.close()
