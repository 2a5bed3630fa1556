"""The phone app as a person uses it, in a real Chromium."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image, ImageFilter

from poxlens.screen.screener import Screener

pytestmark = pytest.mark.browser

LAYER_IS_DRAWN = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value, i) => i % 4 === 3 && value > 0);
}"""


def jpeg(pixels: np.ndarray, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=90, exif=exif)
        return stream.getvalue()


def dark(pixels: np.ndarray) -> bytes:
    return jpeg((pixels * 0.1).astype(np.uint8))


def test_from_a_photo_to_the_summary(
    visit: Callable[..., Any], url: str, pustules: np.ndarray, screener: Screener
) -> None:
    photo = jpeg(np.rot90(pustules), 6)  # stored on its side, as phones do
    one = visit()
    page = one.page
    one.begin()
    page.locator("input[type=file]").last.set_input_files(
        [{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}]
    )
    frame = page.locator(".frame")
    frame.wait_for()
    shown = page.locator(".stage canvas").bounding_box()
    assert shown["width"] > shown["height"]  # upright, and not turned twice
    page.go_back()
    page.locator(".card.photo .good").wait_for()
    one.to_answer()
    assert one.outcome == screener.screen(photo).outcome == "refer"
    assert page.locator("h1").inner_text() == "Show this rash to a health worker"
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.locator("canvas.over").evaluate(LAYER_IS_DRAWN)
    page.locator("input[type=range]").fill("0")
    assert page.locator("canvas.over").evaluate("canvas => canvas.style.opacity") == "0"
    # One in ten of those who use it has mpox, unless a deployment knows better.
    told = {
        figure.group: figure.interval.value
        for figure in screener.bundle.manifest.evidence.figures
        if figure.name == "refer"
    }
    sick, well = round(100 * told["all, mpox"]), round(900 * told["all, not mpox"])
    assert 0 < sick < 100
    assert f"{sick} of the 100 with mpox" in page.locator(".people.sick").inner_text()
    assert f"{well} of the 900 without mpox" in page.locator(".people.well").inner_text()
    one.press(".row.end .primary")
    sheet = page.locator(".sheet").inner_text()
    assert screener.bundle.label in sheet
    assert "PCR" in sheet
    assert page.locator(".sheet canvas").count() == 0  # the photo is left out unless asked for
    page.locator("input[name=with-photo]").check()
    assert page.locator(".sheet canvas").count() == 1
    paper = page.pdf(format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "12mm"))
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
    page.go_back()
    page.locator(".verdict").wait_for()
    page.locator(".row.end button").last.click()
    page.locator(".welcome").wait_for()
    one.begin()
    assert page.locator(".card.photo").count() == 0  # nothing of the person before
    for _ in range(3):
        page.go_back()  # to the answer of someone who is gone
    page.locator(".drop, .care").first.wait_for()
    assert page.locator(".verdict").count() == 0
    assert {urlsplit(asked).netloc for asked in one.requests if not asked.startswith("blob:")} == {
        urlsplit(url).netloc
    }
    assert one.complaints == []
    kept = page.evaluate(
        "(async () => [await caches.keys(), Object.keys(localStorage), await indexedDB.databases()])()"
    )
    assert all(name.startswith(("poxlens-page-", "poxlens-bundle-", "poxlens-runtime")) for name in kept[0])
    assert kept[1:] == [[], []]


def test_the_frame_is_moved_by_keys_and_the_answer_is_that_of_the_part(
    visit: Callable[..., Any], pustules: np.ndarray
) -> None:
    one = visit()
    page = one.page
    one.begin()
    page.locator("input[type=file]").last.set_input_files(
        [{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": jpeg(pustules)}]
    )
    frame = page.locator(".frame")
    frame.focus()
    for key in ["-"] * 9 + ["ArrowLeft"] * 60 + ["ArrowUp"] * 60:
        page.keyboard.press(key)
    place = frame.evaluate("frame => [frame.style.left, frame.style.top, parseFloat(frame.style.width)]")
    assert place[:2] == ["0%", "0%"]
    assert place[2] == pytest.approx(100 / 1.08**9, abs=0.1)
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 20, box["y"] + box["height"] / 2 + 10)
    page.mouse.up()
    assert frame.bounding_box()["x"] == pytest.approx(box["x"] + 20, abs=1)
    for _ in range(20):
        page.keyboard.press("-")
    assert "too small" in page.locator(".bad").inner_text()
    one.press(".bar button")
    page.locator(".card.photo .bad").wait_for()
    assert "too small" in page.locator(".card.photo").inner_text()


def test_photos_that_cannot_be_judged_say_why_and_the_answers_can_override(
    visit: Callable[..., Any], pustules: np.ndarray
) -> None:
    one = visit()
    page = one.page
    one.begin()
    one.choose(b"a text that calls itself a photo", crop=False)
    assert "This is not an image" in page.locator(".card.photo").inner_text()
    one.choose(dark(pustules))
    assert "too dark" in page.locator(".card.photo").nth(1).inner_text()
    one.to_answer()
    assert one.outcome == "cannot_assess"
    assert "neither good nor bad" in page.locator(".verdict").inner_text()
    assert page.locator("canvas.over").count() == 0
    page.go_back()
    one.pick("contact_with_case_21d", "yes")
    page.locator("#age").fill("131")
    one.press(".bar button")
    assert "0 to 130" in page.locator("[role=alert]").inner_text()
    page.locator("#age").fill("31")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    assert one.outcome == "refer"
    assert (
        page.locator(".reasons li").first.inner_text().startswith("Contact with a probable or confirmed case")
    )
    assert "whatever the photo shows" in page.locator(".note").inner_text()
    assert page.locator(".people").count() == 0
    assert one.complaints == []


def test_a_photo_that_is_removed_while_it_is_opened_opens_no_frame(
    visit: Callable[..., Any], pustules: np.ndarray
) -> None:
    one = visit()
    page = one.page
    page.get_by_text(re.compile("^Ready")).wait_for()
    # The answer of the worker is held back until the photo is gone.
    page.evaluate("""() => {
      const held = new Promise((go) => (window.go = go));
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (...sent) { held.then(() => post.apply(this, sent)); };
    }""")
    one.begin()
    page.locator("input[type=file]").last.set_input_files(
        [{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": jpeg(pustules)}]
    )
    page.get_by_text("Opening the photo").wait_for()
    page.get_by_role("button", name="Remove: Photo 1").click()
    page.locator(".card.photo").wait_for(state="detached")
    page.evaluate("window.go()")
    one.choose(jpeg(pustules))  # behind it in the worker's queue: it has had its turn
    assert page.locator(".card.photo").count() == 1
    one.to_answer()
    assert one.outcome == "refer"
    assert one.complaints == []


def test_what_is_no_sharp_photo_of_skin_is_told(visit: Callable[..., Any], pustules: np.ndarray) -> None:
    blurred = Image.fromarray(pustules).filter(ImageFilter.GaussianBlur(24))
    sky = np.random.default_rng(0).normal((70, 130, 210), 12, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    one = visit()
    one.begin()
    one.choose(jpeg(np.asarray(blurred)), jpeg(sky))
    told = [one.page.locator(".card.photo").nth(n).inner_text() for n in (0, 1)]
    assert "not sharp" in told[0]
    assert "Too little skin" in told[1]
    one.to_answer()
    assert one.outcome == "cannot_assess"


def test_after_the_first_visit_no_network_is_needed(visit: Callable[..., Any], pustules: np.ndarray) -> None:
    one = visit()
    one.page.get_by_text("also without a network").wait_for()
    one.context.set_offline(True)
    one.page.reload()
    one.page.get_by_text("also without a network").wait_for()
    one.begin()
    one.choose(jpeg(pustules))
    one.to_answer()
    assert one.outcome == "refer"


def test_a_damaged_model_gives_no_answer(browser: Any, url: str, screener: Screener) -> None:
    model = screener.engine.model.file
    damaged = bytearray(screener.bundle.read(model))
    damaged[len(damaged) // 2] ^= 1
    context = browser.new_context(service_workers="block")
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        context.route(f"**/{model}", lambda route: route.fulfill(body=bytes(damaged)))
        page.goto(url)
        assert "damaged" in page.locator("[role=alert]").inner_text()
        assert page.evaluate("caches.keys()") == []
        context.unroute(f"**/{model}")
        page.locator("[role=alert] button").click()
        page.get_by_text(re.compile("^Ready")).wait_for()  # and the next try is good
    finally:
        context.close()


def test_a_browser_whose_numbers_are_off_gives_no_answer(browser: Any, url: str, screener: Screener) -> None:
    manifest = json.loads(screener.bundle.read("bundle.json"))
    for promised in (manifest["golden"], *(model.get("golden") or [] for model in manifest["models"])):
        for example in promised:
            example["logits"][2] += 0.1
    context = browser.new_context(service_workers="block")
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        context.route("**/bundle.json", lambda route: route.fulfill(body=json.dumps(manifest)))
        page.goto(url)
        assert "does not calculate exactly enough" in page.locator("[role=alert]").inner_text()
    finally:
        context.close()


def test_where_nothing_may_be_kept_it_runs_from_memory(browser: Any, url: str) -> None:
    context = browser.new_context(service_workers="block")
    try:
        page = context.new_page()
        page.set_default_timeout(120_000)
        full = "CacheStorage.prototype.open = async () => { throw new DOMException('full', 'QuotaExceededError'); }"

        def without_storage(route: Any) -> None:
            found = route.fetch()
            kept = {
                name: value
                for name, value in found.headers.items()
                if name not in ("content-encoding", "content-length")
            }
            route.fulfill(headers=kept, body=f"{full};\n{found.text()}")

        context.route("**/assets/worker-*.js", without_storage)
        page.goto(url)
        page.get_by_text("keeps nothing").wait_for()
    finally:
        context.close()
