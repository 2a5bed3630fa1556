"""A bundle's model: chosen, loaded, and held to the bundle's golden examples before it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from poxlens.errors import BundleError
from poxlens.screen.background import Background
from poxlens.screen.graph import Graph, Outputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from poxlens.bundle.manifest import Manifest, Model
    from poxlens.bundle.store import Bundle


class Engine:
    """The model of a bundle. Safe to call from many threads at once.

    Args:
        bundle: a verified bundle.
        threads: threads within one call.
        model: one of the manifest's; None for the most precise that this runtime reads.
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
        import_runtime()  # in this thread: two threads that import take turns, and both are late
        self._loading = Background(
            lambda: Graph(bundle.read(file), size=size, classes=classes, threads=threads)
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
        return check(self._loading.result(), manifest.golden, images, self.model.golden_tolerance)


def import_runtime() -> None:
    """Import ONNX Runtime now, and not when the first model is loaded."""
    import onnxruntime  # noqa: F401


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


def _choose(manifest: Manifest) -> Model:
    usable = [model for model in manifest.models if model.runtime == "onnx"]
    if not usable:
        raise BundleError(f"bundle {manifest.name}: no ONNX model in it; this runtime reads no other kind")
    return next((model for model in usable if model.precision == "fp32"), usable[0])
