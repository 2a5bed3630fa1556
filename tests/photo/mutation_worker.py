"""Decode randomly damaged files in this process: `mutation_worker.py COUNT SEED LOG`; prints one JSON object.

Run as a process of its own, since a fault in a C decoder would end it. A file that takes over 20 s ends it
too. Either leaves the stack on the standard error stream and the number of the mutation in LOG.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import ImageCms

from poxlens.errors import PhotoError
from poxlens.photo.decode import decode

SECONDS_A_FILE = 20


def good_files() -> list[bytes]:
    spec = importlib.util.spec_from_file_location("hostile", Path(__file__).parent / "hostile.py")
    assert spec is not None
    assert spec.loader is not None
    hostile = importlib.util.module_from_spec(spec)
    sys.modules["hostile"] = hostile
    spec.loader.exec_module(hostile)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"sRGB", b"wide")
    photo, encode = hostile.picture(200, 150), hostile.encode
    exif = b"Exif\0\0" + hostile.exif(6)
    return [
        encode(photo, "JPEG", quality=90, icc_profile=profile, exif=exif),
        encode(photo, "JPEG", quality=90, progressive=True),
        encode(photo.convert("CMYK"), "JPEG"),
        encode(photo, "PNG", icc_profile=profile),
        encode(photo.convert("RGBA"), "PNG"),
        encode(photo.quantize(32), "PNG"),
        encode(photo, "TIFF", compression="tiff_lzw", icc_profile=profile),
        encode(photo, "TIFF", compression="jpeg"),
        encode(photo, "TIFF"),
        encode(photo, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 2}),
        encode(photo.convert("1"), "TIFF", compression="group4"),
        encode(photo, "WEBP", quality=80, icc_profile=profile),
        encode(photo.convert("RGBA"), "WEBP", lossless=True),
        encode(photo, "WEBP", save_all=True, append_images=[photo.transpose(1)]),
        encode(photo, "GIF", save_all=True, append_images=[photo.transpose(1)]),
        encode(photo, "BMP"),
        encode(photo.quantize(16), "BMP"),
        hostile.heic(photo),
        encode(photo, "AVIF", icc_profile=profile),
    ]


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage `data` in one to eight places: bits, bytes, extreme numbers, cuts, holes, repeats."""
    out = bytearray(data)
    # Half of the damage goes into the first 500 bytes, where the headers are.
    reach = len(out) if rng.random() < 0.5 else min(500, len(out))
    for _ in range(rng.integers(1, 9)):
        at = int(rng.integers(0, max(1, min(reach, len(out)))))
        length = int(rng.integers(1, 64))
        match rng.integers(0, 7):
            case 0:
                out[at] ^= 1 << int(rng.integers(0, 8))
            case 1:
                out[at] = int(rng.integers(0, 256))
            case 2:
                out[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\1"])
            case 3:
                out[at : at + length] = rng.bytes(length)
            case 4:
                del out[at : at + length]
            case 5:
                out[at:at] = out[at : at + length] * int(rng.integers(1, 20))
            case 6:
                if rng.random() < 0.3:
                    del out[at + 1 :]
        if not out:
            break
    return bytes(out)


def peak_bytes() -> int:
    """The most memory this process held. Not ru_maxrss on Linux: a child starts with its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    count, seed, log = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    files = good_files()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        data = mutate(files[index % len(files)], rng)
        log.write_text(str(index))
        faulthandler.dump_traceback_later(SECONDS_A_FILE, exit=True)
        started = time.perf_counter()
        try:
            photo = decode(data)
            outcomes["ok" if photo.pixels.size > 0 and photo.pixels.shape[2] == 3 else "no pixels"] += 1
        except PhotoError as error:
            outcomes[error.reason] += 1
        finally:
            faulthandler.cancel_dump_traceback_later()
        slowest = max(slowest, time.perf_counter() - started)
    report = {
        "files": count,
        "ok": outcomes["ok"],
        "slowest_s": slowest,
        "peak_bytes": peak_bytes(),
        "outcomes": outcomes,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    faulthandler.enable()
    main()
