"""A result's way: agreed to, answered, kept on the device, locked, wiped, and read from its code on another page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

PHRASE = "four plain words here"
# Words of a result as it is written down: so long that no encrypted bytes spell them by chance, as "14d" did once.
WORDS = ("QuestionnaireResponse", "resourceType", "ServiceRequest")
DATABASES = "indexedDB.databases().then((found) => found.map(({ name }) => name))"


def jpeg(pixels: np.ndarray, path: Path) -> bytes:
    Image.fromarray(pixels).save(path, quality=90)
    return path.read_bytes()


def test_kept_locked_wiped_and_read_elsewhere(
    visit: Callable[..., Any], url: str, pustules: np.ndarray, tmp_path: Path
) -> None:
    one = visit(accept_downloads=True)
    page = one.page
    one.begin()
    one.choose(jpeg(pustules, tmp_path / "photo.jpg"))
    one.press(".bar button")
    for place in ("face", "feet"):
        one.pick("where", place)
    page.locator("path.on").first.wait_for()  # the drawn body shows them too
    assert page.locator("path.on").count() == 3  # a face, and feet from both sides
    one.pick("since", "14d")
    page.locator("#age").fill("31,5")
    one.pick("pregnant", "yes")
    one.pick("sex", "male")
    assert page.locator("input[name=pregnant]").count() == 0
    one.pick("sex", "female")
    assert not page.locator("input[name=pregnant][value=yes]").is_checked()  # it went with the question
    one.pick("pregnant", "yes")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    assert "pregnancy" in page.locator(".danger-note").inner_text()
    drawn = page.locator(".lesions ul.stages li").all_inner_texts()
    assert [text.strip() for text in drawn] == ["Face or head", "Feet or soles"]

    # Nothing is kept unless it is wanted.
    assert "poxlens-results" not in page.evaluate(DATABASES)
    page.locator(".keep button").first.click()
    page.locator(".keep .good").wait_for()
    lying = one.lying()
    assert "sealed" in lying  # with the device's own key, before there is a passphrase
    assert not [word for word in WORDS if word in lying]
    one.press(".row.end .primary")
    code = page.locator(".code svg").first
    code.wait_for()
    assert page.locator(".code").count() == 1  # one code is enough for one photo
    picture = code.screenshot()
    summary = page.locator(".sheet").inner_text()
    for said in ("31.5 years", "1 to 2 weeks", "Face or head, Feet or soles", "PCR test", "pregnancy"):
        assert said in summary

    # Another page reads the code, from a picture and, shown too small, not at all.
    reader = one.context.new_page()
    reader.goto(f"{url.rstrip('/')}/reader.html")
    reader.locator("input[type=file]").set_input_files(
        [{"name": "nothing.png", "mimeType": "image/png", "buffer": jpeg(pustules, tmp_path / "no.png")}]
    )
    reader.get_by_text("No code was found").wait_for()
    reader.locator("input[type=file]").set_input_files(
        [{"name": "code.png", "mimeType": "image/png", "buffer": picture}]
    )
    reader.locator(".sheet").wait_for()
    assert reader.locator(".sheet").inner_text() == summary
    with reader.expect_download() as saved:
        reader.get_by_role("button", name="Save as a file").click()
    bundle = json.loads(written := Path(saved.value.path()).read_text("utf-8"))
    assert all(word in written for word in WORDS)
    assert saved.value.suggested_filename.endswith(".json")
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == [
        "Patient", "Device", "Consent", "QuestionnaireResponse", "Observation", "Observation",
        "DiagnosticReport", "ServiceRequest",
    ]  # fmt: skip
    reader.close()

    # The list, its file and its lock.
    page.locator(".links button").first.click()
    row = page.locator(".kept")
    row.wait_for()
    with page.expect_download() as saved:
        row.get_by_role("button", name="Save as a file").click()
    assert json.loads(Path(saved.value.path()).read_text("utf-8")) == bundle
    page.get_by_role("button", name="Lock with a passphrase").click()
    page.locator("#new-passphrase").fill("short")
    one.press(".lock .primary")
    assert "at least 8" in page.locator("[role=alert]").inner_text()
    page.locator("#new-passphrase").fill(PHRASE)
    page.locator("#passphrase-again").fill(PHRASE + "!")
    one.press(".lock .primary")
    assert "not the same" in page.locator("[role=alert]").inner_text()
    page.locator("#passphrase-again").fill(PHRASE)
    one.press(".lock .primary")
    page.get_by_role("button", name="Lock now").wait_for()
    lying = one.lying()
    assert "wrapped" in lying
    assert not [word for word in (*WORDS, PHRASE) if word in lying]

    # A page that was loaded anew is locked; a wrong passphrase opens nothing; the right one does.
    page.reload()
    page.locator(".links button").first.click()
    page.locator("#passphrase").wait_for()
    assert page.locator(".kept").count() == 0
    page.locator("#passphrase").fill(PHRASE.upper())
    one.press(".lock .primary")
    page.get_by_text("That is not the passphrase").wait_for()
    assert page.locator(".kept").count() == 0
    page.locator("#passphrase").fill(PHRASE)
    one.press(".lock .primary")
    page.locator(".kept").wait_for()
    page.get_by_role("button", name="Open").click()
    assert page.locator(".kept .sheet").inner_text() == summary
    page.get_by_role("button", name="Remove the lock").click()
    page.get_by_role("button", name="Lock with a passphrase").wait_for()
    assert "wrapped" not in one.lying()
    # Left and shown again by "back", as browsers do that keep a page: with a lock it is locked.
    page.get_by_role("button", name="Lock with a passphrase").click()
    for field in ("#new-passphrase", "#passphrase-again"):
        page.locator(field).fill(PHRASE)
    one.press(".lock .primary")
    page.get_by_role("button", name="Lock now").wait_for()
    page.evaluate("() => { dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); }")
    page.locator("#passphrase").wait_for()
    assert page.locator(".kept").count() == 0

    # One tap, and a tab that comes to the front again shows it too.
    second = one.context.new_page()
    second.set_default_timeout(120_000)
    second.goto(url)
    second.locator(".links button").first.click()
    second.locator("#passphrase").fill(PHRASE)
    second.locator(".lock .primary").click()
    second.locator(".kept").wait_for()
    page.get_by_role("button", name="Wipe everything").click()
    page.get_by_text("Everything is wiped").wait_for()
    assert page.locator(".kept").count() == 0
    assert "poxlens-results" not in page.evaluate(DATABASES)
    second.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')); }")
    second.locator(".kept").wait_for(state="detached")
    assert one.complaints == []


def test_what_was_wiped_is_asked_again_and_several_codes_are_shown_in_turn(
    visit: Callable[..., Any], pustules: np.ndarray, tmp_path: Path
) -> None:
    one = visit()
    page = one.page
    one.begin()
    turned = [np.ascontiguousarray(np.rot90(pustules, turn)) for turn in range(4)]
    one.choose(*[jpeg(photo, tmp_path / "photo.jpg") for photo in turned])
    one.to_answer()
    page.locator(".keep button").first.click()
    page.locator(".keep .good").wait_for()
    page.get_by_role("button", name="Kept results").first.click()
    page.get_by_role("button", name="Wipe everything").click()
    page.get_by_text("Everything is wiped").wait_for()
    page.go_back()
    page.get_by_text("Keep this result on this device?").wait_for()
    one.press(".row.end .primary")
    codes = page.locator(".code")
    codes.first.wait_for()
    assert codes.count() == 2

    def shown() -> list[bool]:
        return [code.is_visible() for code in codes.all()]

    assert shown() == [True, False]
    page.get_by_role("button", name="Next code").click()
    assert shown() == [False, True]
    page.get_by_role("button", name="Next code").click()
    assert shown() == [True, False]
    page.get_by_role("button", name="Show them in turn").click()
    codes.nth(1).wait_for(state="visible")
    page.get_by_role("button", name="Stop").click()
    page.emulate_media(media="print")
    assert shown() == [True, True]  # paper takes all of them
    assert not page.locator("header").is_visible()


def test_agreement_comes_before_the_photo(visit: Callable[..., Any]) -> None:
    one = visit()
    page = one.page
    one.press(".welcome .primary")
    one.press(".bar button")
    assert "both questions" in page.locator("[role=alert]").inner_text()
    one.pick("whose", "guardian")
    one.pick("intimate", "yes")
    assert "no photo of an intimate place" in page.locator(".note.urgent").inner_text()
    assert page.locator(".bar button").is_disabled()
    one.pick("intimate", "no")
    one.press(".bar button")
    assert "tick what is agreed to" in page.locator("[role=alert]").inner_text()
    one.pick("whose", "adult")
    one.tick("agreed")
    one.pick("intimate", "yes")
    one.press(".bar button")
    assert page.locator(".drop").count() == 0  # the place is not agreed to yet
    one.tick("agreed-place")
    page.get_by_role("button", name="Photos and privacy").first.click()
    assert "anyone under 18" in page.locator(".policy").inner_text()
    page.go_back()
    one.press(".bar button")  # asked again: the form was left
    assert page.locator("[role=alert]").count() == 1
    # By the address alone nobody gets past it.
    step = "{ state: { step: 'photos' } }"
    page.evaluate(f"() => {{ dispatchEvent(new PopStateEvent('popstate', {step})); }}")
    page.locator(".care").wait_for()
    assert one.complaints == []


def test_a_childs_age_asks_for_the_guardian_and_where_nothing_may_be_kept_it_says_so(
    visit: Callable[..., Any], pustules: np.ndarray, tmp_path: Path
) -> None:
    one = visit()
    page = one.page
    one.begin()
    one.choose(jpeg(pustules, tmp_path / "photo.jpg"))
    one.press(".bar button")
    page.locator("#age").fill("7")
    one.press(".bar button")
    assert "under 18" in page.locator("[role=alert]").inner_text()
    assert page.locator(".verdict").count() == 0
    page.locator("input[name=guardian]").press("Space")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    assert "small child" in page.locator(".danger-note").inner_text()
    page.evaluate(
        "() => { IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }; }"
    )
    page.locator(".keep button").first.click()
    page.get_by_text("lets the page keep nothing").wait_for()
    one.press(".row.end .primary")
    assert "a parent or guardian" in page.locator(".sheet").inner_text()
