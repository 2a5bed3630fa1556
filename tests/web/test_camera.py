"""The live camera view, with Chromium's fake camera showing a drawn rash: hints, a photo, and tracks that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.browser_worker import FLAGS, chromium
from PIL import Image

pytestmark = pytest.mark.browser

SIDE = 640
# Counts the cameras that are still on.
WATCH = """(() => {
  window.tracks = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
})()"""
LIVE = "window.tracks.filter((track) => track.readyState === 'live').length"


def y4m(path: Path, pixels: np.ndarray) -> Path:
    """A video of one picture, [SIDE, SIDE, 3], as Chromium's fake camera plays it (I420)."""
    planes = np.asarray(Image.fromarray(pixels).convert("YCbCr"), np.float64)
    # Full range, as a photo's, to that of video.
    luma = (16 + planes[..., 0] * 219 / 255).round().astype(np.uint8)
    chroma = (128 + (planes[::2, ::2, 1:] - 128) * 224 / 255).round().astype(np.uint8)
    frame = b"FRAME\n" + luma.tobytes() + chroma[..., 0].tobytes() + chroma[..., 1].tobytes()
    path.write_bytes(f"YUV4MPEG2 W{SIDE} H{SIDE} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 4)
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("camera") / "camera.y4m"


@pytest.fixture(scope="module")
def browser(built: None, playwright: Any, video: Path) -> Iterator[Any]:
    """A Chromium with a camera that shows the file `video`, which each test writes before it opens the camera."""
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    found = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *fake])
    yield found
    found.close()


@pytest.fixture
def photos(visit: Callable[..., Any]) -> Callable[..., Any]:
    """The step of the photos, ready to open the camera."""

    def open_step(*granted: str) -> Any:
        one = visit(permissions=list(granted))
        one.page.evaluate(WATCH)
        one.begin()
        one.page.get_by_role("button", name="Camera with hints").click()
        one.page.locator("dialog.camera").wait_for()
        return one

    return open_step


def test_a_good_picture_is_taken_and_the_camera_ends(
    photos: Callable[..., Any], video: Path, pustules: np.ndarray
) -> None:
    y4m(video, np.asarray(Image.fromarray(pustules).resize((SIDE, SIDE))))
    one = photos("camera")
    page = one.page
    page.get_by_text("Good. Take the photo now.").wait_for()
    assert page.evaluate(LIVE) == 1
    page.get_by_role("button", name="Take the photo").click()
    page.locator(".frame").wait_for()
    assert page.evaluate(LIVE) == 0
    size = page.locator(".stage canvas").evaluate("canvas => [canvas.width, canvas.height]")
    assert size == [512, 512]  # the square, 80 % of 640
    page.go_back()
    page.locator(".bar button:enabled").wait_for()
    card = page.locator(".card.photo").inner_text().lower()
    assert not [word for word in ("too dark", "too bright", "not sharp", "too little") if word in card], card
    assert one.complaints == []


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda pixels: pixels * 0.12, "Too dark"),
        (lambda pixels: np.full_like(pixels, 128) + np.array([-70, 0, 80], np.int16), "Go closer"),
        (lambda pixels: pixels.mean(axis=(0, 1), keepdims=True) + np.zeros_like(pixels), "Not sharp"),
    ],
)
def test_it_says_what_to_do_better(
    photos: Callable[..., Any], video: Path, pustules: np.ndarray, change: Callable[..., Any], hint: str
) -> None:
    pixels = np.asarray(Image.fromarray(pustules).resize((SIDE, SIDE))).astype(np.int16)
    y4m(video, np.clip(change(pixels), 0, 255).astype(np.uint8))
    page = photos("camera").page
    page.get_by_text(hint).wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog.camera").wait_for(state="detached")
    assert page.evaluate("window.tracks.length") == 1
    assert page.evaluate(LIVE) == 0


def test_where_it_is_refused_a_photo_can_be_chosen(
    photos: Callable[..., Any], video: Path, pustules: np.ndarray
) -> None:
    page = photos().page
    assert "may not use the camera" in page.locator("dialog [role=alert]").inner_text()
    page.get_by_role("button", name="Close the camera").click()
    page.locator("dialog.camera").wait_for(state="detached")
    assert page.locator("input[type=file]").count() >= 1


def test_a_browser_without_cameras_offers_none(visit: Callable[..., Any]) -> None:
    one = visit()
    one.page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    one.begin()
    one.page.locator("input[type=file]").first.wait_for(state="attached")
    assert one.page.get_by_role("button", name="Camera with hints").count() == 0
