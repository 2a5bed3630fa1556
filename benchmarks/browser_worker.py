"""The page's own worker in a real Chromium, asked as the page asks it: photo in, decision out."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray

from poxlens.bundle.store import load
from poxlens.screen.engine import Engine
from poxlens.screen.screener import Screener
from poxlens.serve.page import page_files
from poxlens.serve.server import address, create_app, listen, settings

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

_OPEN = """async ([address, bundle]) => {
  window.worker = new Worker(address, { type: "module" });
  let next = 1;
  window.ask = (question) => new Promise((done, fail) => {
    const id = next++;
    const heard = ({ data }) => {
      if (data.id !== id || data.kind === "progress") return;
      worker.removeEventListener("message", heard);
      data.kind === "fault" ? fail(new Error(`${data.fault}: ${data.detail}`)) : done(data);
    };
    worker.addEventListener("message", heard);
    worker.postMessage({ ...question, id });
  });
  window.file = (text) => new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const start = performance.now();
  const { ready } = await ask({ kind: "start", base: new URL(bundle, location.href).href, label: null });
  return { label: ready.label, way: ready.way, threads: ready.threads, golden: ready.goldenDifference,
           ms: performance.now() - start };
}"""

_SCREEN = """async (text) => {
  const photo = file(text);
  const start = performance.now();
  const { screened } = await ask({ kind: "screen", file: photo });
  const total = performance.now() - start;
  const map = screened.heatMap;
  return { ...screened, total, heatMap: map && { ...map, values: [...map.values] } };
}"""

_OUTPUTS = """async ([text, runs]) => {
  const rgb = new Uint8Array(await file(text).arrayBuffer());
  const ms = [];
  let found;
  for (let n = 0; n < runs; n += 1) {
    found = await ask({ kind: "outputs", rgb });
    ms.push(found.ms);
  }
  const { logits, embedding, heatmap, novelty } = found.outputs;
  return { ms, logits: [...logits], embedding: [...embedding], heatmap: [...heatmap], novelty: [novelty] };
}"""

_PREPARE = """async (text) => {
  const { rgb } = await ask({ kind: "prepare", file: file(text) });
  let letters = "";
  for (let i = 0; i < rgb.length; i += 8192) letters += String.fromCharCode(...rgb.subarray(i, i + 8192));
  return btoa(letters);
}"""


def chromium() -> str | None:
    """Where a Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


ORDER = (
    ("litert", "int8"), ("litert", "w8"), ("litert", "fp16"), ("litert", "fp32"),
    ("onnx", "w8"), ("onnx", "fp16"), ("onnx", "fp32"), ("onnx", "int8"),
)  # fmt: skip
"""Which of a bundle's models a browser takes first: web/src/engine/builds.ts."""


def page_screener(bundle: Path | None = None) -> Screener:
    """Python with the model that the page takes of a bundle."""
    found = load(bundle)
    rank = {kind: place for place, kind in enumerate(ORDER)}
    model = min(found.manifest.models, key=lambda one: rank.get((one.runtime, one.precision), len(ORDER)))
    return Screener(found, engine=Engine(found, model=model))


@contextmanager
def serving(
    screener: Any, *, isolated: bool = True, around: Callable[[Any], Any] | None = None
) -> Iterator[str]:
    """The page on a free port, as its address.

    Args:
        screener: whose bundle is served.
        isolated: False to serve it as a static host without headers does.
        around: wraps the application.
    """
    listener = listen("127.0.0.1", 0)
    config = settings(create_app(screener))
    if not isolated:
        config.app = _without_isolation(config.app)
    if around is not None:
        config.app = around(config.app)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def _without_isolation(app: Any) -> Any:
    async def plain(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if "headers" in message:
                kept = [
                    (name, value)
                    for name, value in message["headers"]
                    if not name.startswith(b"cross-origin")
                ]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, sending)

    return plain


@dataclass
class BrowserWorker:
    """The worker of the served page.

    Attributes:
        page: Playwright's page, in which the worker was started.
        started: label of the bundle, `page` as the name of the worker's file, which model runs on which build,
            threads, largest golden difference and milliseconds of the start.
    """

    page: Any
    started: dict[str, Any]

    def screen(self, photo: bytes) -> dict[str, Any]:
        """The decision on one photo, with `heatMap` and milliseconds."""
        found: dict[str, Any] = self.page.evaluate(_SCREEN, base64.b64encode(photo).decode())
        return found

    def prepare(self, photo: bytes, size: int) -> NDArray[np.uint8]:
        """The model's input, [size, size, 3]."""
        text = self.page.evaluate(_PREPARE, base64.b64encode(photo).decode())
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(size, size, 3)

    def outputs(
        self, image: NDArray[np.uint8], runs: int = 1
    ) -> tuple[dict[str, NDArray[np.float64]], list[float]]:
        """Every output of the model, flat, on an input [size, size, 3], and the milliseconds of each run."""
        found = self.page.evaluate(_OUTPUTS, [base64.b64encode(image.tobytes()).decode(), runs])
        return {name: np.asarray(values) for name, values in found.items() if name != "ms"}, found["ms"]


@contextmanager
def browser_worker(
    screener: Any, *, isolated: bool = True, executable: str | None = None
) -> Iterator[BrowserWorker]:
    """Serve the page with a screener's bundle and start its worker in Chromium.

    Args:
        screener: whose bundle is served.
        isolated: whether the page may use threads.
        executable: the browser; None for the Chromium of this machine.

    Raises:
        RuntimeError: when there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    path = executable or chromium()
    if path is None:
        raise RuntimeError("no Chromium on this machine")
    with serving(screener, isolated=isolated) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield open_worker(browser.new_page(), url)
        finally:
            browser.close()


def open_worker(page: Any, url: str) -> BrowserWorker:
    """Start the worker of the page that is served at an address, in a page of Playwright."""
    worker = next(file.name for file in page_files() if file.name.startswith("assets/worker-"))
    page.set_default_timeout(300_000)
    page.goto(f"{url}/bundle/MODEL_CARD.md")  # the page's origin without the page
    started = page.evaluate(_OPEN, [f"{url}/{worker}", f"{url}/bundle/"])
    return BrowserWorker(page, {**started, "page": worker})  # the name has a digest of what is in it
