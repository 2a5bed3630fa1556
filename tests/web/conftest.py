"""The built page in a real Chromium, with the embedded bundle, and photos made in code."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from benchmarks.browser_worker import FLAGS, chromium, page_screener, serving
from PIL import Image
from tests.web.clinic_server import ClinicServer, clinic_serving

from poxlens.data.phantom import PhantomSpec, draw
from poxlens.screen.screener import Screener
from poxlens.serve.page import PageMissingError, page_files


def encoded(pixels: np.ndarray, form: str = "JPEG", **options: Any) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format=form, **options)
        return stream.getvalue()


def phantom(lesion: str, *, seed: int, ita: float, size: tuple[int, int] = (900, 700)) -> np.ndarray:
    """A drawn rash, enlarged to a photo's size."""
    drawn = draw(PhantomSpec(seed=seed, size=480, ita=ita, lesion=lesion, count=5)).image
    return np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.BICUBIC))


@pytest.fixture(scope="session")
def pustules(screener: Screener) -> np.ndarray:
    """Pixels that the embedded bundle refers: the first such drawing, so that another bundle finds its own."""
    for seed, ita in [(12, -20.0), (13, 40.0), *itertools.product(range(40), (-20.0, 10.0, 40.0))]:
        pixels = phantom("umbilicated-pustule", seed=seed, ita=ita)
        if screener.screen(encoded(pixels, quality=90)).outcome == "refer":
            return pixels
    pytest.fail("the embedded bundle refers none of the drawn rashes")


@pytest.fixture(scope="session")
def screener() -> Screener:
    return page_screener()


@pytest.fixture(scope="session")
def built() -> None:
    """Fails where Chromium is there but the page was not built: `make web` comes before the tests."""
    if chromium() is None:
        pytest.skip("no Chromium on this machine: the page was not tried")
    try:
        page_files()
    except PageMissingError as fault:
        pytest.fail(str(fault))


@pytest.fixture(scope="session")
def url(built: None, screener: Screener) -> Iterator[str]:
    with serving(screener) as address:
        yield address


@pytest.fixture(scope="session")
def clinic(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicServer]:
    """A clinic's server with drawn people; what a test changes in it stays."""
    with clinic_serving(tmp_path_factory.mktemp("clinic")) as serving:
        yield serving


@pytest.fixture(scope="module")
def browser(built: None, playwright: Any) -> Iterator[Any]:
    found = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
    yield found
    found.close()


LYING = """async () => {
  const asked = (request) => new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });
  const plain = (_, value) => (value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : value);
  const lies = [...Object.values(localStorage)];
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames)
      lies.push(...(await asked(database.transaction(store).objectStore(store).getAll())));
    database.close();
  }
  return JSON.stringify(lies, plain);
}"""


@dataclass
class Visit:
    """One person's visit: the page, everything it asked for and everything it complained about."""

    context: Any
    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def choose(self, *photos: bytes, crop: bool = True) -> None:
        """Choose photos, one at a time; each opens the frame, which is left as it is."""
        for photo in photos:
            before = self.page.locator(".card.photo").count()
            files = [{"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo}]
            self.page.locator("input[type=file]").last.set_input_files(files)
            if crop:
                self.page.locator(".frame").wait_for()
                self.page.go_back()
            self.page.locator(".card.photo").nth(before).wait_for()
        self.page.locator(".bar button:enabled").wait_for()

    def press(self, selector: str) -> None:
        self.page.locator(selector).click()

    def begin(self) -> None:
        """To the photos: of oneself, and of no intimate place."""
        self.press(".welcome .primary")
        self.pick("whose", "self")
        self.pick("intimate", "no")
        self.press(".bar button")
        self.page.locator(".drop").wait_for()

    def pick(self, name: str, value: str) -> None:
        """Choose an answer as a keyboard does."""
        chosen = self.page.locator(f"input[name={name}][value='{value}']")
        chosen.press("Space")
        assert chosen.is_checked()

    def tick(self, name: str) -> None:
        """Agree to a sentence as a keyboard does."""
        box = self.page.locator(f"input[type=checkbox][name={name}]")
        box.press("Space")
        assert box.is_checked()

    def to_answer(self) -> None:
        self.press(".bar button")
        self.page.locator("fieldset").first.wait_for()
        self.press(".bar button")
        self.page.locator(".verdict").wait_for()

    def lying(self) -> str:
        """All that lies on the device, but for the page's files and the bundle, as whoever reads its storage has it."""
        text: str = self.page.evaluate(LYING)
        return text

    @property
    def outcome(self) -> str:
        return self.page.locator(".verdict").get_attribute("class").split()[1]


@pytest.fixture
def visit(browser: Any, url: str) -> Iterator[Any]:
    """`visit()` opens the page; options are those of a browser context."""
    opened: list[Any] = []

    def open_page(address: str | None = None, **options: Any) -> Visit:
        defaults = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "reduced_motion": "reduce"}
        context = browser.new_context(**(defaults | options))
        opened.append(context)
        one = Visit(context, context.new_page())
        one.page.set_default_timeout(120_000)
        context.on("request", lambda request: one.requests.append(request.url))
        for page_event in ("pageerror",):
            one.page.on(page_event, lambda fault: one.complaints.append(str(fault)))
        one.page.on(
            "console", lambda m: one.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        one.page.goto(address or url)
        one.page.locator("h1").wait_for()
        return one

    yield open_page
    for context in opened:
        context.close()
