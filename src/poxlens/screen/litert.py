"""A .tflite file as a function, in LiteRT with XNNPACK: the same outputs as `poxlens.screen.graph.Graph`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from poxlens.errors import BundleError
from poxlens.screen.graph import OUTPUTS, Graph, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SIGNATURE = "serving_default"
_creating = Lock()


class LiteRTGraph(Graph):
    """A .tflite model with the bundle's outputs, float32 input with values 0-255, one photo a call.

    An interpreter answers one caller at a time, so that each thread that calls takes an idle one, or makes one more.
    Kernels are XNNPACK's, as LiteRT takes without being told: those built in round eight bits otherwise, and give other
    numbers than the golden ones.

    Args:
        model: the bytes of the .tflite file.
        size: side of the square input in px.
        classes: how many classes the logits and heat maps must have; None to take what the model gives.
        threads: threads within one call.

    Raises:
        BundleError: when the file is not such a model, or LiteRT is not installed.
    """

    def __init__(self, model: bytes, *, size: int, classes: int | None = None, threads: int = 1) -> None:
        self.size = size
        self.classes = classes
        self._model = model
        self._threads = threads
        self._idle: list[Any] = []
        runner = self._made()
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        if list(inputs) != ["image"] or not set(OUTPUTS) <= set(outputs):
            raise BundleError(
                f"the model must take 'image' and give {', '.join(OUTPUTS)}; it takes {', '.join(inputs)} "
                f"and gives {', '.join(sorted(outputs))}"
            )
        taken = inputs["image"]
        if taken["dtype"] is not np.float32 or taken["shape"].tolist() != [1, size, size, 3]:
            raise BundleError(
                f"the model must take float32 [1, {size}, {size}, 3], not {taken['dtype'].__name__} "
                f"{taken['shape'].tolist()}"
            )
        self._idle.append(runner)

    def _infer(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        try:
            runner = self._idle.pop()
        except IndexError:
            runner = self._made()
        try:
            # Copied: what a runner gives are views of its memory, overwritten by the next photo.
            found = [
                [answer[name].copy() for name in OUTPUTS]
                for answer in (runner(image=image[None].astype(np.float32)) for image in images)
            ]
        finally:
            self._idle.append(runner)
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def _made(self) -> Any:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as fault:
            raise BundleError(
                'this model needs LiteRT. Install it with: pip install "poxlens[litert]"'
            ) from fault
        try:
            with _creating, _quiet():
                interpreter = Interpreter(model_content=self._model, num_threads=self._threads)
                return interpreter.get_signature_runner(_SIGNATURE)
        except Exception as fault:  # LiteRT raises ValueError and RuntimeError
            raise BundleError(f"the model cannot be loaded: {first_line(fault)}") from fault


@contextmanager
def _quiet() -> Iterator[None]:
    """LiteRT 2.3 tells on stderr, whatever is asked of it, that it made its delegate."""
    try:
        before = os.dup(2)
    except OSError:  # no stderr at all
        yield
        return
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(silent)
        os.close(before)
