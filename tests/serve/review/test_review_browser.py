"""The review in a real Chromium: keys, mouse, fingers, failing saves, two windows, small screens."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


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
    """A window on the review."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on(
            "console",
            # What the browser itself logs of a refused request is meant to happen in some tests.
            lambda m: m.type == "error" and "Failed to load" not in m.text and self.complaints.append(m.text),
        )
        self.page.goto(url)

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def at(self, number: int, of: int = 5) -> None:
        """Wait until this image is on the screen and can be decided on."""
        self.page.wait_for_function(
            "(words) => document.getElementById('place').textContent === words &&"
            " (!document.getElementById('frame').hidden || !document.getElementById('gone').hidden)",
            arg=f"Image {number} of {of}",
        )

    def side(self) -> str:
        return str(self.page.locator("#readout").inner_text())

    def spot(self, selector: str = "#square") -> dict[str, float]:
        box: dict[str, float] = self.page.locator(selector).bounding_box()
        return box

    def drag(self, start: tuple[float, float], to: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + to[0]) / 2, (start[1] + to[1]) / 2)
        mouse.move(*to)
        mouse.up()

    def saved(self, words: str) -> None:
        self.page.wait_for_function(
            "(w) => document.getElementById('saved').textContent.includes(w)", arg=words
        )


@pytest.fixture
def visit(browser: Any, reviewing: Any, session: Any) -> Iterator[Any]:
    with ExitStack() as stack:
        url: list[str] = []

        def go(only: str = "", **options: Any) -> Visit:
            if not url:
                url.append(stack.enter_context(reviewing(session, only)))
            here = Visit(browser, url[0], **options)
            stack.callback(here.context.close)
            return here

        yield go


def _lines(sheet: Any) -> list[tuple[str, str, Any]]:
    if not sheet.decisions.exists():
        return []
    lines = [json.loads(line) for line in sheet.decisions.read_text().splitlines() if line]
    return [
        (one["file"][-5:-4] if ".none" not in one["file"] else "c", one["action"], one["box"])
        for one in lines
    ]


def test_one_key_an_image_when_the_proposals_are_right(visit: Any, sheet: Any) -> None:
    here = visit()
    for number in range(1, 6):
        here.at(number)
        here.key("Enter" if number % 2 else "Space")
    here.page.locator("#end h2").wait_for()
    assert here.page.locator("#end h2").inner_text() == "Every image is decided"
    assert _lines(sheet) == [
        ("a", "accept", [200, 120, 240]), ("b", "accept", [80, 200, 200]), ("c", "reject", None),
        ("d", "accept", [500, 300, 1000]), ("e", "accept", [0, 0, 480]),
    ]  # fmt: skip
    tiles = here.page.locator(".tile strong").all_inner_texts()
    assert tiles == ["4", "0", "1", "0"]
    assert str(sheet.folder) in here.page.locator(".command code").inner_text()
    assert here.complaints == []


def test_reject_and_go_on_without_deciding(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.key("ArrowRight")
    here.at(2)
    here.key("j")
    here.at(3)
    here.key("ArrowLeft", "k")
    here.at(1)
    here.key("x")
    here.at(2)
    here.key("Delete")
    here.at(3)
    assert _lines(sheet) == [("a", "reject", None), ("b", "reject", None)]
    assert here.page.locator("#count").inner_text() == "2 of 5 decided"


def test_a_key_that_is_held_decides_once(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    for _ in range(4):
        here.page.keyboard.down("Enter")  # the second and later ones come as repeats
    here.page.keyboard.up("Enter")
    here.at(2)
    assert len(_lines(sheet)) == 1


def test_dragging_moves_the_square_and_the_picture_holds_it(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    photo, square = here.spot("#photo"), here.spot()
    scale = photo["width"] / 640
    middle = (square["x"] + square["width"] / 2, square["y"] + square["height"] / 2)
    here.drag(middle, (middle[0] + 50 * scale, middle[1] - 30 * scale))
    here.key("Enter")
    here.at(2)
    ((_, action, box),) = _lines(sheet)
    assert action == "crop"
    assert box[2] == 240
    assert abs(box[0] - 250) <= 1
    assert abs(box[1] - 90) <= 1
    here.key("ArrowLeft")
    here.at(1)
    square = here.spot()
    middle = (square["x"] + square["width"] / 2, square["y"] + square["height"] / 2)
    here.drag(middle, (middle[0] + 3000, middle[1] + 2000))
    here.key("Enter")
    here.at(2)
    assert _lines(sheet)[1] == ("a", "crop", [400, 240, 240])


def test_a_handle_resizes_and_stops_at_the_least_side(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    scale = here.spot("#photo")["width"] / 640
    square = here.spot()
    corner = (square["x"] + square["width"], square["y"] + square["height"])
    here.drag(corner, (corner[0] + 60 * scale, corner[1] + 60 * scale))
    assert abs(int(here.side().split()[0]) - 300) <= 1
    square = here.spot()
    here.drag((square["x"], square["y"]), (square["x"] + 900, square["y"] + 900))
    assert here.side() == "100 px"
    here.key("Enter")
    here.at(2)
    ((_, action, box),) = _lines(sheet)
    assert (action, box[2]) == ("crop", 100)
    assert abs(box[0] - 400) <= 1, "the corner across stays where it was"


def test_wheel_keys_and_slider_resize_and_arrows_move(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    square = here.spot()
    here.page.mouse.move(square["x"] + square["width"] / 2, square["y"] + square["height"] / 2)
    here.page.mouse.wheel(0, -100)
    here.page.wait_for_function("() => parseInt(document.getElementById('readout').textContent) > 240")
    assert here.side() == "271 px"
    here.key("r", "+")
    assert here.side() == "245 px"
    here.key("-", "-")
    assert here.side() == "235 px"
    here.key("r", "s", "ArrowRight", "ArrowDown", "Shift+ArrowLeft", "Shift+ArrowDown")
    here.key("Enter")
    here.at(2)
    assert _lines(sheet) == [("a", "crop", [191, 131, 240])]
    here.page.locator("#side").fill("300")
    here.key("Enter")
    here.at(3)
    assert _lines(sheet)[1] == ("b", "crop", [30, 150, 300])


def test_a_square_where_none_was_proposed(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.key("j", "j")
    here.at(3)
    assert here.page.locator("#accept-name").inner_text() == "Agree: no crop"
    photo = here.spot("#photo")
    scale = photo["width"] / 500
    here.drag(
        (photo["x"] + 50 * scale, photo["y"] + 60 * scale),
        (photo["x"] + 250 * scale, photo["y"] + 200 * scale),
    )
    assert here.side() == "200 px"
    here.key("u")
    assert not here.page.locator("#square").is_visible()
    here.key("c")
    assert here.side() == "333 px"
    here.key("Enter")
    here.at(4)
    assert _lines(sheet) == [("c", "crop", [84, 84, 333])]


def test_undo_goes_back_step_by_step(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.key("Enter")
    here.at(2)
    here.key("+", "x")
    here.at(3)
    here.key("Enter")
    here.at(4)
    here.key("+")
    here.key("u")
    assert here.side() == "1000 px", "first the change of this square"
    here.key("u")
    here.at(3)
    here.key("Control+z")
    here.at(2)
    here.key("u")
    here.at(1)
    here.page.wait_for_function("() => document.getElementById('count').textContent === '0 of 5 decided'")
    assert [action for _, action, _ in _lines(sheet)] == [
        "accept",
        "reject",
        "reject",
        "undo",
        "undo",
        "undo",
    ]
    assert here.page.locator("#undo").is_disabled()


def test_a_reload_in_the_middle_keeps_everything(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.key("Enter")
    here.at(2)
    here.key("+", "Enter")
    here.at(3)
    here.page.reload()
    here.at(3)
    assert here.page.locator("#count").inner_text() == "2 of 5 decided"
    here.key("k")
    here.at(2)
    assert here.side() == "204 px"
    assert here.page.locator("#stamp").inner_text() == "Decided: own crop, by tester"
    here.key("u")
    here.page.wait_for_function("() => document.getElementById('count').textContent === '1 of 5 decided'")
    assert here.side() == "200 px"


def test_a_save_that_fails_is_shown_kept_and_tried_again(
    visit: Any, sheet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = visit()
    here.at(1)
    write = os.write
    full = [True]

    def writing(handle: int, data: bytes) -> int:
        if full[0] and b'"action"' in bytes(data):
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", writing)
    here.key("+", "Enter")
    alert = here.page.get_by_role("alert")
    alert.get_by_text("No space left on device").wait_for()
    assert "Not saved." in alert.inner_text()
    assert here.page.locator("#saved").inner_text() == "Saving …"
    here.key("Enter", "ArrowRight", "x", "u")
    assert here.page.locator("#place").inner_text() == "Image 1 of 5", "nothing goes on before it is saved"
    assert _lines(sheet) == []
    full[0] = False
    alert.get_by_role("button", name="Try now").click()
    here.at(2)
    assert _lines(sheet) == [("a", "crop", [198, 118, 245])]
    assert not alert.is_visible()
    here.saved("saved")


def test_a_server_that_is_gone_and_comes_back(browser: Any, reviewing: Any, sheet: Any, session: Any) -> None:
    with reviewing(session) as url:
        here = Visit(browser, url)
        here.at(1)
        here.key("Enter")
        here.at(2)
    here.key("Enter")
    here.page.get_by_role("alert").get_by_text("The program is not answering").wait_for()
    assert here.page.locator("#place").inner_text() == "Image 2 of 5"
    time.sleep(0.1)
    with reviewing(sheet.session(), port=int(url.rpartition(":")[2])):
        here.at(3)  # by itself
        assert [action for _, action, _ in _lines(sheet)] == ["accept", "accept"]
        here.context.close()


def test_an_answer_that_is_lost_on_its_way_does_not_count_twice(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    lost = []

    def lose(route: Any) -> None:
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    here.page.route("**/api/decisions", lose)
    here.key("Enter")
    here.at(2)
    assert lost == [200]
    assert _lines(sheet) == [("a", "accept", [200, 120, 240])]


def test_two_windows_do_not_lose_decisions(visit: Any, sheet: Any) -> None:
    here, there = visit(), visit()
    here.at(1)
    there.at(1)
    here.key("Enter")
    here.at(2)
    there.key("x")
    there.saved("another window")
    there.page.locator("#stamp").wait_for()
    assert there.page.locator("#stamp").inner_text() == "Decided: accepted, by tester"
    assert _lines(sheet) == [("a", "accept", [200, 120, 240])]
    there.key("x")  # having seen it
    there.at(2)
    there.key("j", "Enter")
    there.at(4)
    here.key("Enter")
    here.at(4)  # 3 is decided over there
    assert [one[:2] for one in _lines(sheet)] == [
        ("a", "accept"),
        ("a", "reject"),
        ("c", "reject"),
        ("b", "accept"),
    ]


def test_news_that_a_decision_has_overtaken_is_dropped(visit: Any, sheet: Any) -> None:
    """Else a count of lines smaller than the page's own would look like another decisions file, and load it anew."""
    here = visit(only="class:acne")
    here.at(1, 2)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append((route, route.fetch()))

    here.page.route("**/api/changes*", hold)
    with here.page.expect_request("**/api/changes*"):
        here.page.evaluate("window.same = true; dispatchEvent(new Event('focus'))")
    here.key("Enter")
    here.at(2, 2)
    (route, answer), *_ = held
    with here.page.expect_response("**/api/changes*"):
        route.fulfill(response=answer)
    here.key("Enter")
    here.page.locator("#end h2").wait_for()
    assert here.page.evaluate("window.same") is True
    assert [one[1] for one in _lines(sheet)] == ["reject", "accept"]


def test_a_file_that_is_gone_can_be_left_out_but_not_accepted(visit: Any, sheet: Any) -> None:
    (sheet.root / "mpox/a.jpg").unlink()
    here = visit()
    here.at(1)
    assert "mpox/a.jpg is not in" in here.page.locator("#gone").inner_text()
    assert here.page.locator("#accept").is_disabled()
    here.key("Enter")
    assert "cannot be accepted" in here.page.locator("#status").inner_text()
    here.key("x")
    here.at(2)
    assert _lines(sheet) == [("a", "reject", None)]


def test_filters_choose_what_is_gone_through(visit: Any, sheet: Any) -> None:
    here = visit(only="class:acne")
    here.at(1, 2)
    assert here.page.locator("#filter-name").inner_text() == "acne"
    here.key("f")
    here.page.locator("#filter-show").select_option("none")
    here.page.locator("#filter-label").select_option("")
    assert here.page.locator("#filter-count").inner_text() == "1 image"
    here.page.locator("#filter-apply").click()
    here.at(1, 1)
    here.key("Enter")
    here.page.locator("#end h2").wait_for()
    assert "4 of all 5 images are undecided" in here.page.locator("#end").inner_text()
    here.page.get_by_role("button", name="Show the undecided").click()
    here.at(1, 4)
    here.key("Enter")
    here.at(2, 4)
    assert [one[:2] for one in _lines(sheet)] == [("c", "reject"), ("a", "accept")]


def test_the_keys_are_listed_and_do_nothing_behind_the_list(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.key("?")
    assert here.page.locator("#keys").is_visible()
    here.key("x")
    here.key("Escape")
    assert not here.page.locator("#keys").is_visible()
    assert here.page.locator("#place").inner_text() == "Image 1 of 5"
    assert _lines(sheet) == []


def test_buttons_do_what_the_keys_do(visit: Any, sheet: Any) -> None:
    here = visit()
    here.at(1)
    here.page.locator("#accept").click()
    here.at(2)
    here.page.locator("#reject").click()
    here.at(3)
    here.key("Enter")  # not the button that was clicked last
    here.at(4)
    here.page.locator("#undo").click()
    here.at(3)
    here.page.get_by_role("button", name="Image 5, healthy").click()
    here.at(5)
    assert [one[:2] for one in _lines(sheet)] == [
        ("a", "accept"),
        ("b", "reject"),
        ("c", "reject"),
        ("c", "undo"),
    ]


def test_the_next_pictures_are_there_before_they_are_wanted(visit: Any) -> None:
    here = visit()
    here.at(1)
    here.page.wait_for_load_state("networkidle")
    here.page.route("**/picture/*", lambda route: route.abort())
    for number in range(2, 6):
        here.key("j")
        here.at(number)
        assert here.page.locator("#photo").is_visible()


def test_the_preview_shows_the_crop(visit: Any) -> None:
    here = visit()
    here.at(1)
    shown = "document.getElementById('crop').toDataURL()"
    before = here.page.evaluate(shown)
    assert before == here.page.evaluate(shown)
    here.key("+")
    assert here.page.evaluate(shown) != before
    with here.page.expect_response("**/crop/3?box=500&box=300&box=1000") as sharp:
        here.key("u", "j", "j", "j")
    assert sharp.value.status == 200


OVER = """() => [...document.querySelectorAll('.decide button, .sizer > *, .draw button')]
  .filter((e) => e.checkVisibility())
  .map((e) => e.getBoundingClientRect())
  .filter((r) => r.left < 0 || r.right > innerWidth || r.width < 24 || r.height < 24).length"""


@pytest.mark.parametrize(("width", "height"), [(320, 640), (360, 740), (768, 1024), (1280, 800), (740, 360)])
def test_nothing_runs_over_the_edge(visit: Any, width: int, height: int) -> None:
    here = visit(viewport={"width": width, "height": height}, has_touch=width < 800, is_mobile=width < 800)
    wide = "Math.max(document.documentElement.scrollWidth, ...['.side', '.decide', '.strip', '.bar'].map((s) => {"
    wide += "const r = document.querySelector(s).getBoundingClientRect(); return r.right; }))"
    for number in range(1, 6):
        here.at(number)
        assert here.page.evaluate(wide) <= width
        over = here.page.evaluate(OVER)
        assert over == 0
        if height >= 640:
            assert here.spot("#accept")["y"] + here.spot("#accept")["height"] <= height
        here.key("Enter")
    here.page.locator("#end h2").wait_for()
    assert here.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_finger_moves_it_and_two_fingers_resize_it(visit: Any, sheet: Any) -> None:
    here = visit(**PHONE)
    here.at(1)
    scale = here.spot("#photo")["width"] / 640
    square = here.spot()
    x, y = square["x"] + square["width"] / 2, square["y"] + square["height"] / 2
    touch = here.context.new_cdp_session(here.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        named = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": named})

    fingers("touchStart", (x, y))
    fingers("touchMove", (x + 10, y))
    fingers("touchMove", (x + 40 * scale, y))
    fingers("touchEnd")
    here.page.wait_for_function("() => document.getElementById('accept-name').textContent === 'Keep mine'")
    fingers("touchStart", (x - 30, y))
    fingers("touchStart", (x - 30, y), (x + 30, y))
    fingers("touchMove", (x - 36, y), (x + 36, y))
    fingers("touchEnd")
    here.page.wait_for_function("() => parseInt(document.getElementById('readout').textContent) > 270")
    here.page.locator("#accept").tap()
    here.at(2)
    ((_, action, box),) = _lines(sheet)
    assert action == "crop"
    assert abs(box[2] - 288) <= 2
    assert abs(box[0] + box[2] / 2 - 360) <= 3
    assert abs(box[1] + box[2] / 2 - 240) <= 3


def test_it_tells_a_screen_reader_what_a_person_sees(visit: Any) -> None:
    here = visit()
    here.at(1)
    status = here.page.locator("#status")
    assert (
        status.inner_text() == "Image 1 of 5, mpox. A crop is proposed. A square of 240 px holds skin alone."
    )
    here.key("s")
    square = here.page.get_by_role("application")
    assert square.get_attribute("aria-label") == "Square of 240 px, 200 px from the left, 120 px from the top"
    assert here.page.evaluate("document.activeElement.id") == "square"
    here.key("Escape")
    assert here.page.evaluate("document.activeElement.tagName") == "BODY"
    nameless = here.page.evaluate(
        "[...document.querySelectorAll('input, select, button')].filter((e) => !e.labels?.length && "
        "!e.getAttribute('aria-label') && !e.textContent.trim()).map((e) => e.outerHTML)"
    )
    assert nameless == []
    here.key("Enter")
    here.at(2)
    assert status.inner_text().startswith("Accepted and saved. Image 2 of 5, mpox.")


SQUARES = """async () => {
  const q = await import("/square.js");
  const p = { width: 300, height: 200, least: 50 };
  return [
    q.held([-5, 190, 80], p), q.held([10, 10, 999], p), q.held([10, 10, 1], p), q.moved([10, 10, 60], 500, -500, p),
    q.resized([100, 50, 60], 100, p), q.resized([0, 0, 60], 100, p), q.resized([100, 50, 60], 80, p, 0, 1),
    q.pulled([100, 50, 60], "se", [400, 400], p), q.pulled([100, 50, 60], "nw", [0, 0], p),
    q.pulled([100, 50, 60], "ne", [140, 60], p), q.spanned([200, 150], [120, 100], p), q.first(p),
    q.fits({ width: 40, height: 60, least: 50 }), q.held([0, 0, 99], { width: 40, height: 60, least: 50 }),
  ];
}"""


def test_squares_stay_in_the_picture(visit: Any) -> None:
    here = visit()
    assert here.page.evaluate(SQUARES) == [
        [0, 120, 80], [10, 0, 200], [10, 10, 50], [240, 0, 60],
        [80, 30, 100], [0, 0, 100], [100, 30, 80],
        [100, 50, 150], [50, 0, 110],
        [100, 60, 50], [120, 70, 80], [84, 34, 133],
        False, [0, 0, 40],
    ]  # fmt: skip


def test_squares_stay_in_the_picture_whatever_is_done(visit: Any) -> None:
    here = visit()
    bad = here.page.evaluate(
        """async () => {
      const q = await import("/square.js");
      let seed = 7;
      const any = (n) => { seed = (seed * 48271) % 2147483647; return seed % n; };
      const bad = [];
      for (let i = 0; i < 20000; i += 1) {
        const p = { width: 100 + any(900), height: 100 + any(900), least: 1 + any(100) };
        const at = q.held([any(999) - 200, any(999) - 200, any(999)], p);
        const point = [any(1500) - 300, any(1500) - 300];
        const corner = ["nw", "ne", "sw", "se"][any(4)];
        for (const one of [at, q.moved(at, ...point, p), q.resized(at, any(1500), p, any(10) / 9, any(10) / 9),
          q.pulled(at, corner, point, p), q.spanned(point, [any(999), any(999)], p), q.first(p)]) {
          const [left, top, side] = one;
          const whole = one.every(Number.isInteger);
          const inside = left >= 0 && top >= 0 && left + side <= p.width && top + side <= p.height;
          if (!whole || !inside || side < p.least) bad.push([p, at, one]);
        }
      }
      return bad.slice(0, 3);
    }"""
    )
    assert bad == []


QUEUE = """async () => {
  const q = await import("/queue.js");
  const item = (label, verdict, action) => ({ label, verdict, decision: action ? { action } : null });
  const items = [
    item("a", "crop", "accept"), item("b", "none", "reject"), item("a", "crop"), item("b", "crop", "crop"),
    item("a", "none"),
  ];
  const pace = new q.Pace();
  const words = [];
  pace.start(0);
  for (const now of [2000, 5000]) pace.tick(now);
  words.push(pace.words(100));
  for (const now of [9000, 909000, 912000]) pace.tick(now);  // away for a quarter of an hour
  words.push(pace.each, pace.words(100), pace.words(10), pace.words(6000), pace.words(0));
  return {
    shown: q.FILTERS.map(([show]) => q.chosen(items, { show, label: "" })),
    ofClass: q.chosen(items, { show: "undecided", label: "a" }),
    after: [[[0, 1, 2, 3, 4], 2], [[0, 1, 2], 2], [[0, 1], 0]].map(([all, at]) => q.undecidedAfter(all, items, at)),
    counts: q.counts(items),
    only: [q.filterOf(""), q.filterOf("none"), q.filterOf("class:a:b")],
    words,
  };
}"""


def test_what_is_gone_through_and_how_long_it_takes(visit: Any) -> None:
    told = visit().page.evaluate(QUEUE)
    assert told["shown"] == [[0, 1, 2, 3, 4], [2, 4], [0, 2, 3], [1, 4], [0, 3], [3], [1]]
    assert told["ofClass"] == [2, 4]
    assert told["after"] == [4, 2, None]
    assert told["counts"] == {"all": 5, "accepted": 1, "redrawn": 1, "rejected": 1, "decided": 3}
    assert told["only"] == [
        {"show": "all", "label": ""}, {"show": "none", "label": ""}, {"show": "all", "label": "a:b"},
    ]  # fmt: skip
    assert told["words"] == ["", 3000, "about 5 min left", "under a minute left", "about 5.0 h left", ""]
