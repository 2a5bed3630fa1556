"""The page in Chromium beside Python, in one run: python -m benchmarks.web_runtimes [--bundle FOLDER] [--out FILE].

Every model of the bundle on every build of its runtime; then the page as a visitor has it: what a first visit
transfers, how soon it is ready without a network, a photo of 12 megapixels to its answer, the memory that one of 48
takes. All again with the browser held to half and a quarter of a core. The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.browser_load import Meter, held, peak_memory, processor_seconds
from benchmarks.browser_worker import FLAGS, BrowserWorker, chromium, open_worker, page_screener, serving
from benchmarks.machine import machine
from benchmarks.photos import jpeg
from benchmarks.web_parity import furthest
from poxlens.bundle.pack import pack
from poxlens.bundle.store import Bundle, load
from poxlens.screen.engine import Engine
from poxlens.screen.screener import Screener

WARM = 60  # calls until Chromium has compiled the kernels as well as it can
READY = "also without a network"  # what the page says once it needs none
TARGETS = {
    "model / native": 4.5,
    "first visit, MB": 12.0,
    "app code, kB": 120.0,
    "ready offline, ms": 1500.0,
    "12 MP to answer, ms": 400.0,
    "48 MP, peak MB": 300.0,
}


@dataclass(frozen=True)
class Served:
    """What is served: any object with a bundle does for the page."""

    bundle: Bundle


@dataclass
class Way:
    """One model on one build.

    Attributes:
        name: runtime, precision, build, threads.
        native: milliseconds of Python on one thread, one a round.
        browser: milliseconds of the browser, one a round.
        first: milliseconds of the first answer: browsers compile what runs often better, later.
        load: milliseconds from nothing to golden outputs that were right, runtime and model fetched.
        equal: largest difference from Python of any output, over max(1, largest value).
    """

    name: str
    native: list[float]
    browser: list[float]
    first: float
    load: float
    equal: float

    @property
    def ratio(self) -> float:
        """Browser / native, of medians."""
        return median(self.browser) / median(self.native)


def single(bundle: Bundle, model: Any, folder: Path) -> Bundle:
    """The bundle with one of its models alone."""
    manifest = bundle.manifest
    others = {one.file for one in manifest.models} - {model.file}
    files = tuple(file for file in manifest.files if file.path not in others)
    out = folder / f"{model.runtime}-{model.precision}"
    return pack(
        out, replace(manifest, models=(model,), files=files), {f.path: bundle.read(f.path) for f in files}
    )


def ways(bundle: Bundle, rounds: int) -> list[Way]:
    """Every model on every build, timed in turns with Python; one call a time, the same photo's pixels."""
    from playwright.sync_api import Error, sync_playwright

    size = bundle.manifest.input.size
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        stack.callback(browser.close)
        sides: list[tuple[Engine, BrowserWorker, Way]] = []
        for model in bundle.manifest.models:
            one = single(bundle, model, folder)
            engine = Engine(one)
            for isolated in (False, True):
                url = stack.enter_context(serving(Served(one), isolated=isolated))
                try:
                    worker = open_worker(browser.new_context().new_page(), url)
                except Error as fault:  # its numbers are off: a page would take the next model
                    why = fault.message.splitlines()[0].rpartition("Error: ")[2]
                    print(
                        f"{model.runtime} {model.precision}, isolated {isolated}: refused, {why}", flush=True
                    )
                    continue
                name = f"{worker.started['way']}, {worker.started['threads']} threads"
                found, warm = worker.outputs(image, runs=WARM)
                ours = engine.run(image[None])
                sides.append(
                    (engine, worker, Way(name, [], [], warm[0], worker.started["ms"], furthest(ours, found)))
                )
        for _ in range(rounds):
            for engine, worker, way in sides:
                start = perf_counter()
                engine.run(image[None])
                way.native.append(1000 * (perf_counter() - start))
                way.browser.append(worker.outputs(image)[1][0])
        return [way for _, _, way in sides]


def visit(bundle: Bundle, share: float | None, rounds: int) -> dict[str, float]:
    """The page as a visitor has it, in a browser held to a share of a core."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    assert path is not None
    meters: list[Meter] = []

    def metered(app: Any) -> Meter:
        meters.append(Meter(app))
        return meters[0]

    with ExitStack() as stack:
        url = stack.enter_context(serving(Served(bundle), around=metered))
        executable = stack.enter_context(held(path, share))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        stack.callback(browser.close)
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(300_000)
        found = {"first visit, ready, ms": _until_ready(page, lambda: page.goto(url))}
        page.wait_for_timeout(2000)  # the service worker's own files
        found |= transferred(meters[0])
        context.set_offline(True)
        before = processor_seconds()
        offline = [_until_ready(page, page.reload) for _ in range(rounds)]
        found["ready offline, ms"] = median(offline)
        found["ready offline, processor ms"] = 1000 * (processor_seconds() - before) / rounds
        context.set_offline(False)
        worker = open_worker(context.new_page(), url)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        photo = jpeg(folder / "photo.jpg", seed=12, size=(4000, 3000)).read_bytes()
        screener = Screener(bundle, engine=Engine(bundle))
        native, times, processor = [], [worker.screen(photo)], 0.0
        for _ in range(rounds):
            start = perf_counter()
            screener.screen(photo)
            native.append(1000 * (perf_counter() - start))
            before = processor_seconds()
            times.append(worker.screen(photo))
            processor += processor_seconds() - before
        found["12 MP to answer, ms"] = median(one["total"] for one in times[1:])
        found["12 MP, processor ms"] = 1000 * processor / rounds
        found["12 MP / native"] = found["12 MP to answer, ms"] / median(native)
        for part in ("decode", "quality", "model"):
            found[f"12 MP, {part}, ms"] = median(one["ms"][part] for one in times[1:])
        return found


def memory(bundle: Bundle) -> dict[str, float]:
    """The largest memory of the page's process while a photo of 48 megapixels is chosen and judged."""
    from playwright.sync_api import sync_playwright

    found: dict[str, float] = {}
    for name, progressive in (("48 MP, peak MB", False), ("48 MP progressive, peak MB", True)):
        with (
            serving(Served(bundle)) as url,
            sync_playwright() as playwright,
            tempfile.TemporaryDirectory() as folder,
        ):
            photo = jpeg(Path(folder) / "photo.jpg", seed=12, size=(8000, 6000), progressive=progressive)
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page(locale="en-GB")
            page.set_default_timeout(300_000)
            _until_ready(page, lambda page=page, url=url: page.goto(url))
            _to_photos(page)
            with peak_memory() as ready:
                page.wait_for_timeout(500)
            found["before a photo, MB"] = ready[0]
            with peak_memory() as peak:
                page.locator("input[type=file]").last.set_input_files(photo)
                page.locator(".frame").wait_for()
                page.go_back()
                page.locator(".card.photo .good, .card.photo .bad").wait_for()
            found[name] = peak[0]
            browser.close()
    return found


def _to_photos(page: Any) -> None:
    """Past the first page and its two questions: one's own photo, of no intimate place."""
    page.locator(".welcome .primary").click()
    for name in ("whose", "intimate"):
        page.locator(f"input[name={name}]").first.check(force=True)
    page.locator(".bar button").click()


def _until_ready(page: Any, go: Any) -> float:
    go()
    page.get_by_text(READY).wait_for()
    found: float = page.evaluate("performance.now()")
    return found


def transferred(meter: Meter) -> dict[str, float]:
    """Megabytes of a first visit, headers included, and what they are; the runtime is its WebAssembly and glue."""
    bodies = meter.bodies
    bundle = sum(size for path, size in bodies.items() if path.startswith("/bundle/"))
    runtime = sum(size for path, size in bodies.items() if "wasm" in path)
    pictures = sum(size for path, size in bodies.items() if path.endswith((".png", ".svg")))
    return {
        "first visit, MB": (sum(bodies.values()) + meter.headers) / 1e6,
        "of it bundle, MB": bundle / 1e6,
        "of it runtime, MB": runtime / 1e6,
        "app code, kB": (sum(bodies.values()) - bundle - runtime - pictures) / 1e3,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=None, help="bundle folder; default: the embedded one")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=Path, default=None, help="write everything as JSON too")
    chosen = parser.parse_args()
    bundle = load(chosen.bundle)
    page_screener(chosen.bundle)  # refuses a bundle that is damaged before a browser starts
    print(f"{bundle.label}; {machine()['cores']} cores, {machine()['cpu']}", flush=True)
    table = ways(bundle, chosen.rounds)
    print("| model, build | ms | native, 1 thread | ratio | first, ms | load, ms | outputs apart |")
    print("|---|---|---|---|---|---|---|")
    for way in table:
        times = f"{median(way.browser):.1f} | {median(way.native):.2f} | {way.ratio:.1f} | {way.first:.0f}"
        print(f"| {way.name} | {times} | {way.load:.0f} | {way.equal:.0e} |", flush=True)
    visits = {name: visit(bundle, share, 7) for name, share in (("free", None), ("1/2", 0.5), ("1/4", 0.25))}
    visits["free"] |= memory(bundle)
    print("| | free | 1/2 core | 1/4 core | target |\n|---|---|---|---|---|")
    for name in visits["free"]:
        cells = [f"{visits[share][name]:.1f}" if name in visits[share] else "" for share in visits]
        print(f"| {name} | {' | '.join(cells)} | {TARGETS.get(name, '')} |", flush=True)
    best = table[_fastest(table)]
    reached = {"model / native": best.ratio, **visits["free"]}
    missed = [name for name, most in TARGETS.items() if reached[name] > most]
    print(f"missed: {', '.join(missed) or 'none'}")
    if chosen.out:
        rows = [
            {"name": way.name, "native": way.native, "browser": way.browser, "load": way.load}
            for way in table
        ]
        chosen.out.write_text(json.dumps({"machine": machine(), "ways": rows, "visits": visits}, indent=1))
    return 1 if missed else 0


def _fastest(table: list[Way]) -> int:
    return min(range(len(table)), key=lambda n: median(table[n].browser))


if __name__ == "__main__":
    sys.exit(main())
