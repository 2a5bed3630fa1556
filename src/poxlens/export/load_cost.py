"""What it costs to load one model file, in a process of its own.

    python -m poxlens.export.load_cost RUNTIME FILE SIDE THREADS

Prints one line of JSON: milliseconds of the load and of the first answer, and by how many bytes both raise the
process's highest memory above that with the runtime imported.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from poxlens.screen.engine import Runtime, import_runtime, open_graph

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes


def cost(runtime: Runtime, path: Path, side: int, threads: int) -> dict[str, float]:
    """Milliseconds and bytes; the runtime must not have run a model in this process before."""
    import_runtime(runtime)
    photo = np.zeros((1, side, side, 3), np.uint8)
    data = path.read_bytes()
    before = _highest()
    start = perf_counter()
    graph = open_graph(runtime, data, size=side, threads=threads)
    loaded = perf_counter()
    graph.run(photo)
    return {
        "load_ms": (loaded - start) * 1e3,
        "first_ms": (perf_counter() - loaded) * 1e3,
        "memory_bytes": float(_highest() - before),
    }


def main(arguments: list[str]) -> None:
    """Print the cost."""
    runtime: Any = arguments[0]
    print(json.dumps(cost(runtime, Path(arguments[1]), int(arguments[2]), int(arguments[3]))))


def _highest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


if __name__ == "__main__":
    main(sys.argv[1:])
