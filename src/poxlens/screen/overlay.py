"""A heat map as a layer, and over its photo, legible on light and dark skin and on red lesions."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from poxlens.screen.stability import SHORT_WARNING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from poxlens.screen.decision import Decision

# From weak to strong: blue, cyan, pale yellow. Skin and lesions are red to brown, so no colour here is
# mistaken for them, and lightness rises with strength, so that it reads without colour vision too.
_STRENGTHS = (0.0, 0.5, 1.0)
_COLOURS = np.array([[26, 36, 140], [0, 190, 220], [255, 250, 170]], np.float64)
_MOST_OPAQUE = 0.62
_CONTOUR = 0.5  # a dark and a light line where the map reaches half its scale


def overlay(decision: Decision, *, side: int = 448) -> bytes | None:
    """The target's heat map over the part of the photo that the model saw, as PNG; None when the model was
    not run.

    The scale ends at the strongest value of any class's map: where another class has far more evidence, the
    target's map stays faint instead of being stretched to full strength. A map that failed its own check has a strip
    below the photo that says so, as the file may be looked at without the answer.

    Args:
        decision: of one photo.
        side: side of the picture in px.
    """
    if decision.heatmap is None or decision.prepared is None:
        return None
    top = decision.heatmap.max() if decision.heatmaps is None else decision.heatmaps.max()
    drawn = draw(decision.prepared, decision.heatmap, scale=float(top), side=side)
    return with_warning(drawn) if decision.heatmap_unstable else drawn


def draw(
    prepared: NDArray[np.uint8], heatmap: NDArray[np.float32], *, scale: float | None = None, side: int = 448
) -> bytes:
    """A heat map over a photo as PNG bytes, without metadata.

    Args:
        prepared: [S, S, 3] uint8 RGB.
        heatmap: [h, w] >= 0, covering the same square.
        scale: the value drawn at full strength; None for the map's own maximum. A map of zeros shows the bare
            photo.
        side: side of the picture in px.
    """
    over = layer(heatmap, scale=scale, side=side, opacity=_MOST_OPAQUE).astype(np.float64)
    photo = np.asarray(Image.fromarray(prepared).resize((side, side), Image.Resampling.BICUBIC), np.float64)
    opacity = over[..., 3:] / 255.0
    return _png(photo * (1.0 - opacity) + over[..., :3] * opacity)


def layer(
    heatmap: NDArray[np.float32], *, scale: float | None = None, side: int = 448, opacity: float = 1.0
) -> NDArray[np.uint8]:
    """A heat map as [side, side, 4] RGBA: clear where there is nothing, with a contour around the strong part.

    Args:
        heatmap: [h, w] >= 0, not necessarily square pixels on the photo.
        scale: the value drawn at full strength; None for the map's own maximum.
        side: side of the picture in px.
        opacity: of the strong part, 0 to 1; the contour is always opaque.
    """
    strength = _strength(heatmap, scale, side)
    colours = [np.interp(strength, _STRENGTHS, _COLOURS[:, i]) for i in range(3)]
    alpha = 255.0 * opacity * np.clip(strength / _CONTOUR, 0.0, 1.0)
    made = np.rint(np.stack([*colours, alpha], axis=-1)).astype(np.uint8)
    inside = strength >= _CONTOUR
    made[_edge(inside)] = (255, 255, 255, 255)
    made[_edge(~inside)] = (10, 14, 50, 255)
    return made


def with_warning(png: bytes, text: str = SHORT_WARNING) -> bytes:
    """The picture with a strip below it that holds a warning, as PNG without metadata.

    Args:
        png: RGB.
        text: one line.
    """
    picture = Image.open(BytesIO(png)).convert("RGB")
    size = 16.0 * picture.width / 448
    size *= min(1.0, 0.94 * picture.width / ImageFont.load_default(size).getlength(text))
    font = ImageFont.load_default(size)
    strip = round(2 * size)
    made = Image.new("RGB", (picture.width, picture.height + strip), (255, 214, 92))
    made.paste(picture, (0, 0))
    middle = (picture.width / 2, picture.height + strip / 2)
    ImageDraw.Draw(made).text(middle, text, fill=(27, 33, 38), font=font, anchor="mm")
    return _png(np.asarray(made))


def layer_png(heatmap: NDArray[np.float32], *, scale: float | None = None, side: int = 448) -> bytes:
    """`layer` as PNG bytes, without metadata."""
    return _png(layer(heatmap, scale=scale, side=side))


def _png(pixels: NDArray[np.float64] | NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.rint(pixels).clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _strength(heatmap: NDArray[np.float32], scale: float | None, side: int) -> NDArray[np.float64]:
    """The map as [side, side] float64 in 0..1."""
    top = float(heatmap.max()) if scale is None else scale
    if not top > 0.0:
        return np.zeros((side, side))
    small = Image.fromarray((np.asarray(heatmap, np.float64) / top).astype(np.float32), mode="F")
    return np.clip(np.asarray(small.resize((side, side), Image.Resampling.BILINEAR), np.float64), 0.0, 1.0)


def _edge(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the region with a neighbour outside it; the border of the picture is no edge."""
    padded = np.pad(region, 1, mode="edge")
    kept = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(region & ~kept)
