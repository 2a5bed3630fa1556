"""Pictures for the page: a preview of the upright photo, and the heat map as a layer over it."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# As in the overlay files: blue, cyan, pale yellow, which skin never is; lightness rises with strength.
_STRENGTHS = (0.0, 0.5, 1.0)
_COLOURS = ((26.0, 0.0, 255.0), (36.0, 190.0, 250.0), (140.0, 220.0, 170.0))


def preview(pixels: NDArray[np.uint8], *, quality: int = 86) -> str:
    """A JPEG data URL of a decoded photo [H, W, 3]; decoding left no metadata that could travel on."""
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format="JPEG", quality=quality)
        return _data_url("image/jpeg", stream.getvalue())


def heat_layer(heatmap: NDArray[np.float32], scale: float, *, side: int = 336) -> str:
    """A PNG data URL of a heat map with transparency, to lay over the part of the photo that the model saw.

    Args:
        heatmap: [h, w] >= 0, not necessarily square pixels on the photo.
        scale: the value drawn at full strength.
        side: side of the picture in px.
    """
    strength = np.zeros((side, side))
    if scale > 0.0:
        small = Image.fromarray((np.asarray(heatmap, np.float64) / scale).astype(np.float32))
        wide = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float64)
        strength = np.clip(wide, 0.0, 1.0)
    layer = np.empty((side, side, 4))
    for channel, values in enumerate(_COLOURS):
        layer[..., channel] = np.interp(strength, _STRENGTHS, values)
    layer[..., 3] = 255.0 * np.clip(strength / 0.6, 0.0, 1.0)
    with io.BytesIO() as stream:
        Image.fromarray(np.rint(layer).astype(np.uint8)).save(stream, format="PNG")
        return _data_url("image/png", stream.getvalue())


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
