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
    look("questions")
    one.press(".bar button")
    page.locator(".verdict").wait_for()
    page.locator("summary").click()
    look("answer")
    one.press(".row.end .primary")
    page.locator(".sheet").wait_for()
    look("summary")
    assert faults == {step: [] for step in faults}
    assert len(faults) == 7
