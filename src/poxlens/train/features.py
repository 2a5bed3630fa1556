"""Features of images from a frozen backbone, computed once an image and view and kept on disk.

The backbone runs in ONNX Runtime on one thread an image, as it will in the bundle: twice as fast as torch on a
laptop, and the same bytes whatever the number of workers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.files import sha256_bytes, write_atomically
from poxlens.train.stored import FEATURES, POOLED, Stored
from poxlens.train.views import View, cut

Progress = Callable[[int], None]
_AHEAD = 64  # images held at once


class FeatureCache:
    """A folder of feature vectors, one small file an image and backbone; a damaged file is computed again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, backbone: str, image: str) -> Path:
        return self.folder / backbone / image[:2] / f"{image}.npz"

    def read(self, backbone: str, image: str) -> dict[str, NDArray[np.float32]]:
        """Vectors by view key, empty when there are none."""
        try:
            with np.load(self._path(backbone, image), allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except Exception:  # zipfile, zlib, struct and NumPy each raise kinds of their own on a damaged file
            return {}

    def write(self, backbone: str, image: str, vectors: dict[str, NDArray[np.float32]]) -> None:
        """Keep all vectors of one image, atomically."""
        buffer = io.BytesIO()
        np.savez(buffer, **vectors)  # type: ignore[arg-type]
        write_atomically(self._path(backbone, image), buffer.getvalue())


class Extractor:
    """A stored backbone as a function from images to pooled features.

    Args:
        backbone: the stored backbone.
        cache: where vectors are kept; None computes them each time.
    """

    def __init__(self, backbone: Stored, cache: FeatureCache | None = None) -> None:
        self.identity = sha256_bytes(backbone.model)[:16]
        self.cache = cache
        self._own_pooling = backbone.own_pooling
        self._session = _session(backbone.model)

    def pooled(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The embedding: [N, S, S, 3] uint8 -> [N, E] float32.

        The mean over places of the last feature map, but for networks with a pooling of their own.
        """
        if self._own_pooling:
            own: NDArray[np.float32] = self._session.run([POOLED], {"image": images})[0]
            return own
        features: NDArray[np.float32] = self._session.run(None, {"image": images})[0]
        pooled: NDArray[np.float32] = features.mean((1, 2))
        return pooled

    def maps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The last feature map: [N, S, S, 3] uint8 -> [N, h, w, D] float32."""
        features: NDArray[np.float32] = self._session.run([FEATURES], {"image": images})[0]
        return features

    def vectors(self, image: NDArray[np.uint8], views: Sequence[View]) -> NDArray[np.float32]:
        """[V, D] for the views of one [S, S, 3] image, from the cache where it has them."""
        key = sha256_bytes(image.tobytes())
        known = self.cache.read(self.identity, key) if self.cache else {}
        missing = [view for view in views if view.key not in known]
        if missing:
            fresh = self.pooled(cut(image, missing))
            known |= {view.key: vector for view, vector in zip(missing, fresh, strict=True)}
            if self.cache:
                self.cache.write(self.identity, key, known)
        return np.stack([known[view.key] for view in views])

    def table(
        self,
        images: Iterable[NDArray[np.uint8]],
        views: Sequence[View],
        *,
        workers: int = 2,
        advance: Progress | None = None,
    ) -> NDArray[np.float32]:
        """[N, V, D] for many images, in their order.

        Args:
            images: each [S, S, 3] uint8.
            views: which views of each.
            workers: images computed at once.
            advance: called with 1 after each image.
        """
        found = []
        waiting = iter(images)
        with ThreadPoolExecutor(workers) as pool:
            while some := list(islice(waiting, _AHEAD)):  # not all: they may be made as they are asked for
                for vectors in pool.map(lambda image: self.vectors(image, views), some):
                    found.append(vectors)
                    if advance:
                        advance(1)
        return np.stack(found)


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.disable_quant_qdq", "1")  # fold eight-bit weights at load
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
