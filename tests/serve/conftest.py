"""A screener without a model: real decoding and quality, decisions from how red the photo is in places."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import uvicorn
from PIL import Image

from poxlens.data.phantom import PhantomSpec, draw
from poxlens.errors import PhotoError
from poxlens.photo.decode import UNREADABLE, Photo, decode
from poxlens.photo.quality import QualityLimits, canonical, check_quality
from poxlens.photo.resize import InputRule, prepare
from poxlens.photo.skin import skin_mask, skin_tone
from poxlens.screen.decision import Context, Decision, Outcome, Reason, with_context
from poxlens.screen.reasons import reason
from poxlens.serve.app import create_app
from poxlens.serve.page import File
from poxlens.serve.server import address, listen, settings

CLASSES = ("mpox", "chickenpox", "measles", "hfmd", "acne", "other-rash", "healthy")
LABEL = "fake 0.1 sha256:0123456789abcdef"


def interval(value: float, low: float, high: float, n: int) -> SimpleNamespace:
    return SimpleNamespace(value=value, low=low, high=high, n=n)


def fake_bundle() -> SimpleNamespace:
    point = lambda t, se, sp: SimpleNamespace(threshold=t, sensitivity=se, specificity=sp)  # noqa: E731
    manifest = SimpleNamespace(
        classes=list(CLASSES),
        target="mpox",
        files=[SimpleNamespace(path="model.onnx"), SimpleNamespace(path="golden/one.png")],
        input=InputRule(),
        rule_out=point(0.12, interval(0.962, 0.93, 0.98, 410), interval(0.71, 0.68, 0.74, 1320)),
        rule_in=point(0.55, interval(0.84, 0.79, 0.88, 410), interval(0.953, 0.94, 0.964, 1320)),
        calibration=SimpleNamespace(ece_after=0.031, n=1730),
        conformal_alpha=0.1,
        gate=SimpleNamespace(novelty_limit=12.5),
        evidence=SimpleNamespace(
            protocol="Group-disjoint 5 x 5-fold cross-validation; near-duplicates and patients on one side.",
            figures=[
                SimpleNamespace(
                    name="AUROC of mpox", group="all", interval=interval(0.953, 0.94, 0.965, 1730)
                ),
                SimpleNamespace(
                    name="AUROC of mpox", group="dark skin", interval=interval(0.93, 0.89, 0.96, 340)
                ),
            ],
        ),
        licence="CC BY-NC 4.0",
        intended_use="To help decide whom to examine for mpox first. It does not diagnose.",
        limits=["Trained on photos from the web; few of dark skin.", "Not tried in a clinic."],
    )
    return SimpleNamespace(
        manifest=manifest,
        name="fake",
        version="0.1",
        digest="01" * 32,
        label=LABEL,
        read=lambda name: f"<{name}>".encode(),
    )


PAGE = (
    File("index.html", b"<!doctype html><title>poxlens</title>" + b" " * 2_000),
    File("assets/main-1a2b.js", b"export {};"),
    File("icon.svg", b"<svg/>"),
)
"""A page of three files, so that these tests need no build."""


class FakeScreener:
    """As `poxlens.screen.screener.Screener`; a bright spot far above the median counts as a lesion."""

    def __init__(self) -> None:
        self.bundle: Any = fake_bundle()
        self.seen: list[type] = []

    def screen(self, photo: bytes | Photo, *, context: Context | None = None) -> Decision:
        self.seen.append(type(photo))
        try:
            decoded = photo if isinstance(photo, Photo) else decode(photo)
        except PhotoError as fault:
            why = (Reason(fault.reason, UNREADABLE[fault.reason]),)
            return Decision(
                Outcome.cannot_assess, why, bundle=LABEL, readable=False, target="mpox", ms={"total": 1.0}
            )
        decision = self._judge(decoded)
        return decision if context is None else with_context(decision, context)

    def _judge(self, photo: Photo) -> Decision:
        pixels = prepare(photo.pixels, self.bundle.manifest.input)
        grey = pixels.astype(np.float32).mean(axis=2)
        small = canonical(photo.pixels)
        mask = skin_mask(small)
        checks = check_quality(photo, QualityLimits(), mask)
        common: dict[str, Any] = {
            "bundle": LABEL, "quality": checks, "target": "mpox", "prepared": pixels,
            "skin_tone": skin_tone(small, mask),
            "ms": {"decode": 1.0, "quality": 2.0, "model": 4.0, "total": 8.0},
        }  # fmt: skip
        failed = tuple(Reason(check.reason, check.advice) for check in checks if not check.passed)
        if failed and not np.ptp(grey) < 2:
            return Decision(Outcome.cannot_assess, failed, **common)
        bright = np.clip(grey - np.median(grey) - 30.0, 0.0, None)
        heat = bright.reshape(7, 32, 7, 32).mean(axis=(1, 3)).astype(np.float32)
        p = float(min(0.04 + 40.0 * np.mean(bright > 0.0), 0.93))
        rest = np.array([0.4, 0.05, 0.1, 0.1, 0.15, 0.2]) * (1.0 - p)
        probabilities = dict(zip(CLASSES, [p, *rest.tolist()], strict=True))
        novelty = 7.25
        if np.ptp(grey) < 2:  # a flat picture
            why = (reason("novel.not_skin"),)
            return Decision(Outcome.cannot_assess, why, novelty=31.0, probabilities=probabilities, **common)
        if p >= 0.55:
            outcome, why = Outcome.refer, (reason("refer.probability"),)
        elif p >= 0.12:
            outcome, why = Outcome.uncertain, (reason("uncertain.between"), reason("uncertain.possible"))
        else:
            outcome, why = Outcome.not_suspected, (reason("not_suspected.probability"),)
        inside = tuple(c for c in CLASSES if probabilities[c] >= 0.14)
        return Decision(
            outcome, why, probabilities=probabilities, prediction_set=inside, heatmap=heat,
            heatmaps=np.stack([heat, heat * 0.5]), novelty=novelty, assessed=True, **common,
        )  # fmt: skip


@pytest.fixture
def page() -> tuple[File, ...]:
    return PAGE


@pytest.fixture
def fake_screener() -> FakeScreener:
    return FakeScreener()


def encoded(pixels: np.ndarray, form: str = "JPEG", **options: Any) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format=form, **options)
        return stream.getvalue()


@pytest.fixture(scope="session")
def pustules() -> bytes:
    """A phantom that the fake refers."""
    spec = PhantomSpec(seed=11, size=480, ita=-20.0, lesion="umbilicated-pustule", count=5)
    return encoded(draw(spec).image, quality=92)


@pytest.fixture(scope="session")
def macules() -> bytes:
    """A phantom that the fake does not suspect."""
    return encoded(draw(PhantomSpec(seed=12, size=400, ita=45.0, lesion="macule", count=4)).image, quality=92)


@pytest.fixture(scope="session")
def tiny() -> bytes:
    """A phantom below the limit of size."""
    return encoded(draw(PhantomSpec(seed=13, size=96, ita=20.0, lesion="papule", count=4)).image, "PNG")


@contextmanager
def running(max_body: int | None = None) -> Iterator[str]:
    """The page of a fake screener on a free port, as its URL."""
    listener = listen("127.0.0.1", 0)
    app = create_app(FakeScreener(), page=PAGE, **({} if max_body is None else {"max_body": max_body}))
    server = uvicorn.Server(settings(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def start() -> Any:
    """`with start() as url`."""
    return running


@pytest.fixture
def image_bytes() -> Any:
    """`image_bytes(pixels, "PNG")`."""
    return encoded
