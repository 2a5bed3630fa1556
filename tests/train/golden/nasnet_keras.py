"""Weights by rule, which Keras and we both use, and what Keras computes with them.

    python -m venv keras && keras/bin/pip install keras jax
    KERAS_BACKEND=jax keras/bin/python tests/train/golden/nasnet_keras.py tests/train/golden/nasnet_keras.json

Only the second half needs Keras; the rule is imported by tests/train/test_nasnet.py.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

SIDES = (224, 99)  # even and odd sides are padded differently
CLASSES = 10


def uniform(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Float64 in [0, 1): the raw stream of PCG64, which NumPy never changes, seeded by the SHA-256 of `name`."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    raw = np.random.PCG64(seed).random_raw(int(np.prod(shape)))
    return ((raw >> np.uint64(11)) * 2.0**-53).reshape(shape)


def weight(layer: str, index: int, shape: tuple[int, ...]) -> np.ndarray:
    """Array `index` of a Keras layer, float32: kernels of variance 1.1 / fan-in; gamma, variance 0.5-1.5; else ±0.5."""
    drawn = uniform(f"{layer}/{index}", shape)
    if len(shape) > 1:
        depthwise = layer.startswith("separable_conv") and index == 0
        fan_in = np.prod(shape[:2]) if depthwise else np.prod(shape[:-1])
        return ((2 * drawn - 1) * np.sqrt(3.3 / fan_in)).astype(np.float32)
    positive = "bn" in layer and index in (0, 3)
    return (drawn + 0.5 if positive else drawn - 0.5).astype(np.float32)


def image(side: int) -> np.ndarray:
    """[1, side, side, 3] float32 in -1..1."""
    return (2 * uniform(f"image/{side}", (1, side, side, 3)) - 1).astype(np.float32)


def _keras(side: int) -> dict[str, list[float]]:
    import keras

    model = keras.applications.NASNetMobile(
        (side, side, 3), weights=None, classes=CLASSES, classifier_activation=None
    )
    for layer in model.layers:
        shapes = [array.shape for array in layer.get_weights()]
        layer.set_weights([weight(layer.name, index, shape) for index, shape in enumerate(shapes)])
    both = keras.Model(model.input, [model.layers[-2].output, model.output])
    pooled, logits = (np.asarray(values)[0] for values in both(image(side), training=False))
    return {"pooled": [float(f"{v:.7g}") for v in pooled], "logits": [float(f"{v:.7g}") for v in logits]}


if __name__ == "__main__":
    import keras

    found = {"keras": keras.__version__, **{str(side): _keras(side) for side in SIDES}}
    Path(sys.argv[1]).write_text(json.dumps(found) + "\n")
