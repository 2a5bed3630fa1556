"""The clinic's pages in Chromium: signing in, the worklist, blind mode, administration, and axe on each of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import Error
from sqlalchemy import update
from tests.web.clinic_server import ClinicServer, sign_in

from poxlens.serve.clinic.demo import PASSWORD
from poxlens.serve.clinic.store.tables import Login

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ").slice(0, 300)}`);
}"""


@pytest.fixture
def signed(visit: Callable[..., Any], clinic: ClinicServer) -> Callable[..., Any]:
    """`signed(name)` opens the clinic's pages as one of its people."""

    def open_as(name: str, password: str = PASSWORD, **options: Any) -> Any:
        one = visit(f"{clinic.url}/clinic/", **{"viewport": {"width": 1280, "height": 800}, **options})
        sign_in(one.page, name, password)
        one.page.locator("nav.menu").wait_for()
        one.complaints.clear()  # the browser tells of the 401 that said nobody was signed in
        return one

    return open_as


def test_signing_in_and_out(visit: Callable[..., Any], clinic: ClinicServer) -> None:
    page = visit(f"{clinic.url}/clinic/").page
    sign_in(page, "nurse", "not the password")
    assert "wrong" in page.locator("[role=alert]").inner_text()
    sign_in(page, "nurse", PASSWORD)
    page.locator(".line").first.wait_for()
    assert page.locator("nav.menu a").all_inner_texts() == [
        "Worklist",
        "Camera",
        "Scan a code",
        "Monitoring",
    ]
    page.locator(".who").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()
    page.reload()
    page.locator("[name=username]").wait_for()  # the cookie is gone, not only the page's memory of it


def test_an_account_is_locked_after_guesses(visit: Callable[..., Any], clinic: ClinicServer) -> None:
    page = visit(f"{clinic.url}/clinic/").page
    for _ in range(6):
        sign_in(page, "doctor", "a guess")
        page.locator("form button:enabled").wait_for()
    page.get_by_text(re.compile(r"locked for \d+ minutes")).wait_for()
    sign_in(page, "doctor", PASSWORD)
    page.get_by_text(re.compile(r"locked for \d+ minutes")).wait_for()


def test_a_session_that_ended_elsewhere(signed: Callable[..., Any]) -> None:
    one = signed("nurse")
    one.context.clear_cookies()
    one.page.locator(".line").first.click()
    one.page.get_by_text("Your session has ended").wait_for()


def test_a_verdict_with_the_keyboard_alone(signed: Callable[..., Any], clinic: ClinicServer) -> None:
    one = signed("nurse")
    page = one.page
    page.locator(".line").first.wait_for()
    waiting = page.locator(".line").count()
    page.keyboard.press("j")
    page.locator(".frame-photo img").wait_for()
    first = page.url
    page.keyboard.press("j")
    page.wait_for_function("(before) => location.href !== before", arg=first)
    page.keyboard.press("k")
    page.wait_for_function("(before) => location.href === before", arg=first)
    page.locator(".verdicts").wait_for()
    person = re.search(r"demo \d+", page.locator(".head").inner_text())
    assert person is not None
    page.keyboard.press("1")
    assert page.locator(".verdicts input:checked").get_attribute("value") == "suspected"
    page.locator("[name=message]").fill("Come on Monday. j k 2 / ?")  # letters that are typed are no keys
    page.locator("[name=message]").press("Tab")
    page.get_by_role("button", name="Give the verdict").press("Enter")
    page.get_by_text("The verdict is given").wait_for()
    page.wait_for_function(
        "(before) => document.querySelectorAll('.line').length === before - 1", arg=waiting
    )
    page.locator("[name=pcr]").select_option("positive")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Change", exact=True).wait_for()
    page.keyboard.press("/")
    page.keyboard.type(person.group())
    page.locator(".line", has_text="PCR positive").wait_for()
    assert page.locator(".line").count() == 1
    with httpx.Client(base_url=clinic.url) as program:
        told = program.post("/v1/session", json={"name": "nurse", "password": PASSWORD}).json()
        assert told["name"] == "nurse"
        [item] = program.get("/v1/worklist", params={"person": person.group()}).json()["items"]
    assert (item["verdict"], item["pcr"]) == ("suspected", "positive")
    page.locator(".search").press("Escape")
    page.keyboard.press("?")
    page.locator("dialog input").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    before = page.url
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    assert page.url == before  # switched off
    assert one.complaints == []


def test_more_lines_that_come_late_stay_out_of_another_view(signed: Callable[..., Any]) -> None:
    page = signed("nurse").page
    page.locator(".line").first.wait_for()
    held: list[Any] = []

    def answer(route: Any) -> None:
        if "after=" in route.request.url:
            held.append(route)
            return
        told = route.fetch()
        route.fulfill(response=told, json=told.json() | {"next": "later"})

    page.route(re.compile(r"/v1/worklist(\?|$)"), answer)
    page.reload()
    page.get_by_role("button", name="Show more").click()
    while not held:
        page.wait_for_timeout(20)
    page.locator(".views button", has_text="Closed").click()
    page.locator(".views button[aria-pressed=true]", has_text="Closed").wait_for()
    page.locator(".lines[aria-busy=false]").wait_for()
    closed = page.locator(".line").all_inner_texts()
    late = {"items": held[0].fetch(url=held[0].request.url.split("?")[0]).json()["items"], "next": None}
    assert late["items"]  # what waits
    with contextlib.suppress(Error):  # the page may have taken its question back
        held[0].fulfill(json=late)
    page.locator(".views button", has_text="Closed").focus()
    assert page.locator(".line").all_inner_texts() == closed


def test_the_photo_is_looked_into(signed: Callable[..., Any]) -> None:
    page = signed("nurse").page
    page.locator(".line.refer, .line.uncertain").first.click()
    frame = page.locator(".frame-photo")
    frame.press("+")
    frame.press("ArrowRight")
    style = page.locator(".frame-photo .under").get_attribute("style")
    assert "scale(1.5)" in style
    assert "translate(-60px, 0px)" in style
    frame.press("0")
    assert "scale(1)" in page.locator(".frame-photo .under").get_attribute("style")
    page.get_by_role("button", name="Show the heat map").click()
    layer = page.locator(".frame-photo .over")
    layer.wait_for()
    page.locator(".slider input").fill("25")
    assert "opacity: 0.25" in layer.get_attribute("style")


def test_blind_mode_keeps_the_models_opinion_back(signed: Callable[..., Any]) -> None:
    one = signed("blind")
    page, bodies = one.page, []
    page.on("response", lambda answer: bodies.append(answer) if "/v1/worklist/" in answer.url else None)
    page.locator(".line").first.click()
    page.get_by_text("opinion is kept back").wait_for()
    said = page.locator("main").inner_text()
    assert not re.search(r"Uncertain|Refer\b|Cannot assess|%", said)
    assert page.locator("select.by-outcome").count() == 0
    assert page.get_by_role("button", name="heat map").count() == 0
    sent = next(answer.json() for answer in bodies if re.search(r"/worklist/[0-9a-f]{32}$", answer.url))
    assert (sent["outcome"], sent["probability"], sent["reasons"]) == (None, None, [])
    page.keyboard.press("3")
    page.get_by_role("button", name="Note it").click()
    page.get_by_text("What the model said").wait_for()
    assert re.search(
        r"Uncertain|Refer|Not suspected|Cannot assess", page.locator(".spoken").first.inner_text()
    )
    assert page.locator(".verdicts input:checked").get_attribute("value") == "not_suspected"
    assert "before the model's was seen" in page.locator(".notes").inner_text()


def test_second_factor(signed: Callable[..., Any], visit: Callable[..., Any], clinic: ClinicServer) -> None:
    page = signed("admin").page
    page.goto(f"{clinic.url}/clinic/#/admin/people")
    page.get_by_text("New account").click()
    page.locator("[name=new-name]").fill("midwife")
    page.get_by_role("button", name="Make the account").click()
    first = page.locator("dialog .boxed").inner_text()
    page.get_by_role("button", name="I have noted it").click()
    page.locator("dialog").wait_for(state="detached")
    page.locator("b", has_text="midwife").wait_for()
    assert first not in page.content()

    page = visit(f"{clinic.url}/clinic/").page
    sign_in(page, "midwife", first)
    page.locator("[name=old]").fill(first)
    for name in ("new", "again"):
        page.locator(f"[name={name}]").fill("seven quiet drawn lamps")
    page.get_by_role("button", name="Set the password").click()
    page.locator(".who").click()
    page.get_by_role("button", name="Set it up").click()
    secret = page.locator("code.token").inner_text()
    page.locator("[name=code]").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Finish").click()
    page.locator(".recovery li").first.wait_for()
    recovery = page.locator(".recovery li").all_inner_texts()
    assert len(recovery) == len(set(recovery)) == 8
    page.get_by_role("button", name="written them down").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "midwife", "seven quiet drawn lamps")
    page.locator("[name=code]").fill("000000")
    page.locator("[name=code]").press("Enter")
    page.locator("[role=alert]").wait_for()
    page.locator("[name=code]").fill(recovery[0])
    page.locator("[name=code]").press("Enter")
    page.locator("nav.menu").wait_for()


def test_a_devices_token_is_shown_once_and_ends(signed: Callable[..., Any], clinic: ClinicServer) -> None:
    page = signed("admin").page
    page.goto(f"{clinic.url}/clinic/#/admin/devices")
    page.locator("[name=device-name]").fill("Phone of the gate")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("dialog .boxed").inner_text()
    assert page.locator("dialog svg.qr").count() == 1
    page.get_by_role("button", name="I have noted it").click()

    def refused() -> int:
        headers = {"authorization": f"Bearer {token}"}
        return httpx.post(f"{clinic.url}/v1/referrals", headers=headers, json={"result": {}}).status_code

    assert refused() == 422  # it is known, but this is no result
    page.reload()
    page.get_by_text("Phone of the gate").wait_for()
    assert token not in page.content()
    page.get_by_role("button", name="Revoke: Phone of the gate").click()
    page.get_by_role("button", name="Revoke it now").click()
    page.locator(".panel.closed", has_text="Phone of the gate").wait_for()
    assert refused() == 401


def test_what_matters_asks_for_the_password_again(signed: Callable[..., Any], clinic: ClinicServer) -> None:
    page = signed("admin").page
    page.goto(f"{clinic.url}/clinic/#/admin/devices")
    page.locator("[name=device-name]").fill("Phone of the store")
    with clinic.service.store.writing() as session:
        session.execute(update(Login).values(confirmed_at=0.0))  # as after ten minutes
    make, asked = page.get_by_role("button", name="Make a token"), page.locator("dialog.confirm")
    make.click()
    asked.wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Nothing was changed").wait_for()
    make.click()
    page.locator("[name=confirm-password]").fill("not the password")
    page.get_by_role("button", name="Go on").click()
    asked.locator("[role=alert]").wait_for()
    page.locator("[name=confirm-password]").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.locator("dialog .boxed").wait_for()  # what was asked for was done, once
    asked.wait_for(state="detached")
    page.get_by_role("button", name="I have noted it").click()
    assert page.locator("b", has_text="Phone of the store").count() == 1
    page.locator("[name=device-name]").fill("Phone of the yard")
    make.click()  # and for ten minutes nobody asks again
    page.locator("dialog .boxed").wait_for()


def test_the_audit_log_is_checked(signed: Callable[..., Any], clinic: ClinicServer) -> None:
    page = signed("admin").page
    page.goto(f"{clinic.url}/clinic/#/admin/audit")
    page.locator(".audit tbody tr").first.wait_for()
    page.get_by_role("button", name="Check the whole log").click()
    page.get_by_text(re.compile(r"The log is whole: [\d,]+ lines")).wait_for()


PLACES = ["worklist", "camera", "handover", "monitoring", "admin/people", "admin/devices", "admin/choices",
          "admin/audit", "admin/erase", "account"]  # fmt: skip


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1440)])
def test_axe_and_width(signed: Callable[..., Any], clinic: ClinicServer, scheme: str, width: int) -> None:
    one = signed("admin", viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    page, faults = one.page, {}
    page.locator(".line").first.wait_for()
    opened = page.locator(".line").first.get_attribute("href")
    for place in (*PLACES, opened.removeprefix("#/")):
        page.goto(f"{clinic.url}/clinic/#/{place}")
        page.locator("main h1:visible").first.wait_for()
        page.wait_for_load_state("networkidle")
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(content=AXE.read_text("utf-8"))
        found = page.evaluate(RUN, TAGS)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} px wide")
        if found:
            faults[place] = found
    assert faults == {}
