"""Many pairs compared side by side, each file described as seldom as possible, nothing computed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from poxlens.data.duplicates.confirm import NOTHING, Verdict
from poxlens.data.duplicates.verdicts import Key, Verdicts, as_verdict
from poxlens.data.duplicates.worker import Comparer

Advance = Callable[[int], None]
_SERVE = "from poxlens.data.duplicates.worker import main; main()"
_BLOCK = 64  # pairs given to a process at once, and kept at once
_FEW = 32  # fewer pairs than this are compared in this process: starting another takes a second


def check_pairs(
    pairs: Sequence[tuple[int, int]],
    paths: Sequence[Path],
    sha256: Sequence[str],
    store: Path | None,
    *,
    workers: int = 2,
    advance: Advance | None = None,
) -> list[Verdict]:
    """The verdict on each pair of rows.

    Args:
        pairs: rows of both pictures, the smaller number first.
        paths: of all rows.
        sha256: of the bytes of all rows.
        store: a folder where verdicts are kept and found again; None keeps nothing.
        workers: processes.
        advance: called with the number of pairs just finished.
    """
    tell = advance or (lambda _: None)
    keys = [(sha256[first], sha256[second]) for first, second in pairs]
    times = Counter(keys)
    verdicts = Verdicts(store) if store is not None else None
    known = verdicts.read(keys) if verdicts else {}
    tell(sum(key in known for key in keys))
    todo = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in known}
    order = sorted(todo, key=_nearby(list(todo.values()), todo, len(paths)))
    blocks = [order[start : start + _BLOCK] for start in range(0, len(order), _BLOCK)]

    def finished(block: list[Key], found: list[Verdict]) -> None:
        fresh = dict(zip(block, found, strict=True))
        if verdicts:
            verdicts.write(fresh)
        known.update(fresh)
        tell(sum(times[key] for key in block))

    def named(block: list[Key]) -> list[tuple[str, str]]:
        return [(str(paths[todo[key][0]].absolute()), str(paths[todo[key][1]].absolute())) for key in block]

    if workers < 2 and len(order) < _FEW:
        comparer = Comparer()
        for block in blocks:
            finished(block, comparer.compare(named(block)))
    else:
        _side_by_side(blocks, named, finished, workers)
    return [known[key] for key in keys]


def _nearby(
    pairs: list[tuple[int, int]], todo: dict[Key, tuple[int, int]], count: int
) -> Callable[[Key], tuple[int, int]]:
    """An order in which a picture's pairs stand close together, so that it is used while it is held.

    Reverse Cuthill-McKee: neighbours in the graph of pairs get numbers that are close.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    ends = np.array(pairs, np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count)).tocsr()
    rank = np.empty(count, np.int64)
    rank[reverse_cuthill_mckee((graph + graph.T).tocsr(), symmetric_mode=True)] = np.arange(count)

    def place(key: Key) -> tuple[int, int]:
        one, other = sorted((int(rank[todo[key][0]]), int(rank[todo[key][1]])))
        return other, one

    return place


def _side_by_side(
    blocks: list[list[Key]],
    named: Callable[[list[Key]], list[tuple[str, str]]],
    finished: Callable[[list[Key], list[Verdict]], None],
    workers: int,
) -> None:
    # A process takes neighbouring blocks: the first takes the first half of the parts, and so on.
    share = -(-len(blocks) // workers) if blocks else 1
    shares = [blocks[start : start + share] for start in range(0, len(blocks), share)]

    def work(mine: list[list[Key]]) -> None:
        with _Process() as process:
            for block in mine:
                finished(block, process.compare(named(block)))

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, mine) for mine in shares]:
            done.result()


class _Process:
    """Compares in a process of its own, and starts another when a file breaks that one down."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def compare(self, pairs: list[tuple[str, str]]) -> list[Verdict]:
        found = self._ask(pairs)
        if found is not None:
            return found
        # Something in the block broke the process down: every pair alone, and that one tells nothing.
        return [(self._ask([pair]) or [NOTHING])[0] for pair in pairs]

    def _ask(self, pairs: list[tuple[str, str]]) -> list[Verdict] | None:
        process = self._process = self._process or _start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(pairs) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return [as_verdict(values) for values in json.loads(line)]
        self._end()
        return None

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.communicate()  # closes its input, which ends it


def _start() -> subprocess.Popen[str]:
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="ascii",
        env={**os.environ, **one},
    )
