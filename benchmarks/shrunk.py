"""`python -m benchmarks.shrunk TABLE --out DIR`: a table's images, small enough to travel to a machine with a GPU.

Every image is written under its own name as a JPEG whose short side is at most --side px, with a table beside them that
tells their new SHA-256 and size and is otherwise the same; lists of groups hold for it, as they go by names. It is for
trying what needs a GPU on a borrowed machine: figures that are told come from the images as they are.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from poxlens.data.manifest import Row, read_manifest, write_manifest
from poxlens.errors import PhotoError, PoxlensError
from poxlens.files import sha256_bytes, write_atomically
from poxlens.photo.decode import decode

TABLE = "manifest.csv"


@dataclass(frozen=True)
class Shrunk:
    """What was written."""

    rows: tuple[Row, ...]
    size: int  # bytes of all images
    faults: tuple[tuple[str, str], ...]  # file, why it is left out


def shrink(rows: Iterable[Row], out: Path, side: int, quality: int, workers: int = 2) -> Shrunk:
    """Write the images and their table into `out`.

    Args:
        rows: of the table.
        out: folder.
        side: greatest short side, px; a smaller image keeps its size.
        quality: of the JPEG, 1 to 95.
        workers: images read at once.

    Raises:
        ManifestError: no image can be read.
        OSError: the folder is not writable.
    """
    root = out.resolve()
    kept: list[Row] = []
    faults: list[tuple[str, str]] = []
    total = 0
    with ThreadPoolExecutor(workers) as pool:
        for row, found in pool.map(lambda one: (one, _jpeg(one, side, quality)), rows):
            if isinstance(found, str):
                faults.append((row.file, found))
                continue
            data, (width, height) = found
            target = out / row.file
            if not target.resolve().is_relative_to(root):
                faults.append((row.file, "its name leads out of the folder"))
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, data)
            total += len(data)
            kept.append(replace(row, path=target, sha256=sha256_bytes(data), width=width, height=height))
    out.mkdir(parents=True, exist_ok=True)
    write_manifest(out / TABLE, kept)
    return Shrunk(tuple(kept), total, tuple(faults))


def _jpeg(row: Row, side: int, quality: int) -> tuple[bytes, tuple[int, int]] | str:
    try:
        pixels = decode(row.path, working_side=side).pixels
    except PhotoError as fault:
        return str(fault)
    except OSError as fault:
        return f"cannot be read: {fault.strerror or fault}"
    image = Image.fromarray(pixels)
    scale = min(1.0, side / min(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    buffer = io.BytesIO()
    image.resize(size, Image.Resampling.BOX).save(buffer, "JPEG", quality=quality, subsampling=2)
    return buffer.getvalue(), size


def main(argv: list[str] | None = None) -> int:
    """Shrink: 0, 1 where an image could not be read, 2 for misuse."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.shrunk",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", type=Path, help="table of images")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--side", type=int, default=224, help="greatest short side, px")
    parser.add_argument("--quality", type=int, default=75, choices=range(1, 96), metavar="1-95")
    parser.add_argument("--jobs", type=int, default=2, help="images read at once")
    options = parser.parse_args(argv)
    if options.side < 1 or options.jobs < 1:
        parser.error("--side and --jobs must be at least 1")
    try:
        rows = read_manifest(options.table).rows
        if options.out.resolve() == options.table.resolve().parent:
            parser.error("--out is the folder of the table: name another, or its images would be overwritten")
        found = shrink(rows, options.out, options.side, options.quality, options.jobs)
    except (PoxlensError, OSError) as fault:
        print(f"shrunk: {fault}", file=sys.stderr)
        return 2
    print(f"{options.out / TABLE}: {len(found.rows)} images, {found.size / 1e6:.1f} MB")
    for file, why in found.faults:
        print(f"  left out: {file}: {why}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
