"""A bundle of several forms: which one a browser takes, that it alone is fetched and kept, that its numbers are right.

The bundle is `small`, of tests/web/small_bundle.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.browser_load import Meter
from benchmarks.browser_worker import ORDER, browser_worker, page_screener, serving
from benchmarks.web_parity import furthest
from benchmarks.web_runtimes import Served, transferred
from tests.web.test_device import CACHES, OFFLINE, swapping

from poxlens.bundle.pack import pack
from poxlens.bundle.store import Bundle
from poxlens.screen.engine import Engine
from poxlens.screen.screener import Screener
from poxlens.serve.page import page_files

pytestmark = pytest.mark.browser

SMALL = Path(__file__).parent / "small"
BUILDS = Path(__file__).parents[2] / "web" / "src" / "engine" / "builds.ts"


@pytest.fixture(scope="module")
def small(built: None) -> Screener:
    pytest.importorskip(
        "ai_edge_litert", reason="LiteRT is not installed: its forms were not tried in the browser"
    )
    return page_screener(SMALL)


def without(bundle: Bundle, *kinds: tuple[str, str], into: Path) -> Bundle:
    """The bundle without some of its forms."""
    manifest = bundle.manifest
    kept = tuple(model for model in manifest.models if (model.runtime, model.precision) not in kinds)
    gone = {model.file for model in manifest.models} - {model.file for model in kept}
    files = {file.path: bundle.read(file.path) for file in manifest.files if file.path not in gone}
    return pack(into, replace(manifest, models=kept, files=()), files)


def wasm(build: str) -> str:
    """Address of the WebAssembly of one of LiteRT's builds."""
    [found] = [
        f"/{file.name}" for file in page_files() if re.search(rf"litert_wasm_{build}.*\.wasm", file.name)
    ]
    return found


def test_the_order_is_the_pages() -> None:
    listed = re.search(r"const QUICKEST = \[(.*?)\];", BUILDS.read_text("utf-8"), re.DOTALL)
    assert listed is not None
    assert tuple(tuple(kind.split()) for kind in re.findall(r'"([^"]+)"', listed[1])) == ORDER


@pytest.mark.parametrize(
    ("gone", "way"),
    [
        ((), "litert int8 threaded"),
        ((("litert", "int8"),), "litert fp16 threaded"),
        ((("litert", "int8"), ("litert", "fp16")), "onnx fp16 simd"),
    ],
)
def test_the_quickest_form_that_is_there_gives_pythons_numbers(
    small: Screener, tmp_path: Path, gone: tuple[tuple[str, str], ...], way: str
) -> None:
    bundle = without(small.bundle, *gone, into=tmp_path / "bundle")
    model = next(one for one in bundle.manifest.models if way.startswith(f"{one.runtime} {one.precision}"))
    engine = Engine(bundle, model=model)
    with browser_worker(Served(bundle)) as worker:
        assert worker.started["way"] == way
        assert worker.started["golden"] <= model.golden_tolerance
        size = bundle.manifest.input.size
        for seed in range(3):
            image = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
            apart = furthest(engine.run(image[None]), worker.outputs(image)[0])
            assert apart <= 1e-5, seed
            if "litert" in way:
                assert apart == 0.0  # its kernels round in the browser as they do natively


def test_the_form_and_the_build_that_are_used_are_kept_and_no_other(
    visit: Callable[..., Any], small: Screener
) -> None:
    with swapping(small) as (url, server):
        one = visit(url)
        one.page.get_by_text(OFFLINE).wait_for()
        fetched = {path for path in server.asked if path.startswith("/bundle/")}
        assert fetched == {"/bundle/bundle.json", "/bundle/model-int8.tflite", "/bundle/golden/one.png"}
        kept = one.page.evaluate(CACHES)
        [bundle] = [paths for name, paths in kept.items() if name.startswith("poxlens-bundle-")]
        assert set(bundle) == fetched | {"/bundle/complete"}
        runtime = kept["poxlens-runtime"]
        assert wasm("threaded") in runtime
        assert len(runtime) == 3  # the runtime's own file, its glue, its WebAssembly
        assert not [
            path for path in server.asked if "ort-wasm" in path or "relaxed" in path or "compat" in path
        ]
        one.context.set_offline(True)
        one.page.reload()
        one.page.get_by_text(OFFLINE).wait_for()


def test_a_build_that_does_not_run_here_is_followed_by_a_plainer_one(
    visit: Callable[..., Any], small: Screener
) -> None:
    with swapping(small) as (url, server):
        server.files[wasm("threaded")] = b"no WebAssembly"
        page = visit(url).page
        page.get_by_text(OFFLINE).wait_for()
        assert wasm("internal") in page.evaluate(CACHES)["poxlens-runtime"]
        before = server.asked.count(wasm("threaded"))
        page.reload()
        page.get_by_text(OFFLINE).wait_for()
        assert server.asked.count(wasm("threaded")) == before  # it is remembered


def test_a_browser_without_relaxed_simd_takes_the_build_without(
    visit: Callable[..., Any], small: Screener
) -> None:
    with swapping(small) as (url, server):
        [worker] = [file for file in page_files() if "/worker-" in file.name]
        server.files[f"/{worker.name}"] = b"WebAssembly.validate = () => false;\n" + worker.content
        page = visit(url, service_workers="block").page
        page.get_by_text(re.compile("^Ready")).wait_for()
        assert [path for path in server.asked if path.endswith(".wasm")] == [wasm("compat")]


def test_a_first_visit_with_litert_is_small(visit: Callable[..., Any], small: Screener) -> None:
    meters: list[Meter] = []

    def around(app: Any) -> Meter:
        meters.append(Meter(app))
        return meters[0]

    with serving(small, around=around) as url:
        page = visit(url).page
        page.get_by_text(OFFLINE).wait_for()
        page.wait_for_load_state("networkidle")
        found = transferred(meters[0])
    # The rest is the model's: the embedded one's network has 3.5 million weights, 7.3 MB in 16 bits.
    assert 2 < found["of it runtime, MB"] <= 3
    assert found["first visit, MB"] - found["of it bundle, MB"] + 7.3 <= 12
