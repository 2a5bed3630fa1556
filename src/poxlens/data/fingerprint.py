"""The fingerprint of a picture: a vector that stays near when the picture is cropped, mirrored or re-toned.

The first stages of a small ImageNet network see the picture at 96 px; what its channels find, averaged over all
places, hardly changes when a part of the picture is cut off or sides are exchanged. Which network, which stage
and which average: docs/duplicates-scale.md. The weights come with the package (EfficientNet-Lite0, Apache-2.0)
and are made by `python -m benchmarks.fingerprint_graph`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import WeightsError
from poxlens.files import sha256_bytes

FILE = "fingerprint.onnx"
SHA256 = "c23d1d97614cbfdbaeb00af02dc8dd9b775acc6d17324b1bd00696020333aa4b"
VERSION = f"lite0q-{SHA256[:8]}"  # fingerprints of another version do not compare
SIDE = 96  # px of the square that the network sees
SIZE = 224  # numbers: the mean and the generalised mean of 112 channels, each part of unit length

_BATCH = 16  # larger ones leave the processor's cache


def fingerprints(squares: NDArray[np.uint8]) -> NDArray[np.float16]:
    """The fingerprints of N pictures, [N, SIZE].

    Args:
        squares: [N, SIDE, SIDE, 3], sRGB, each picture stretched to a square.

    Raises:
        WeightsError: the file of weights is not there or not the published one.
    """
    session = _session()
    vectors = np.empty((len(squares), SIZE), np.float16)
    for start in range(0, len(squares), _BATCH):
        part = np.ascontiguousarray(squares[start : start + _BATCH])
        found = session.run(None, {"image": part})[0].reshape(len(part), 2, SIZE // 2)
        # Each average is brought to unit length, else the larger one would decide alone.
        found /= np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-9)
        vectors[start : start + len(part)] = found.reshape(len(part), SIZE)
    return vectors


@functools.cache
def _session() -> Any:
    import onnxruntime

    path = Path(__file__).with_name(FILE)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}. Install poxlens again.") from error
    found = sha256_bytes(data)
    if found != SHA256:
        raise WeightsError(
            f"{path} is not the published file: SHA-256 {found[:16]}…, expected {SHA256[:16]}…. Install poxlens again."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a scan's processes are the parallel part
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
