"""The browser gives the command line's answers: same pixels, same numbers, same outcome."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from benchmarks.browser_worker import BrowserWorker, browser_worker
from benchmarks.web_parity import Row, compare
from PIL import Image

from poxlens.data.phantom import draw, random_spec
from poxlens.screen.screener import Screener

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def worker(built: None, screener: Screener) -> Iterator[BrowserWorker]:
    with browser_worker(screener) as started:
        yield started


def jpeg(pixels: np.ndarray, orientation: int = 1, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", exif=exif, **{"quality": 90, **options})
        return stream.getvalue()


def phantom(seed: int, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(draw(random_spec(seed)).image).resize(size, Image.Resampling.BICUBIC))


def plain_skin(seed: int, size: tuple[int, int]) -> np.ndarray:
    """The same skin, light and noise without the lesions."""
    return np.asarray(Image.fromarray(draw(random_spec(seed)).clean).resize(size, Image.Resampling.BICUBIC))


def png(pixels: np.ndarray) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()


def display_p3() -> bytes:
    """A Display P3 profile as phones write it: a matrix to XYZ (D50) and the sRGB curve as parameters."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"para\0\0\0\0\0\3\0\0" + b"".join(
        map(fixed, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    )
    name = "Display P3".encode("utf-16-be")
    text = b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(name), 28) + name
    tags = {
        b"desc": text, b"cprt": text, b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.51512, 0.2412, -0.00105), b"gXYZ": xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": xyz(0.1571, 0.06657, 0.78407), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve,
    }  # fmt: skip
    body, table, at = b"", struct.pack(">I", len(tags)), 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    head = (
        struct.pack(">I4sI", at + len(body), b"\0\0\0\0", 0x04000000) + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    )
    head += b"\0" * 28 + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return head.ljust(128, b"\0") + table + body


def cases() -> dict[str, bytes]:
    """Phantoms in every turn, without lesions, at 12 megapixels, progressive, as PNG, and photos that are refused."""
    made = {f"turn {n}": jpeg(phantom(n, (900, 640)), n) for n in range(1, 9)}
    made["12 megapixels"] = jpeg(phantom(11, (4000, 3000)), 6)
    made["progressive"] = jpeg(phantom(12, (1300, 1000)), progressive=True)
    made["4:4:4"] = jpeg(phantom(13, (700, 700)), subsampling=0)
    made["small"] = jpeg(phantom(14, (300, 260)))
    made["too small"] = jpeg(phantom(15, (140, 100)))
    made |= {f"plain skin {seed}": jpeg(plain_skin(seed, (800, 640))) for seed in range(3)}
    made["PNG"] = png(phantom(16, (640, 480)))
    made["dark"] = jpeg((phantom(17, (640, 480)) * 0.1).astype(np.uint8))
    made["text"] = b"no image at all, whatever its name says"
    made["cut off"] = jpeg(phantom(18, (640, 480)))[:9000]
    return made


def test_the_browser_answers_as_the_command_line_does(worker: BrowserWorker, screener: Screener) -> None:
    rows = {name: compare(worker, screener, photo) for name, photo in cases().items()}
    assert {row.outcome for row in rows.values()} >= {"cannot_assess", "uncertain", "not_suspected"}
    assert sum(row.probability is not None for row in rows.values()) >= 12
    for name, row in rows.items():
        assert row.same, name
        assert (row.pixels or 0) <= (1 if name == "PNG" else 0), name
        assert (row.outputs or 0.0) <= 1e-5, name
        assert (row.probability or 0.0) <= 2e-3, name
        assert row.heatmap is None or row.heatmap >= 0.999, name


def test_golden_examples_were_run(worker: BrowserWorker, screener: Screener) -> None:
    assert 0.0 <= worker.started["golden"] <= screener.engine.model.golden_tolerance


def test_a_profile_of_another_colour_space_is_converted(worker: BrowserWorker, screener: Screener) -> None:
    photo = jpeg(phantom(21, (900, 700)), icc_profile=display_p3())
    plain = jpeg(phantom(21, (900, 700)))
    row: Row = compare(worker, screener, photo)
    assert row.same
    assert (row.pixels or 0) <= 1
    shown = worker.prepare(photo, 224).astype(int)
    assert np.abs(shown - worker.prepare(plain, 224)).max() > 5  # the profile does make a difference
