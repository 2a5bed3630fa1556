"""99-megapixel files in a process of their own, which reports the most memory it held."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc, which this system has not"
)

LIMIT = 1_500_000_000  # bytes
WIDTH, HEIGHT = 9_900, 10_000

DECODE = """
import sys, time
from poxlens.errors import PhotoError
from poxlens.photo.decode import decode
started = time.perf_counter()
try:
    photo = decode(sys.argv[1])
    result = f"{photo.width}x{photo.height}"
except PhotoError as error:
    result = error.reason
# Not ru_maxrss: a child starts with its parent's.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(result, int(peak) * 1024, time.perf_counter() - started)
"""


def _decode(path: Path) -> tuple[str, int, float]:
    done = subprocess.run(
        [sys.executable, "-c", DECODE, str(path)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
    result, peak, seconds = done.stdout.split()
    return result, int(peak), float(seconds)


def _large(mode: str = "RGB", width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    row = np.linspace(60, 220, width).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(row[:, None], (height, width, 3)).copy()).convert(mode)


def _png(hostile: ModuleType, *, depth: int, colour: int, row_bytes: int) -> bytes:
    pack = zlib.compressobj(1)
    row = b"\0" + b"\x5a" * row_bytes
    body = b"".join(pack.compress(row) for _ in range(HEIGHT)) + pack.flush()
    return bytes(hostile.png(WIDTH, HEIGHT, depth=depth, colour=colour, body=body))


@pytest.mark.parametrize(("depth", "colour", "channels"), [(8, 2, 3), (8, 6, 4), (16, 6, 8), (16, 0, 2)])
def test_png(hostile: ModuleType, tmp_path: Path, depth: int, colour: int, channels: int) -> None:
    path = tmp_path / "large"
    path.write_bytes(_png(hostile, depth=depth, colour=colour, row_bytes=WIDTH * channels))
    result, peak, seconds = _decode(path)
    assert result == f"{WIDTH}x{HEIGHT}"
    assert peak < LIMIT
    assert seconds < 60


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True, "subsampling": 0}),
        ("JPEG", "CMYK", {"progressive": True}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGB", {"compression": "tiff_adobe_deflate", "strip_size": 2**30}),
        ("BMP", "RGB", {}),
        ("GIF", "P", {}),
    ],
)
def test_other_formats(tmp_path: Path, kind: str, mode: str, options: dict[str, object]) -> None:
    path = tmp_path / "large"
    _large(mode).save(path, kind, **options)
    result, peak, seconds = _decode(path)
    assert result == f"{WIDTH}x{HEIGHT}"
    assert peak < LIMIT
    assert seconds < 60


def test_webp_up_to_its_own_limit_and_beyond(tmp_path: Path) -> None:
    path = tmp_path / "large"
    _large("RGB", 8_400, 8_400).save(path, "WEBP", lossless=True, method=0, quality=0)
    result, peak, _ = _decode(path)
    assert result == "8400x8400"
    assert peak < LIMIT
    _large().save(path, "WEBP", method=0, quality=10)  # libwebp would need 1.6 GB
    result, peak, _ = _decode(path)
    assert result == "unreadable.too_large"
    assert peak < LIMIT / 5


def test_float_tiff(tmp_path: Path) -> None:
    path = tmp_path / "large"
    Image.fromarray(np.broadcast_to(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, WIDTH)).copy()).save(
        path, "TIFF"
    )
    result, peak, _ = _decode(path)
    assert result == f"{WIDTH}x{HEIGHT}"
    assert peak < LIMIT


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_heic_and_avif(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "large"
    if kind == "HEIF":
        import pillow_heif

        heif = pillow_heif.from_pillow(_large())
        with path.open("wb") as stream:
            heif.save(stream, format="HEIF", quality=30, enc_params={"preset": "ultrafast"})
    else:
        _large().save(path, kind, speed=10, quality=20)
    result, peak, seconds = _decode(path)
    assert result == f"{WIDTH}x{HEIGHT}"
    assert peak < LIMIT
    assert seconds < 60


def test_threads_take_turns_with_large_photos(hostile: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(_png(hostile, depth=8, colour=6, row_bytes=WIDTH * 4))
    code = DECODE.replace(
        "    photo = decode(sys.argv[1])\n",
        "    from concurrent.futures import ThreadPoolExecutor\n"
        "    with ThreadPoolExecutor(4) as pool:\n"
        "        photo = list(pool.map(decode, [sys.argv[1]] * 4))[-1]\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=170
    )
    result, peak, _ = done.stdout.split()
    assert result == f"{WIDTH}x{HEIGHT}"
    assert int(peak) < LIMIT
