"""Five languages, and readiness for one that runs from the right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

MESSAGES = Path(__file__).parents[2] / "web" / "src" / "messages"
TITLES = {
    "fr": "Faut-il tester cette éruption pour le mpox ?",
    "es": "¿Merece esta erupción una prueba de mpox?",
    "pt": "Vale a pena testar esta erupção para mpox?",
    "sw": "Je, upele huu unahitaji kupimwa mpox?",
}
WIDE = "document.documentElement.scrollWidth - innerWidth"


def test_the_language_is_changed_in_the_middle_and_remembered(visit: Callable[..., Any]) -> None:
    one = visit()
    page = one.page
    one.begin()
    page.locator("header select").select_option("sw")
    page.get_by_role("heading", name="Picha za upele").wait_for()  # the step is the same
    assert page.evaluate("document.documentElement.lang") == "sw"
    assert (
        "hakijasomwa" in page.locator("footer").inner_text()
        or "haijasomwa" in page.locator("footer").inner_text()
    )
    page.reload()
    page.get_by_role("heading", name=TITLES["sw"]).wait_for()
    page.locator("footer a").click()
    page.get_by_role("heading", name="Soma tokeo").wait_for()  # on the reader page too
    assert one.complaints == []


@pytest.mark.parametrize("language", sorted(TITLES))
def test_no_language_is_cut_off_at_320_px(visit: Callable[..., Any], language: str) -> None:
    one = visit(viewport={"width": 320, "height": 640}, locale=language)
    page = one.page
    assert page.locator("h1").inner_text().startswith(TITLES[language][:20])
    assert page.evaluate(WIDE) <= 0
    one.begin()
    assert page.evaluate(WIDE) <= 0
    for link in range(2):
        page.locator(".links button").nth(link).click()
        assert page.evaluate(WIDE) <= 0


def pseudo() -> str:
    """French's file with English sentences that are a third longer and drawn from the right, as a pseudo-locale."""
    words = {}
    for name in ("rule.en.json", "ui.en.json"):
        words |= json.loads((MESSAGES / name).read_text("utf-8"))
    longer = [
        f"\u202e{text} {' '.join(text.split()[: len(text.split()) // 3])}\u202c" for text in words.values()
    ]
    return f"export default {json.dumps(longer)};"


def test_a_language_that_runs_from_the_right(visit: Callable[..., Any], url: str) -> None:
    one = visit(viewport={"width": 320, "height": 640}, service_workers="block")
    page = one.page
    one.context.route(
        "**/assets/fr-*.js", lambda route: route.fulfill(body=pseudo(), content_type="text/javascript")
    )

    def turned() -> None:
        """What `ar` as the page's language would set (web/tests/messages)."""
        page.locator("header select").select_option("fr")
        page.locator("h1").filter(has_text="\u202e").wait_for()
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert page.evaluate(WIDE) <= 0

    turned()
    button = page.locator("header button").last.bounding_box()
    assert page.locator(".brand").bounding_box()["x"] > button["x"]
    icon = page.locator(".points .icon").first.bounding_box()
    assert icon["x"] > page.locator(".points b").first.bounding_box()["x"]
    one.begin()
    arrow = page.locator("header .turns").evaluate("icon => getComputedStyle(icon).transform")
    assert re.match(r"matrix\(-1, 0, 0, 1", arrow)  # back points to the right
    assert page.evaluate(WIDE) <= 0
    for link in range(2):
        page.locator(".links button").nth(link).click()
        assert page.evaluate(WIDE) <= 0
    page.goto(f"{url.rstrip('/')}/reader.html")
    turned()
