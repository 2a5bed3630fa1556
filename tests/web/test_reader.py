"""The reader page alone: by camera, by pictures in any order, as text, without a network, and never a guess."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from benchmarks.browser_worker import FLAGS, chromium
from tests.web.test_camera import LIVE, WATCH

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
SHARE = 400  # letters of a code; the app puts up to 579 into one
COUNT = re.compile(r"(\d) of (\d)")


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"urn:poxlens:{system}", "code": code}]}


def bundle() -> dict[str, Any]:
    """A result as docs/fhir.md describes it, written by hand: another program's, so to speak."""
    base = "urn:uuid:0b8c7a52-6d4f-4f0e-9c3b-5d1e2f3a4b"
    made = "2026-03-14T09:26:53+01:00"

    def quantity(code: str, value: float, system: str = "code") -> dict[str, Any]:
        unit = {"value": value, "system": "http://unitsofmeasure.org", "code": "1"}
        return {"code": coded(system, code), "valueQuantity": unit}

    reason = {"code": coded("code", "reason"), "valueCodeableConcept": coded("reason", "uncertain.between")}
    photos = [
        {
            "resourceType": "Observation", "status": "preliminary", "code": coded("code", "photo"),
            "valueCodeableConcept": coded("outcome", "uncertain"),
            "component": [reason, quantity("mpox", round(0.2 + n / 37, 4), "probability")],
        }
        for n in range(6)
    ]  # fmt: skip
    screening = {
        "resourceType": "Observation", "status": "preliminary", "code": coded("code", "screening"),
        "valueCodeableConcept": coded("outcome", "uncertain"),
        "component": [
            reason,
            {"code": coded("code", "target"), "valueCodeableConcept": coded("condition", "mpox")},
            quantity("rule-in", 0.6), quantity("rule-out", 0.04), quantity("novelty-limit", 1.5),
            {"code": coded("code", "deciding-photo"), "valueInteger": 3},
        ],
    }  # fmt: skip
    answers = {
        "resourceType": "QuestionnaireResponse", "status": "completed",
        "item": [{"linkId": "age", "answer": [{"valueDecimal": 44}]}],
    }  # fmt: skip
    found = [{"resourceType": "Patient"}, answers, screening, *photos]
    return {
        "resourceType": "Bundle", "type": "collection", "timestamp": made,
        "meta": {"profile": ["urn:poxlens:profile:result:1"]},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"{base}00"},
        "entry": [{"fullUrl": f"{base}{n + 1:02x}", "resource": one} for n, one in enumerate(found)],
    }  # fmt: skip


def base45(data: bytes) -> str:
    letters = ""
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            value, digit = divmod(value, 45)
            letters += BASE45[digit]
    return letters


def codes(text: str, share: int = SHARE) -> list[str]:
    """The texts of the codes, as docs/fhir.md describes them, with Python's own zlib."""
    dictionary = (ROOT / "web/src/qr/dictionary.1.txt").read_bytes()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=dictionary)
    letters = base45(packer.compress(text.encode()) + packer.flush())
    parts = [letters[at : at + share] for at in range(0, len(letters), share)]
    return [
        f"POX1/{zlib.crc32(text.encode()):08X}/{n}/{len(parts)}/{part}/" for n, part in enumerate(parts, 1)
    ]


def y4m(path: Path, pixels: np.ndarray) -> None:
    """A grey video of one picture, [height, width], 0-255, as Chromium's fake camera plays it."""
    height, width = pixels.shape
    luma = (16 + pixels.astype(np.float64) * 219 / 255).round().astype(np.uint8)
    frame = b"FRAME\n" + luma.tobytes() + bytes([128]) * (height * width // 2)
    path.write_bytes(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 4)


@pytest.fixture
def reader(visit: Callable[..., Any], url: str) -> Any:
    return visit(f"{url.rstrip('/')}/reader.html")


def test_text_in_any_order_and_what_is_none_of_ours(reader: Any) -> None:
    page = reader.page
    texts = codes(json.dumps(bundle()))
    assert len(texts) == 2

    def read(text: str) -> str:
        page.locator("#codes").fill(text)
        page.get_by_role("button", name="Read the text").click()
        return str(page.locator("[role=status]").inner_text())

    assert "not one of poxlens" in read("https://example.org")
    assert "newer page" in read(texts[0].replace("POX1", "POX2"))
    assert COUNT.search(read(texts[1])).groups() == ("1", "2")
    assert "Still needed: 1" in page.locator("[role=status]").inner_text()
    assert COUNT.search(read(texts[1])).groups() == ("1", "2")
    swapped = texts[0][:60] + texts[0][61] + texts[0][60] + texts[0][62:]
    assert "do not fit together" in read(swapped)
    page.locator("#codes").fill("\n".join(reversed(texts)))
    page.get_by_role("button", name="Read the text").click()
    page.locator(".sheet").wait_for()
    shown = page.locator(".sheet").inner_text()
    for said in (
        "A person needs to look at this rash",
        "44 years",
        "Examination by a health worker",
        "Photo 6",
    ):
        assert said in shown
    assert "March 14, 2026 at 9:26" in shown  # the time of the place where it was made
    page.get_by_role("button", name="Read another result").click()
    assert page.locator("#codes").input_value() == ""
    assert reader.complaints == []


def test_a_complete_code_with_another_content_is_refused(reader: Any) -> None:
    page = reader.page
    other = bundle() | {"meta": {"profile": ["urn:poxlens:profile:result:9"]}}
    page.locator("#codes").fill("\n".join(codes(json.dumps(other))))
    page.get_by_role("button", name="Read the text").click()
    page.get_by_text("do not fit together").wait_for()
    assert page.locator(".sheet").count() == 0


def test_it_reads_without_a_network(reader: Any, url: str) -> None:
    page = reader.page
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    reader.context.set_offline(True)
    page.reload()
    page.locator("#codes").fill("\n".join(codes(json.dumps(bundle()))))
    page.get_by_role("button", name="Read the text").click()
    page.locator(".sheet").wait_for()
    assert {asked.split("/")[2] for asked in reader.requests if asked.startswith("http")} == {
        url.split("/")[2]
    }


def test_a_browser_with_a_detector_of_its_own_uses_it(reader: Any) -> None:
    """Android's Chromium has one that no Chromium on a desk has; this one says what it is told to."""
    page = reader.page
    detector = """(text) => {
      window.BarcodeDetector = class {
        static getSupportedFormats = async () => ["aztec", "qr_code"];
        constructor({ formats }) { window.formats = formats; }
        detect = async (image) => (image.width === 7 ? text.map((rawValue) => ({ rawValue })) : []);
      };
    }"""
    page.evaluate(detector, codes(json.dumps(bundle())))
    _, png = cv2.imencode(".png", np.zeros((7, 7), np.uint8))
    page.locator("input[type=file]").set_input_files(
        [{"name": "c.png", "mimeType": "image/png", "buffer": png.tobytes()}]
    )
    page.locator(".sheet").wait_for()
    assert page.evaluate("window.formats") == ["qr_code"]


def test_a_camera_that_is_allowed_too_late_is_closed_at_once(reader: Any) -> None:
    page = reader.page
    page.evaluate("""() => {
      const drawn = document.createElement("canvas");
      drawn.getContext("2d").fillRect(0, 0, 9, 9);
      window.tracks = drawn.captureStream().getTracks();
      navigator.mediaDevices.getUserMedia = () => new Promise((allow) => (window.allow = allow));
    }""")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("Starting the camera").wait_for()
    page.get_by_role("button", name="Stop the camera").click()
    page.get_by_role("button", name="Use the camera").wait_for()
    assert page.evaluate(LIVE) == 1
    page.evaluate("window.allow(new MediaStream(window.tracks))")
    page.wait_for_function(LIVE + " === 0")
    assert page.locator("video").count() == 0


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("codes") / "camera.y4m"


@pytest.fixture(scope="module")
def with_camera(built: None, playwright: Any, video: Path) -> Iterator[Any]:
    """A Chromium whose camera shows the file `video`."""
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    found = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *fake])
    yield found
    found.close()


def test_the_camera_reads_a_code_of_the_app(with_camera: Any, url: str, video: Path) -> None:
    context = with_camera.new_context(permissions=["camera"], viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{url.rstrip('/')}/reader.html")
        # One code that is shown on a screen: turned a little, grey and unevenly lit.
        text = codes(json.dumps(bundle() | {"entry": bundle()["entry"][:6]}), 579)
        assert len(text) == 1
        assert len(text[0]) > 400
        modules = cv2.QRCodeEncoder.create().encode(text[0])
        side = 430
        code = cv2.resize(modules, (side, side), interpolation=cv2.INTER_NEAREST)
        scene = np.full((480, 640), 190.0)
        scene[25 : 25 + side, 100 : 100 + side] = 40 + code * 0.7
        turn = cv2.getRotationMatrix2D((320, 240), 7, 0.97)
        scene = cv2.warpAffine(scene, turn, (640, 480), borderValue=190)
        scene = cv2.GaussianBlur(scene, (0, 0), 0.8) * np.linspace(0.75, 1, 640)
        y4m(video, np.clip(scene, 0, 255).astype(np.uint8))
        page.evaluate(WATCH)
        page.get_by_role("button", name="Use the camera").click()
        page.locator(".sheet").wait_for()
        assert page.evaluate("window.tracks.length") == 1
        assert page.evaluate(LIVE) == 0  # it ends with the view, not a frame later
        assert "44 years" in page.locator(".sheet").inner_text()
        assert page.locator("video").count() == 0
    finally:
        context.close()
