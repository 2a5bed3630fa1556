"""A bundle's model: chosen, loaded, and held to the bundle's golden examples before it answers."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np

from poxlens.bundle.store import embedded_path
from poxlens.errors import BundleError
from poxlens.screen.background import Background
from poxlens.screen.graph import Graph, Outputs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from poxlens.bundle.manifest import Manifest, Model
    from poxlens.bundle.store import Bundle


Runtime = Literal["onnx", "litert"]


class Engine:
    """The model of a bundle. Safe to call from many threads at once.

    Args:
        bundle: a verified bundle.
        threads: threads within one call.
        model: one of the manifest's; None for the quickest that this installation can run.
        wait: until the model is loaded and has given the golden outputs. False returns at once, so that a
            photo can be decoded meanwhile; the first `run` then waits, and raises what `ready` would raise.

    Raises:
        BundleError: when the bundle has no model for this runtime, or it does not give the golden outputs.
    """

    def __init__(
        self, bundle: Bundle, *, threads: int = 1, model: Model | None = None, wait: bool = True
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads must be 1 or more, not {threads}")
        manifest = bundle.manifest
        self.manifest = manifest
        self.model = _choose(manifest) if model is None else model
        file, size, classes = self.model.file, manifest.input.size, len(manifest.classes)
        import_runtime(self.model.runtime)  # in this thread: two that import take turns, and both are late
        runtime = self.model.runtime
        self._loading = Background(
            lambda: open_graph(runtime, bundle.read(file), size=size, classes=classes, threads=threads)
        )
        self._checking = Background(lambda: self._check(bundle))
        if wait:
            self.ready()

    def ready(self) -> None:
        """Wait until the model is loaded and has given the golden outputs.

        Raises:
            BundleError: when it cannot be loaded, or gives others.
        """
        self._checking.result()

    def loaded(self) -> None:
        """Wait until the model is loaded, checked or not.

        Raises:
            BundleError: when it cannot be loaded.
        """
        self._loading.result()

    @property
    def golden_difference(self) -> float:
        """The largest difference from the golden outputs, in the units of the model's tolerance."""
        return self._checking.result()

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """All outputs for a batch of prepared photos, [N, S, S, 3] uint8; see `Graph.run`.

        No answer is given before the golden examples were right; the two may run side by side.
        """
        outputs = self._loading.result().run(images)
        self.ready()
        return outputs

    def _check(self, bundle: Bundle) -> float:
        from poxlens.screen.golden import check, prepared

        manifest = self.manifest
        photos = {golden.file: bundle.read(golden.file) for golden in manifest.golden}
        images = prepared(photos, manifest.input)
        golden = manifest.golden if self.model.golden is None else self.model.golden
        return check(self._loading.result(), golden, images, self.model.golden_tolerance)


def import_runtime(runtime: Runtime = "onnx") -> None:
    """Import a runtime now, and not when the first model is loaded.

    Raises:
        BundleError: LiteRT is asked for and not installed.
    """
    if runtime == "onnx":
        import onnxruntime  # noqa: F401
    else:
        _require_litert()
        import ai_edge_litert.interpreter  # noqa: F401


def likely_runtime(folder: Path | None) -> Runtime:
    """The runtime of a bundle that is not read yet: what stands in its folder is all that this looks at.

    Args:
        folder: of the bundle, or its .zip; None for the embedded one.
    """
    root = embedded_path() if folder is None else folder
    return "litert" if installed() and any(root.glob("*.tflite")) else "onnx"


def open_graph(
    runtime: Runtime, model: bytes, *, size: int, classes: int | None = None, threads: int = 1
) -> Graph:
    """A model file as a function; arguments and errors as of `poxlens.screen.graph.Graph`."""
    if runtime == "onnx":
        return Graph(model, size=size, classes=classes, threads=threads)
    from poxlens.screen.litert import LiteRTGraph

    return LiteRTGraph(model, size=size, classes=classes, threads=threads)


def installed() -> bool:
    """Whether LiteRT is there; nothing is imported."""
    return find_spec("ai_edge_litert") is not None


def _require_litert() -> None:
    if not installed():
        raise BundleError('this model needs LiteRT. Install it with: pip install "poxlens[litert]"')


def probabilities(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Calibrated probabilities: softmax(logits / temperature) over the last axis, in float64.

    Args:
        logits: [..., C].
        temperature: > 0 (Guo et al. 2017, "On calibration of modern neural networks").
    """
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def prediction_set(probability: dict[str, float], manifest: Manifest) -> tuple[str, ...]:
    """Classes that cannot be excluded: 1 - p_c <= the class's quantile (LAC, Sadinle et al. 2019), in class
    order.

    Args:
        probability: class -> calibrated probability.
        manifest: its conformal quantiles.
    """
    return tuple(c for c in manifest.classes if 1.0 - probability[c] <= manifest.conformal[c].quantile)


_QUICKEST: tuple[tuple[Runtime, str], ...] = (
    ("litert", "int8"),
    ("onnx", "int8"),
    *(("onnx", precision) for precision in ("fp32", "w8", "fp16")),
    *(("litert", precision) for precision in ("fp32", "w8", "fp16")),
)
"""Runtime and precision in the order in which they are taken; anything else comes after, as it is listed."""


def _choose(manifest: Manifest) -> Model:
    usable = [model for model in manifest.models if model.runtime == "onnx" or installed()]
    if not usable:
        raise BundleError(
            f"bundle {manifest.name}: no ONNX model in it, and LiteRT, which reads its models, is not installed. "
            'Install it with: pip install "poxlens[litert]"'
        )
    rank = {kind: place for place, kind in enumerate(_QUICKEST)}
    return min(usable, key=lambda model: rank.get((model.runtime, model.precision), len(rank)))
