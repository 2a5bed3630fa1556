"""The page for labels in a real Chromium: keys, fingers, undo, failing saves, small screens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from poxlens.serve.annotate.session import Labelling

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
READY = (
    "(words) => document.getElementById('place').textContent === words &&"
    " !document.getElementById('photo').hidden && !document.querySelector('.value').disabled"
)


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium on this machine ({', '.join(names)}): the page was not tried")
    chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
    yield chromium
    chromium.close()


class Visit:
    """A window on the page."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.goto(url)

    def at(self, number: int, of: int = 5) -> None:
        self.page.wait_for_function(READY, arg=f"Image {number} of {of}")

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def saved(self, words: str) -> None:
        self.page.wait_for_function("(w) => document.getElementById('saved').textContent === w", arg=words)

    def pressed(self) -> list[str]:
        return list(self.page.locator('.value[aria-pressed="true"] > span').all_inner_texts())


@pytest.fixture
def visit(browser: Any, labelling: Any, desk: Any) -> Iterator[Any]:
    with ExitStack() as stack:
        url: list[str] = []

        def go(session: Labelling | None = None, **options: Any) -> Visit:
            if not url:
                url.append(stack.enter_context(labelling(session or desk.session())))
            here = Visit(browser, url[0], **options)
            stack.callback(here.context.close)
            return here

        yield go


def test_a_key_a_label_and_the_next_image_at_once(visit: Any, desk: Any) -> None:
    here = visit()
    here.at(1)
    here.key("h", "d", "2")
    here.at(2)
    here.key("x", "1")  # a close range is not asked for its range
    here.at(3)
    here.key("f")
    here.saved("face · saved")
    assert here.pressed() == ["face"]
    assert desk.rows() == ["a.jpg,hand,distance,later", "b.jpg,close,close,earlier", "c.jpg,face,,"]
    here.key("z")
    here.saved("undone · saved")
    here.key("Backspace")
    here.at(2)
    here.page.wait_for_function("() => document.querySelectorAll('[aria-pressed=true]').length === 2")
    assert here.pressed() == ["close", "close"]
    here.key("Delete")
    here.page.wait_for_function("() => document.querySelectorAll('[aria-pressed=true]').length === 0")
    here.saved("taken back · saved")
    here.key("a", "d", "3")
    here.at(3)
    for number in (3, 4, 5):
        here.at(number)
        here.key("c", "d", "2")
    here.page.locator("#end h2").wait_for()
    assert here.page.locator("#end h2").inner_text() == "Every image is labelled"
    assert (
        here.page.locator("#end .notice").inner_text().startswith("Non-clinical: read off the photos alone")
    )
    assert here.page.locator("#count").inner_text() == "5 of 5 labelled"
    assert sorted(desk.rows()) == [
        "a.jpg,hand,distance,later", "b.jpg,arm,distance,unclear", "c.jpg,chest,distance,later",
        "d.jpg,chest,distance,later", "e.jpg,chest,distance,later",
    ]  # fmt: skip
    here.page.locator(".tile", has_text="arm").click()
    here.at(1, 1)
    assert here.pressed() == ["arm", "distance", "unclear"]
    assert here.complaints == []


def test_on_a_phone_everything_fits_and_fingers_do(visit: Any, desk: Any) -> None:
    here = visit(**PHONE)
    here.at(1)
    for name in ("leg", "distance", "later"):
        button = here.page.locator(f'.value[data-value="{name}"]')
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["y"] + box["height"] <= 740
        button.tap()
    here.at(2)
    assert desk.rows() == ["a.jpg,leg,distance,later"]
    wide = here.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide == [360, 360]
    assert here.page.locator("#photo").bounding_box()["height"] >= 150


def test_closer_at_a_place_and_back(visit: Any) -> None:
    here = visit()
    here.at(1)
    whole = here.page.locator("#photo").bounding_box()
    here.page.mouse.click(whole["x"] + 10, whole["y"] + 10)
    near = here.page.locator("#photo").bounding_box()
    assert near["width"] == pytest.approx(3 * whole["width"], abs=1)
    assert near["x"] == pytest.approx(whole["x"], abs=80), "the corner that was clicked stays in sight"
    here.key("+")
    assert here.page.locator("#photo").bounding_box() == whole
    here.key("+", "h", "d", "2")
    here.at(2)
    assert here.page.locator("#photo").bounding_box() == whole, "the next image is shown whole"
    assert here.complaints == []


def test_what_cannot_be_saved_is_kept_and_sent_again(visit: Any, desk: Any) -> None:
    here = visit()
    here.at(1)
    desk.out.mkdir()  # nothing can be written there
    here.key("h")
    here.page.locator("#trouble").wait_for()
    assert "Not saved." in here.page.locator("#trouble").inner_text()
    desk.out.rmdir()
    here.page.locator("#trouble button").click()
    here.saved("hand · saved")
    assert here.page.locator("#trouble").is_hidden()
    assert desk.rows() == ["a.jpg,hand,,"]


def test_a_third_look_asks_what_is_in_dispute_alone(visit: Any, desk: Any) -> None:
    asked = replace(desk.items[1], asked=("stage",), hint={"stage": "later|unclear"})
    here = visit(Labelling(desk.out, desk.scheme, [asked], desk.root))
    here.at(1, 1)
    legends = here.page.locator(".question:not([hidden]) legend").all_inner_texts()
    assert legends == ["Stage of most lesions (said before: later or unclear)"]
    here.key("h", "2")
    here.page.locator("#end h2").wait_for()
    assert desk.rows() == ["b.jpg,,,later"]


def test_an_image_that_is_gone_is_passed_over(visit: Any, desk: Any) -> None:
    (desk.root / "a.jpg").unlink()
    here = visit()
    here.page.locator("#gone strong").wait_for()
    assert "a.jpg is not in" in here.page.locator("#gone").inner_text()
    here.key("h", "ArrowRight")
    here.at(2)
    assert desk.rows() == []
