"""The page in a real Chromium: a phantom is dropped and the answer is read."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

DROP = """([target, files]) => {
  const transfer = new DataTransfer();
  for (const [name, type, data] of files) {
    transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
  }
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
    document.querySelector(target).dispatchEvent(new DragEvent(kind, options));
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: the page was not tried"
    )
    path = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    if path is None:
        pytest.skip(
            "no Chromium on this machine (chromium, chromium-browser, google-chrome): the page was not tried"
        )
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class Visit:
    """A page with everything it asked for and complained about."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.goto(url)

    def drop(self, *photos: bytes) -> None:
        files = [
            (f"{i}.jpg", "image/jpeg", base64.b64encode(photo).decode()) for i, photo in enumerate(photos)
        ]
        self.page.evaluate(DROP, ["body", files])

    def outcome(self) -> str:
        return str(self.page.locator("#verdict-title").get_attribute("data-outcome"))

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(browser: Any, start: Any) -> Iterator[Any]:
    visits: list[Visit] = []
    with start() as url:

        def go(**options: Any) -> Visit:
            visits.append(Visit(browser, url, **options))
            return visits[-1]

        yield go
        for one in visits:
            one.close()


def test_a_dropped_phantom_is_answered(visit: Any, pustules: bytes) -> None:
    here = visit()
    assert "A photo that can be assessed" in here.page.locator("#answer").inner_text()
    here.drop(pustules)
    assert here.outcome() == "refer"
    page = here.page
    assert "Show this rash to a health worker" in page.locator("#answer").inner_text()
    assert page.locator(".reasons li").first.get_attribute("data-code") == "refer.probability"
    assert page.locator(".next li").count() == 3
    assert page.locator(".bar-row").count() == 7
    assert page.locator(".bar-row.in-set .name").first.inner_text().split()[0] == "Mpox"
    assert page.locator(".checks li").count() == 6
    assert "An estimate" in page.locator(".tone").inner_text()
    assert "not a diagnosis" in page.locator(".verdict .fine").inner_text()
    assert page.locator("#status").inner_text().startswith("Show this rash to a health worker")
    assert here.complaints == []
    assert all(request.startswith((here.url, "blob:", "data:")) for request in here.requests)
    assert len([r for r in here.requests if r.startswith(here.url)]) >= 8


def test_the_slider_mixes_photo_and_map(visit: Any, pustules: bytes) -> None:
    here = visit()
    here.drop(pustules)
    heat, slider = here.page.locator(".heat"), here.page.locator("#opacity")
    opacity = "element => getComputedStyle(element).opacity"
    assert heat.evaluate(opacity) == "0.6"
    slider.focus()
    slider.press("Home")
    assert heat.evaluate(opacity) == "0"
    slider.press("End")
    assert heat.evaluate(opacity) == "1"
    photo, layer = here.page.locator(".frame .photo").bounding_box(), heat.bounding_box()
    assert all(abs(photo[k] - layer[k]) < 1.5 for k in ("x", "y", "width", "height"))


def test_several_photos_and_taking_one_away(visit: Any, macules: bytes, pustules: bytes, tiny: bytes) -> None:
    here = visit()
    page = here.page
    photos = (macules, pustules, tiny)
    named = [{"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": b} for i, b in enumerate(photos)]
    page.set_input_files("#pick", named)
    assert here.outcome() == "refer"
    assert page.locator(".thumb").count() == 3
    assert page.locator(".one h2").inner_text() == "Photo 2 of 3", "the photo that decided is shown first"
    page.get_by_role("button", name="Photo 3: Cannot be assessed").click()
    assert page.locator(".checks .failed .advice").first.inner_text().startswith("The image is too small")
    page.get_by_role("button", name="Remove photo 2").click()
    page.locator("#verdict-title[data-outcome=not_suspected]").wait_for()
    assert page.locator(".thumb").count() == 2
    page.get_by_role("button", name="Start again").click()
    assert page.locator("#drop").is_visible()
    assert "A photo that can be assessed" in page.locator("#answer").inner_text()
    assert here.complaints == []


def test_answers_about_the_person_turn_the_result(visit: Any, macules: bytes) -> None:
    here = visit()
    here.drop(macules)
    assert here.outcome() == "not_suspected"
    group = here.page.get_by_role(
        "group", name="Contact with a probable or confirmed mpox case within 21 days?"
    )
    group.get_by_label("Yes").check()
    here.page.locator("#verdict-title[data-outcome=refer]").wait_for()
    assert here.page.locator(".chip").inner_text() == "contact with a case within 21 days: yes"
    group.get_by_label("Not known").check()
    here.page.locator("#verdict-title[data-outcome=not_suspected]").wait_for()


def test_what_is_no_image_gets_a_sentence(visit: Any) -> None:
    here = visit()
    here.drop(b"plain text")
    assert here.outcome() == "cannot_assess"
    assert "This is not an image" in here.page.locator(".reasons").inner_text()
    assert here.page.locator(".stage .none").is_visible()


def test_a_server_that_is_gone_is_told_and_tried_again(visit: Any, pustules: bytes) -> None:
    here = visit()
    here.context.set_offline(True)
    here.drop(pustules)
    alert = here.page.get_by_role("alert")
    assert "The program is not answering" in alert.inner_text()
    here.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    assert here.outcome() == "refer"


def test_too_much_is_refused_before_it_is_sent(browser: Any, start: Any, pustules: bytes) -> None:
    with start(max_body=110_000) as url:
        here = Visit(browser, url)
        here.drop(pustules)
        assert "too large" in here.page.get_by_role("alert").inner_text()
        assert not [request for request in here.requests if "/api/screen" in request]
        here.close()


def test_the_name_of_the_file_is_not_sent(visit: Any, macules: bytes) -> None:
    here = visit()
    with here.page.expect_request("**/api/screen") as sent:
        here.page.set_input_files(
            "#pick", {"name": "jane-doe.jpg", "mimeType": "image/jpeg", "buffer": macules}
        )
    assert b"jane-doe" not in (sent.value.post_data_buffer or b"")
    here.outcome()


@pytest.mark.parametrize(("width", "height"), [(360, 800), (320, 640), (768, 1024), (1280, 900)])
def test_nothing_runs_over_the_edge(
    visit: Any, pustules: bytes, tiny: bytes, width: int, height: int
) -> None:
    here = visit(viewport={"width": width, "height": height}, has_touch=width < 500)
    wide = "document.documentElement.scrollWidth"
    assert here.page.evaluate(wide) <= width
    here.drop(pustules, tiny)
    here.outcome()
    for summary in here.page.locator("details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    assert here.page.evaluate(wide) <= width
    if width < 500:
        assert here.page.locator("#take-more").is_visible()
        assert here.page.locator("#take").get_attribute("capture") == "environment"
        small = here.page.evaluate(
            "[...document.querySelectorAll('button, select, .choice label')]"
            ".filter((b) => b.checkVisibility()).map((b) => b.getBoundingClientRect())"
            ".filter((r) => r.width < 24 || r.height < 24).length"
        )
        assert small == 0, "WCAG 2.5.8: targets of 24 px at least"


def test_it_is_usable_by_keyboard_and_every_field_has_a_name(visit: Any) -> None:
    here = visit()
    choosers: list[Any] = []
    here.page.on("filechooser", lambda chooser: choosers.append(chooser))
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.className") == "skip"
    here.page.keyboard.press("Tab")
    assert here.page.evaluate("document.activeElement.id") == "pick-button"
    here.page.keyboard.press("Enter")
    here.page.wait_for_timeout(500)
    assert [chooser.is_multiple() for chooser in choosers] == [True]
    nameless = here.page.evaluate(
        "[...document.querySelectorAll('input, select, button')].filter((e) => !e.labels?.length && "
        "!e.getAttribute('aria-label') && !e.textContent.trim()).map((e) => e.outerHTML)"
    )
    assert nameless == []
    assert here.page.evaluate("document.documentElement.lang") == "en"


def test_reduced_motion_stops_what_moves(visit: Any, pustules: bytes) -> None:
    here = visit(reduced_motion="reduce")
    probe = "getComputedStyle(document.querySelector('.spin')).animationDuration"
    here.page.route("**/api/screen", lambda route: None)
    here.drop(pustules)
    here.page.locator(".spin").wait_for()
    assert float(here.page.evaluate(probe).rstrip("s")) < 0.01
