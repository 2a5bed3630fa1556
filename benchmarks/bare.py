"""What a user would write instead: decode with Pillow, resize, run the graph; no checks and no reasons.

Run as a script it goes through a folder and prints one line a photo, the side that `folder` compares with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image


def session(model: bytes) -> onnxruntime.InferenceSession:
    """The graph on one thread, its 8-bit weights made floats at the load, as poxlens does."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def decoded(path: Path) -> Image.Image:
    """The photo, DCT-scaled as far as its short side stays at 256 px or more, as poxlens does."""
    with Image.open(path) as image:
        image.draft("RGB", (256, 256))
        return image.convert("RGB")


def answer(graph: Any, path: Path, side: int) -> list[float]:
    """The logits of one photo."""
    pixels = np.asarray(decoded(path).resize((side, side), Image.Resampling.BILINEAR))
    logits: list[float] = graph.run(None, {"image": pixels[np.newaxis]})[0][0].tolist()
    return logits


def answers(model: bytes, side: int, paths: Iterable[Path], workers: int) -> Iterable[list[float]]:
    """The logits of many photos, decoded and run on some threads."""
    graph = session(model)
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda path: answer(graph, path, side), paths)


if __name__ == "__main__":
    graph_file, photos, pixels_side, threads = sys.argv[1:]
    names = sorted(Path(photos).glob("*.jpg"))
    for line in answers(Path(graph_file).read_bytes(), int(pixels_side), names, int(threads)):
        print(json.dumps(line))
