"""What the page keeps on a device and how it starts from it: updates, tabs, full storage, hosts without headers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from benchmarks.browser_load import Meter
from benchmarks.browser_worker import serving
from benchmarks.web_runtimes import transferred
from PIL import Image

from poxlens.screen.screener import Screener

pytestmark = pytest.mark.browser

OFFLINE = "also without a network"
CACHES = """(async () => Object.fromEntries(await Promise.all((await caches.keys()).map(async (name) =>
  [name, (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)]))))()"""


class Swap:
    """An application of which some files are exchanged while it runs.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        changed = self.files.get(scope["path"])
        if changed is None:
            await self.app(scope, receive, send)
            return

        async def other(message: Any) -> None:
            if message["type"] == "http.response.start":
                dropped = (b"content-length", b"content-encoding", b"etag")
                headers = [(name, value) for name, value in message["headers"] if name not in dropped]
                await send({**message, "headers": headers})
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": changed})

        plain = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
        await self.app({**scope, "headers": plain}, receive, other)


@contextmanager
def swapping(screener: Screener, **options: Any) -> Iterator[tuple[str, Swap]]:
    made: list[Swap] = []

    def around(app: Any) -> Swap:
        made.append(Swap(app))
        return made[0]

    with serving(screener, around=around, **options) as url:
        yield url, made[0]


def jpeg(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=90)
        return stream.getvalue()


def label(page: Any) -> str:
    """The bundle that the page names to whoever asks."""
    page.locator("header button").last.click()
    page.locator("dialog h1").wait_for()
    text: str = page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    return next(line for line in text.splitlines() if "sha256:" in line)


def test_exactly_what_is_used_is_fetched_and_kept(visit: Callable[..., Any], screener: Screener) -> None:
    with swapping(screener) as (url, server):
        page = visit(url).page
        page.get_by_text(OFFLINE).wait_for()
        kept = page.evaluate(CACHES)
        model, golden = screener.engine.model, screener.engine.model.golden or screener.bundle.manifest.golden
        used = {"bundle.json", model.file, *(example.file for example in golden)}
        fetched = {path for path in server.asked if path.startswith("/bundle/")}
        assert fetched == {f"/bundle/{name}" for name in used}
        wasm = {path for path in server.asked if path.endswith(".wasm")}
        assert len(wasm) == 1
        assert [path for path in server.asked if path in wasm] == list(wasm)  # once, and then from the device
        runtime = kept["poxlens-runtime"]
        assert wasm <= set(runtime)
        assert len(runtime) == 3  # the runtime's own file, its glue, its WebAssembly
        pages = [paths for name, paths in kept.items() if name.startswith("poxlens-page-")]
        assert len(pages) == 1
        assert not [path for path in pages[0] if path in runtime or path.endswith(".wasm")]


def test_a_first_visit_is_small(visit: Callable[..., Any], screener: Screener) -> None:
    meters: list[Meter] = []

    def around(app: Any) -> Meter:
        meters.append(Meter(app))
        return meters[0]

    with serving(screener, around=around) as url:
        page = visit(url).page
        page.get_by_text(OFFLINE).wait_for()
        page.wait_for_load_state("networkidle")
        found = transferred(meters[0])
    assert 50 < found["app code, kB"] <= 120
    assert found["first visit, MB"] <= 12


def test_a_newer_bundle_is_fetched_aside_and_used_from_the_next_start(
    visit: Callable[..., Any], screener: Screener, pustules: np.ndarray
) -> None:
    manifest = json.loads(screener.bundle.read("bundle.json"))
    manifest["version"] = "next"
    with swapping(screener) as (url, server):
        one = visit(url)
        page = one.page
        page.get_by_text(OFFLINE).wait_for()
        server.files["/bundle/bundle.json"] = json.dumps(manifest).encode()
        page.reload()
        page.get_by_text("A newer model was fetched").wait_for()
        assert screener.bundle.label in label(page)
        one.begin()
        one.choose(jpeg(pustules))  # the page that is open goes on with what it has
        page.reload()
        page.get_by_text(OFFLINE).wait_for()
        assert " next sha256:" in label(page)
        bundles = [name for name in page.evaluate(CACHES) if name.startswith("poxlens-bundle-")]
        assert len(bundles) == 1
        one.context.set_offline(True)
        page.reload()
        page.get_by_text(OFFLINE).wait_for()
        assert " next sha256:" in label(page)


def test_a_newer_bundle_that_is_damaged_changes_nothing(
    visit: Callable[..., Any], screener: Screener
) -> None:
    manifest = json.loads(screener.bundle.read("bundle.json"))
    manifest["version"] = "next"
    next(file for file in manifest["files"] if file["path"] == screener.engine.model.file)["sha256"] = (
        "0" * 64
    )
    with swapping(screener) as (url, server):
        page = visit(url).page
        page.get_by_text(OFFLINE).wait_for()
        server.files["/bundle/bundle.json"] = json.dumps(manifest).encode()
        for _ in range(2):
            page.reload()
            page.get_by_text(OFFLINE).wait_for()
            assert screener.bundle.label in label(page)
        assert len([name for name in page.evaluate(CACHES) if name.startswith("poxlens-bundle-")]) == 1


def test_a_copy_that_was_damaged_on_the_device_is_fetched_again_or_gives_no_answer(
    visit: Callable[..., Any], screener: Screener
) -> None:
    damage = """async (file) => {
      const name = (await caches.keys()).find((name) => name.startsWith("poxlens-bundle-"));
      const cache = await caches.open(name);
      const url = new URL(`bundle/${file}`, location.href).href;
      const bytes = new Uint8Array(await (await cache.match(url)).arrayBuffer());
      bytes[bytes.length >> 1] ^= 1;
      await cache.put(url, new Response(bytes));
    }"""
    model = screener.engine.model.file
    with serving(screener) as url:
        one = visit(url)
        page = one.page
        page.get_by_text(OFFLINE).wait_for()
        page.evaluate(damage, model)
        one.context.set_offline(True)
        page.reload()
        page.get_by_text("It could not be fetched").wait_for()
        assert page.locator(".status .dot").count() == 0
        one.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        page.get_by_text(OFFLINE).wait_for()
        one.context.set_offline(True)
        page.reload()
        page.get_by_text(OFFLINE).wait_for()  # the mended copy was kept


def test_a_newer_page_is_fetched_aside_and_shown_once_the_old_one_is_closed(
    visit: Callable[..., Any], screener: Screener
) -> None:
    with swapping(screener) as (url, server):
        one = visit(url)
        page = one.page
        page.get_by_text(OFFLINE).wait_for()
        marked = _content("/index.html").replace(b"<head>", b'<head><meta name="build" content="next">', 1)
        script = _content("/sw.js")
        version = re.search(rb"[0-9a-f]{16}", script)
        assert version is not None
        server.files |= {"/index.html": marked, "/": marked, "/sw.js": script.replace(version[0], b"0" * 16)}
        one.begin()  # in the middle of a visit
        page.evaluate("navigator.serviceWorker.ready.then((found) => found.update())")
        page.wait_for_function("navigator.serviceWorker.ready.then((found) => found.waiting !== null)")
        page.reload()
        page.get_by_text(OFFLINE).wait_for()
        assert (
            page.locator("meta[name=build]").count() == 0
        )  # whole or not at all: what is open keeps its own files
        one.begin()
        page.close()
        one.context.set_offline(True)
        other = one.context.new_page()
        other.set_default_timeout(120_000)
        other.goto(url)
        other.locator("meta[name=build]").wait_for(state="attached")
        other.get_by_text(OFFLINE).wait_for()
        pages = [name for name in other.evaluate(CACHES) if name.startswith("poxlens-page-")]
        assert pages == ["poxlens-page-" + "0" * 16]


def test_two_tabs_do_not_disturb_each_other(
    visit: Callable[..., Any], url: str, pustules: np.ndarray
) -> None:
    one = visit()
    second = one.context.new_page()
    second.set_default_timeout(120_000)
    second.goto(url)  # while the first still fetches
    for page in (one.page, second):
        page.get_by_text(OFFLINE).wait_for()
    one.context.set_offline(True)
    one.page.reload()
    one.page.get_by_text(OFFLINE).wait_for()
    one.begin()
    one.choose(jpeg(pustules))
    assert second.get_by_text(OFFLINE).count() == 1


def test_storage_that_is_full_is_told_and_the_answer_is_there(
    visit: Callable[..., Any], screener: Screener, pustules: np.ndarray
) -> None:
    full = (
        "Cache.prototype.put = Cache.prototype.add = async () => "
        "{ throw new DOMException('full', 'QuotaExceededError'); };\n"
    )
    with swapping(screener) as (url, server):
        worker = next(name for name in _assets() if "/worker-" in name)
        server.files[worker] = full.encode() + _content(worker)
        one = visit(url, service_workers="block")
        one.page.get_by_text("keeps nothing").wait_for()
        assert [name for name, paths in one.page.evaluate(CACHES).items() if paths] == []
        one.begin()
        one.choose(jpeg(pustules))
        one.to_answer()


def test_a_host_without_headers_is_isolated_from_the_second_visit_on(
    visit: Callable[..., Any], screener: Screener
) -> None:
    with swapping(screener, isolated=False) as (url, _):
        one = visit(url)
        page = one.page
        page.get_by_text(OFFLINE).wait_for()
        assert page.evaluate("crossOriginIsolated") is False
        one.context.set_offline(True)
        page.reload()  # threads are there now, and the build for them may not be
        page.get_by_text(OFFLINE).wait_for()
        assert page.evaluate("crossOriginIsolated") is True
        one.context.set_offline(False)
        page.reload()
        page.get_by_text(OFFLINE).wait_for()
        assert len([path for path in page.evaluate(CACHES)["poxlens-runtime"] if path.endswith(".wasm")]) == 1


def _assets() -> list[str]:
    from poxlens.serve.page import page_files

    return [f"/{file.name}" for file in page_files()]


def _content(path: str) -> bytes:
    from poxlens.serve.page import page_files

    return next(file.content for file in page_files() if f"/{file.name}" == path)
