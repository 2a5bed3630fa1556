"""Pictures for the page: a preview of the upright photo, and the heat map as a layer over it."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.screen.overlay import layer_png


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
    return _data_url("image/png", layer_png(heatmap, scale=scale, side=side))


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
