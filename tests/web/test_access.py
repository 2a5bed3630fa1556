"""Legible and usable for everyone: axe finds nothing on any step, and nothing is cut off at 320 px."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ").slice(0, 300)}`);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step(visit: Callable[..., Any], pustules: np.ndarray, scheme: str) -> None:
    # Scripts may not be added to the page under its own policy; this switches the policy off for axe alone.
    one = visit(viewport={"width": 320, "height": 640}, color_scheme=scheme, bypass_csp=True)
    page = one.page
    faults: dict[str, list[str]] = {}

    def look(step: str) -> None:
        if not page.evaluate("'axe' in window"):
            page.add_script_tag(content=AXE.read_text("utf-8"))
        faults[step] = page.evaluate(RUN, TAGS)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > 320:
            faults[step].append(f"{wide} px wide")

    look("welcome")
    page.locator("header button").last.click()
    page.locator("dialog h1").wait_for()
    look("about")
    page.keyboard.press("Escape")
    one.press(".welcome .primary")
    one.pick("whose", "guardian")
    one.pick("intimate", "yes")
    look("care, stopped")
    one.pick("whose", "adult")
    one.press(".bar button")
    look("care, incomplete")
    page.locator(".links button").last.click()
    page.locator(".policy").wait_for()
    look("policy")
    page.go_back()
    page.go_back()
    one.begin()
    with io.BytesIO() as stream:
        Image.fromarray(pustules).save(stream, "JPEG", quality=90)
        photo = stream.getvalue()
    page.locator("input[type=file]").last.set_input_files(
        [{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}]
    )
    page.locator(".frame").wait_for()
    look("crop")
    one.press(".bar button")
    page.locator(".bar button:enabled").wait_for()
    look("photos")
    one.press(".bar button")
    page.locator("fieldset").first.wait_for()
    one.pick("where", "eyes")
    page.locator("#age").fill("4")
    look("questions")
    page.locator("#age").fill("40")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    page.locator("summary").click()
    look("answer")
    page.locator(".keep button").first.click()
    page.locator(".keep .good").wait_for()
    one.press(".row.end .primary")
    page.locator(".code svg").wait_for()
    look("summary")
    code = page.locator(".code svg").screenshot()
    page.locator(".links button").first.click()
    page.locator(".kept button").first.click()
    page.get_by_role("button", name="Lock with a passphrase").click()
    look("results, open")
    one.press(".lock .primary")
    page.locator("[role=alert]").wait_for()
    look("lock, too short")
    for field in ("#new-passphrase", "#passphrase-again"):
        page.locator(field).fill("four plain words")
    one.press(".lock .primary")
    page.get_by_role("button", name="Lock now").click()
    page.locator("#passphrase").wait_for()
    look("locked")
    page.locator("footer a").click()
    page.locator("#codes").wait_for()
    look("reader")
    page.locator("input[type=file]").set_input_files(
        [{"name": "code.png", "mimeType": "image/png", "buffer": code}]
    )
    page.locator(".sheet").wait_for()
    look("read")
    assert faults == {step: [] for step in faults}
    assert len(faults) == 15


def test_nothing_that_has_the_focus_is_under_the_bar(visit: Callable[..., Any]) -> None:
    """WCAG 2.2, 2.4.11, with a small window, as 200 % zoom makes of a phone's."""
    one = visit(viewport={"width": 320, "height": 480})
    page = one.page
    one.press(".welcome .primary")
    hidden = """() => {
      if (document.activeElement === document.body) return false; // past the last one nothing has the focus
      const box = document.activeElement.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return top?.closest(".bar") !== null && !document.activeElement.closest(".bar");
    }"""
    focused = []
    for _ in range(14):
        page.keyboard.press("Tab")
        focused.append(page.evaluate("document.activeElement.name || document.activeElement.innerText"))
        assert not page.evaluate(hidden), focused[-1]
    assert {"whose", "intimate", "Continue"} <= set(focused)


def test_text_at_twice_its_size_is_not_cut_off(visit: Callable[..., Any]) -> None:
    one = visit(viewport={"width": 640, "height": 900}, bypass_csp=True)
    page = one.page
    page.add_style_tag(content="html { font-size: 200% }")

    def cut() -> list[str]:
        found: list[str] = page.evaluate("""() => [...document.querySelectorAll("main *, header *")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX === "hidden")
          .map((one) => one.outerHTML.slice(0, 90))""")
        wide = page.evaluate("document.documentElement.scrollWidth")
        return found if wide <= 640 else [*found, f"{wide} px wide"]

    assert cut() == []
    one.press(".welcome .primary")
    assert cut() == []
    for link in range(2):
        page.locator(".links button").nth(link).click()
        assert cut() == []


def test_who_wants_no_motion_gets_none(visit: Callable[..., Any]) -> None:
    moving = """[...document.querySelectorAll("*")]
      .filter((one) => getComputedStyle(one).animationName !== "none").length"""
    assert visit().page.evaluate(moving) == 0
    assert visit(reduced_motion="no-preference").page.evaluate(moving) > 0  # the test can fail
