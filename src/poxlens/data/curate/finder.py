"""Where in a photo is skin and nothing else: a small network, run on the CPU.

Colour cannot tell skin from wood, cloth or a wall of its tone (`poxlens.photo.skin`), nor a crust or a pustule
from background. The network in `skin.onnx` is the first five stages of EfficientNet-Lite0 (Tan & Le 2019; 112
channels at a sixteenth of the size) with a decoder of its own, taught on hand-marked photos and on letters,
logos and frames drawn over them: `python -m benchmarks.skin_finder`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.files import sha256_bytes

Floats = NDArray[np.float32]

SIDE = 256  # px, the short side the network sees; its maps have a cell for 8 px
CELL = 8
_MOST_SQUARES = 4  # a longer strip than 4 : 1 is squeezed: memory stays bounded
_STRIDE = 16  # the network divides its input by it


class Finder:
    """The network. Safe to call from many threads at once.

    Attributes:
        sha256: of the model file, so that a record can say which network made it.
    """

    def __init__(self, model: bytes | None = None) -> None:
        import onnxruntime as ort

        data = _model() if model is None else model
        self.sha256 = sha256_bytes(data)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # photos are worked on side by side instead
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def maps(self, pixels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Probability that a place is not bare skin, and that letters, a logo or a frame cover it.

        Skin is skin with all that is on it: lesions, crusts, pus, scales, single hairs. Wall, cloth, bedding,
        gloves, rulers, masses of hair, eyes and open mouths are not; what is drawn over the photo is not.

        Args:
            pixels: [H, W, 3], uint8, sRGB, of any size.

        Returns:
            two arrays [h, w] float32, 0-1, that cover the whole image; h, w about a 32nd of the short side.
        """
        image = _fitted(pixels)
        # The mirrored image too: what it sees on one side only was chance.
        both = np.stack([image, image[:, ::-1]])
        logits = self._session.run(["maps"], {"image": both})[0].astype(np.float32)
        probabilities = 1.0 / (1.0 + np.exp(-logits))
        background, drawn = (probabilities[0] + probabilities[1, :, :, ::-1]) / 2
        return background, drawn


@cache
def shipped_finder() -> Finder:
    """The finder that comes with poxlens; loaded once."""
    return Finder()


def _fitted(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image with a short side of SIDE px, both sides a multiple of the network's stride."""
    height, width = pixels.shape[:2]
    scale = SIDE / min(height, width)
    most = SIDE * _MOST_SQUARES
    size = tuple(min(most, max(1, round(side * scale / _STRIDE)) * _STRIDE) for side in (width, height))
    if size == (width, height):
        return pixels
    image = Image.fromarray(pixels)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _model() -> bytes:
    return files("poxlens.data.curate").joinpath("skin.onnx").read_bytes()
