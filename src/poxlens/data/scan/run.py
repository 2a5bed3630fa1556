"""Scan all files of a table: several processes, one pass, resumable, in memory that does not grow with pixels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from poxlens.data import fingerprint, phash
from poxlens.data.manifest import Manifest
from poxlens.data.scan import shards
from poxlens.data.scan.columns import Scan
from poxlens.data.scan.look import THUMB
from poxlens.data.scan.seer import Answer, Seer
from poxlens.data.scan.traits import TRAITS
from poxlens.photo.personal import KINDS
from poxlens.photo.unreadable import UNREADABLE

_BLOCK = 256  # files a shard; what a kill can lose is this many a worker
_CRASHED = f"unreadable.corrupt: {UNREADABLE['unreadable.corrupt']}"

Advance = Callable[[int], None]


def scan(
    manifest: Manifest,
    store: Path,
    *,
    hashes_only: bool = False,
    workers: int = 2,
    advance: Advance | None = None,
) -> Scan:
    """Look once at every file of a table.

    What was seen is kept in `store`, keyed by the content of the files: a scan that was killed, or one of a table
    with more, renamed or changed files, looks only at what is new. A file that cannot be read is told in `fault`
    and stops nothing, not even when a decoder breaks its whole process down.

    Args:
        manifest: the table.
        store: a folder for the finished shards; made when absent. About 4 kB an image.
        hashes_only: what whole copies are found by and no more, in a third of the time: digests, sizes, hashes and
            thumbnails. A complete record in the store serves; one made so is none for a complete scan.
        workers: processes; 1 works in this one.
        advance: called with the number of files just finished.

    Raises:
        ValueError: when workers is not positive.
        OSError: when the store cannot be written.
    """
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    store.mkdir(parents=True, exist_ok=True)
    files = [str(row.path.absolute()) for row in manifest.rows]
    told = _look_at(files, store, workers, advance or (lambda _: None), hashes_only)
    return _collect(told, store, hashes_only)


def _look_at(files: Sequence[str], store: Path, workers: int, advance: Advance, hashes_only: bool) -> Answer:
    told = Answer([""] * len(files), [0] * len(files), [""] * len(files))
    # Small tables are cut finer, so that all workers have something to do.
    step = max(1, min(_BLOCK, -(-len(files) // (4 * workers))))
    blocks: SimpleQueue[range] = SimpleQueue()
    for start in range(0, len(files), step):
        blocks.put(range(start, min(start + step, len(files))))

    def work() -> None:
        with (_Process if workers > 1 else _Here)(store, hashes_only) as seer:
            while not blocks.empty():
                _do(blocks.get(), seer)

    def _do(rows: range, seer: _Process | _Here) -> None:
        answer = seer.see([files[row] for row in rows])
        if answer is None and len(rows) > 1:  # something in it broke the process: find out what
            for row in rows:
                _do(range(row, row + 1), seer)
            return
        for place, row in enumerate(rows):
            told.sha256[row] = answer.sha256[place] if answer else ""
            told.size[row] = answer.size[place] if answer else 0
            told.fault[row] = answer.fault[place] if answer else _CRASHED
        advance(len(rows))

    if workers == 1:
        work()
        return told
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _ in range(workers)]:
            done.result()
    return told


class _Here:
    """Looks at files in this process."""

    def __init__(self, store: Path, hashes_only: bool) -> None:
        self._seer = Seer.of(store, hashes_only=hashes_only)

    def __enter__(self) -> _Here:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def see(self, files: Sequence[str]) -> Answer | None:
        return self._seer.see(files)


class _Process:
    """Looks at files in a process of its own, and starts another when that one breaks down."""

    def __init__(self, store: Path, hashes_only: bool) -> None:
        self._arguments = [str(store), "hashes" if hashes_only else "all"]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def see(self, files: Sequence[str]) -> Answer | None:
        """The answer; None when the process ended instead."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(list(files)) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return Answer(*json.loads(line))
        self._end()
        return None

    def _start(self) -> subprocess.Popen[str]:
        one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "poxlens.data.scan.worker", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
            env={**os.environ, **one},
        )

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.communicate()  # closes its input, which ends it


def _collect(told: Answer, store: Path, hashes_only: bool) -> Scan:
    """The columns of all rows out of the shards, one shard in memory at a time."""
    count = len(told.sha256)
    rows_of: dict[bytes, list[int]] = {}
    for row, digest in enumerate(told.sha256):
        if digest:
            rows_of.setdefault(bytes.fromhex(digest), []).append(row)
    scan = _empty(told, store, hashes_only)
    for path in shards.paths(store, hashes_only=hashes_only):
        record = shards.read(path)
        if record is None:
            continue
        places = [
            (place, row)
            for place, content in enumerate(record["content"].astype(np.uint8))
            for row in rows_of.get(content.tobytes(), ())
        ]
        if places:
            _fill(scan, record, np.array(places))
    assert count == len(scan)
    return scan


def _empty(told: Answer, store: Path, hashes_only: bool) -> Scan:
    count = len(told.sha256)
    return Scan(
        sha256=told.sha256,
        fault=told.fault,
        width=np.zeros(count, np.int32),
        height=np.zeros(count, np.int32),
        size=np.array(told.size, np.int64),
        format=[""] * count,
        jpeg_quality=np.full(count, np.nan, np.float32),
        personal=[()] * count,
        pixels_sha256=[""] * count,
        hashes=np.zeros((count, len(phash.VIEWS)), np.uint64),
        embedding=np.zeros((count, 0 if hashes_only else fingerprint.SIZE), np.float16),
        traits=np.full((count, len(TRAITS)), np.nan, np.float32),
        ita=np.full(count, np.nan, np.float32),
        thumb=_on_disk((count, THUMB, THUMB), store),
    )


def _on_disk(shape: tuple[int, ...], store: Path) -> NDArray[np.uint8]:
    """Zeros in a file without a name, which goes when the array does."""
    with tempfile.TemporaryFile(dir=store) as stream:
        return np.memmap(stream, np.uint8, "w+", shape=shape)


_COLUMNS = ("width", "height", "jpeg_quality", "hashes", "embedding", "traits", "ita", "thumb")


def _fill(scan: Scan, record: shards.Record, places: NDArray[np.int_]) -> None:
    """Copy the rows of a shard, [n, 2] of (place in it, row of the scan), to their places."""
    place, row = places.T
    for name in _COLUMNS:
        column = getattr(scan, name)
        if column.shape[1:] != (0,):
            column[row] = record[name][place]
    for here, there in places.tolist():
        scan.fault[there] = str(record["fault"][here])
        scan.format[there] = sys.intern(str(record["format"][here]))
        if not scan.fault[there]:
            scan.pixels_sha256[there] = record["pixels"][here].tobytes().hex()
        kinds = int(record["personal"][here])
        scan.personal[there] = tuple(kind for bit, kind in enumerate(KINDS) if kinds >> bit & 1)
