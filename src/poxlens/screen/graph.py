"""A model file as a function: photos in; logits, embedding, heat maps and novelty out. On the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from poxlens.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OUTPUTS = ("logits", "embedding", "heatmap", "novelty")


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the graph gives for N photos.

    Args:
        logits: [N, C] float32, in the order of the manifest's classes, before the temperature.
        embedding: [N, D] float32.
        heatmap: [N, C, h, w] float32 >= 0, Grad-CAM of each class.
        novelty: [N] float32, higher = less like the training set.
    """

    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]
    heatmap: NDArray[np.float32]
    novelty: NDArray[np.float32]


class Graph:
    """An ONNX model with the bundle's input and outputs. Safe to call from many threads at once.

    Args:
        model: the bytes of the .onnx file.
        size: side of the square input in px.
        classes: how many classes the logits and heat maps must have; None to take what the model gives.
        threads: threads within one call. 1 is best when several photos are screened side by side.

    Raises:
        BundleError: when the file is not such a model.
    """

    def __init__(self, model: bytes, *, size: int, classes: int | None = None, threads: int = 1) -> None:
        self.size = size
        self.classes = classes
        self._session = _session(model, threads)
        inputs = [node.name for node in self._session.get_inputs()]
        outputs = {node.name for node in self._session.get_outputs()}
        if inputs != ["image"] or not outputs.issuperset(OUTPUTS):
            raise BundleError(
                f"the model must take 'image' and give {', '.join(OUTPUTS)}; it takes {', '.join(inputs)} "
                f"and gives {', '.join(sorted(outputs))}"
            )

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """All outputs for a batch.

        Args:
            images: [N, S, S, 3] uint8 RGB, prepared by `poxlens.photo.resize.prepare`; N >= 1.

        Raises:
            ValueError: when the array has another shape or type.
            BundleError: when the model fails, or gives other shapes or values that are not numbers.
        """
        wanted = (self.size, self.size, 3)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != wanted or not len(images):
            raise ValueError(
                f"images must be uint8 [N, {self.size}, {self.size}, 3], not {images.dtype} {images.shape}"
            )
        try:
            found = self._infer(np.ascontiguousarray(images))
        except BundleError:
            raise
        except Exception as fault:  # ONNX Runtime raises its own kinds, without a common root but Exception
            raise BundleError(f"the model cannot be run: {first_line(fault)}") from fault
        return self._checked(Outputs(*found), len(images))

    def _infer(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = self._session.run(OUTPUTS, {"image": images})
        return found

    def _checked(self, outputs: Outputs, n: int) -> Outputs:
        c = self.classes or outputs.logits.shape[-1]
        right = (
            outputs.logits.shape == (n, c)
            and outputs.novelty.shape == (n,)
            and outputs.embedding.ndim == 2
            and len(outputs.embedding) == n
            and outputs.heatmap.ndim == 4
            and outputs.heatmap.shape[:2] == (n, c)
        )
        if not right:
            shapes = {name: getattr(outputs, name).shape for name in OUTPUTS}
            raise BundleError(f"the model gives other shapes than {c} classes of {n} photos need: {shapes}")
        for name in OUTPUTS:
            if not np.isfinite(getattr(outputs, name)).all():
                raise BundleError(f"the model gives values in {name} that are not numbers")
        return outputs


def _session(model: bytes, threads: int) -> Any:
    import onnxruntime as ort  # 35 ms; not before the first photo needs it

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a fault is raised, and must not be printed as well
    # All optimisations: the load takes a fifth longer, and each photo less than half as long.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Weights stored as int8 are made float32 once, at the load; left to itself the runtime does it for each
    # photo, which then takes twice as long.
    # A model that computes in eight bits (it rounds activations too, by QuantizeLinear) is left as it is.
    options.add_session_config_entry("session.disable_quant_qdq", "0" if b"QuantizeLinear" in model else "1")
    # One round of optimisation instead of up to ten: a tenth less load, and as quick a model.
    options.add_session_config_entry("session.graph_optimizations_loop_level", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as fault:
        raise BundleError(f"the model cannot be loaded: {first_line(fault)}") from fault


def first_line(fault: BaseException) -> str:
    """What a runtime says, cut to a line."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
