"""Whether one thumbnail is the other, or a part of it, mirrored or not: correlation of what is left without shading.

Skin photos are alike in colour and light; their structure is not. So shading is taken away, strong values are
clipped (a caption would decide alone), and the smaller is moved over the larger at several sizes (normalised
cross-correlation). Coarse first, on 16 px, many pairs at once; what is hopeful is fitted on the whole thumbnail by
an affine map (enhanced correlation, Evangelidis & Psarakis 2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from poxlens.data.placing import SIDE as COARSE
from poxlens.data.placing import Bools, Floats, Places, Rows, place

Bytes = NDArray[np.uint8]

_SHADING = 1 / 8  # of the side: structure wider than this is shading
_CLIP = 3.0  # medians of the absolute value
_LEAST_STRUCTURE = 0.8  # grey levels; the median of what is left of a thumbnail that can be told apart
_HOPEFUL = 0.6  # coarse correlation from which an exact fit is tried
_ROUNDS = 25


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How well the thumbnails of M pairs agree."""

    coarse: Floats  # [M], best correlation on 16 px, -1..1
    fine: Floats  # [M], correlation after the fit, -1..1; the coarse one where no fit was tried
    mirrored: Bools  # [M]
    plain: Bools  # [M], too little structure to tell: correlations mean nothing


def structure(thumb: Bytes, side: int) -> Floats:
    """A thumbnail of `side` px without its shading, clipped, [side, side] float32."""
    small = thumb if side == len(thumb) else cv2.resize(thumb, (side, side), interpolation=cv2.INTER_AREA)
    left = small.astype(np.float32)
    left -= cv2.GaussianBlur(left, (0, 0), side * _SHADING)
    bound = max(_middle(left) * _CLIP, 1e-3)
    clipped: Floats = np.clip(left, -bound, bound)
    return clipped


def _middle(values: Floats) -> float:
    """The median of absolute values; of two in the middle the larger (`np.median` costs ten times as much)."""
    size = values.size // 2
    return float(np.partition(np.abs(values).ravel(), size)[size])


def coarse_structures(thumbs: Bytes) -> Floats:
    """`structure` of N thumbnails at the coarse size, [N, 16, 16]: the same numbers, all at once."""
    count, side = thumbs.shape[:2]
    if side % COARSE:
        return np.stack([structure(thumb, COARSE) for thumb in thumbs])
    step = side // COARSE
    add = np.repeat(np.eye(COARSE, dtype=np.float32), step, axis=1)
    left = np.rint(add @ thumbs.astype(np.float32) @ add.T / np.float32(step * step))
    left -= _blurring() @ left @ _blurring().T
    middle = np.partition(np.abs(left).reshape(count, -1), COARSE * COARSE // 2, axis=1)[
        :, COARSE * COARSE // 2
    ]
    bound = np.maximum(middle * np.float32(_CLIP), np.float32(1e-3))[:, None, None]
    clipped: Floats = np.clip(left, -bound, bound)
    return clipped


@cache
def _blurring() -> Floats:
    """[16, 16], the Gaussian blur of one direction that `structure` takes shading away by."""
    sigma = COARSE * _SHADING
    kernel = cv2.getGaussianKernel(round(8 * sigma + 1) | 1, sigma, cv2.CV_32F)
    unit = np.eye(COARSE, dtype=np.float32)
    return np.asarray(cv2.sepFilter2D(unit, -1, np.ones(1, np.float32), kernel), np.float32)


def overlaps(thumbs: Bytes, small: Floats, pairs: Rows) -> Overlaps:
    """Compare the thumbnails of M pairs.

    Args:
        thumbs: [N, T, T] grey, 0-255.
        small: [N, 16, 16], `coarse_structures` of them.
        pairs: [M, 2], rows of both.
    """
    # The largest value is the clipped one: _CLIP medians, where there is any structure.
    plain = (small.reshape(len(small), -1).max(1) < _LEAST_STRUCTURE * _CLIP)[pairs].any(1)
    places = place(small, pairs)
    fine = places.score.copy()
    for number in np.flatnonzero(fine >= _HOPEFUL).tolist():
        fine[number] = _fitted(thumbs, pairs[number], places, number)
    return Overlaps(places.score, fine, places.mirrored, plain)


def _fitted(thumbs: Bytes, pair: Rows, places: Places, number: int) -> float:
    """The correlation of the overlap after an affine fit that starts at a place; -1 when it leads nowhere."""
    whole, part = thumbs[pair[::-1] if places.swapped[number] else pair]
    if places.mirrored[number]:
        part = np.ascontiguousarray(part[:, ::-1])
    side, size = len(whole), float(places.size[number])
    template, picture = structure(part, side), structure(whole, side)
    shift = 0.5 * (size - 1)  # centres of pixels
    left, top = float(places.left[number]) * side + shift, float(places.top[number]) * side + shift
    start = np.array([[size, 0, left], [0, size, top]], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 1e-3)
    try:
        _, fit = cv2.findTransformECC(template, picture, start, cv2.MOTION_AFFINE, criteria, None, 3)
    except cv2.error:  # does not converge
        return -1.0
    stretch = np.linalg.svd(fit[:, :2], compute_uv=False)
    centre = fit[:, :2] @ np.full(2, (side - 1) / 2) + fit[:, 2]
    inside = 0.2 * side < centre.min() and centre.max() < 0.8 * side
    sane = stretch[1] > 0.4 and stretch[0] < 1.25 and stretch[0] < 1.6 * stretch[1]
    return _laid(part, whole, fit) if inside and sane else -1.0


def _laid(part: Bytes, whole: Bytes, fit: Floats) -> float:
    """The correlation of the structure of both where they overlap, the whole brought to the part's frame first."""
    side = len(part)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    brought = cv2.warpAffine(whole, fit, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    known = cv2.warpAffine(np.full_like(whole, 255), fit, (side, side), flags=flags) > 250
    if np.count_nonzero(known) < known.size // 2:
        return -1.0
    # Enlarged, the whole has lost what is fine in the part.
    enlarged = 1.0 / max(float(np.sqrt(abs(np.linalg.det(fit[:, :2])))), 0.1)
    soft = cv2.GaussianBlur(part, (0, 0), 0.6 * np.sqrt(enlarged**2 - 1)) if enlarged > 1.1 else part
    one, other = structure(soft, side)[known], structure(brought, side)[known]
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(float(np.sqrt((one @ one) * (other @ other))), 1e-6))
