"""The page's own worker in a real Chromium, asked as the page asks it: photo in, decision out."""

from __future__ import annotations

import base64
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
  const { ready } = await ask({ kind: "start", base: new URL(bundle, location.href).href });
  return { label: ready.label, threads: ready.threads, golden: ready.goldenDifference,
           ms: performance.now() - start };
}"""

_SCREEN = """async (text) => {
  const start = performance.now();
  const { screened } = await ask({ kind: "screen", file: file(text) });
  const total = performance.now() - start;
  const map = screened.heatMap;
  return { ...screened, total, heatMap: map && { ...map, values: [...map.values] } };
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


def page_screener() -> Screener:
    """Python with the model that the page runs: the embedded bundle may hold another, quicker one for Python."""
    bundle = load(None)
    usable = [model for model in bundle.manifest.models if model.runtime == "onnx"]
    model = next((one for one in usable if one.precision == "fp32"), usable[0])
    return Screener(bundle, engine=Engine(bundle, model=model))


@contextmanager
def serving(screener: Any) -> Iterator[str]:
    """The page on a free port, as its address."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(settings(create_app(screener)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@dataclass
class BrowserWorker:
    """The worker of the served page.

    Attributes:
        page: Playwright's page, in which the worker was started.
        started: label of the bundle, threads, largest golden difference and milliseconds of the start.
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


@contextmanager
def browser_worker(screener: Screener) -> Iterator[BrowserWorker]:
    """Serve the page with a screener's bundle and start its worker in Chromium.

    Raises:
        RuntimeError: when there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        raise RuntimeError("no Chromium on this machine")
    worker = next(file.name for file in page_files() if file.name.startswith("assets/worker-"))
    with serving(screener) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            page = browser.new_page()
            page.set_default_timeout(120_000)
            page.goto(f"{url}/bundle/MODEL_CARD.md")  # the page's origin without the page
            yield BrowserWorker(page, page.evaluate(_OPEN, [f"{url}/{worker}", f"{url}/bundle/"]))
        finally:
            browser.close()
