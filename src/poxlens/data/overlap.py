"""Whether one thumbnail is the other, or a part of it, mirrored or not: correlation of what is left without shading.

Skin photos are alike in colour and light; their structure is not. So shading is taken away, strong values are
clipped (a caption would decide alone), and the smaller is moved over the larger at several sizes (normalised
cross-correlation). Coarse first, on 16 px; what is hopeful is fitted on the whole thumbnail by an affine map
(enhanced correlation, Evangelidis & Psarakis 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_COARSE = 16  # px
_SIZES = (1.0, 0.88, 0.75, 0.66)  # of the part within the whole, tried in this order
_MARGIN = 2  # px that a picture of the same size may be shifted at
_SHADING = 1 / 8  # of the side: structure wider than this is shading
_CLIP = 3.0  # medians of the absolute value
_LEAST_STRUCTURE = 0.8  # grey levels; the median of what is left of a thumbnail that can be told apart
_HOPEFUL = 0.6  # coarse correlation from which an exact fit is tried
_ROUNDS = 25


@dataclass(frozen=True)
class Overlap:
    """How well two thumbnails agree."""

    coarse: float  # best correlation on 16 px, -1..1
    fine: float  # correlation after the fit, -1..1; the coarse one where no fit was tried
    mirrored: bool
    plain: bool  # too little structure to tell: correlations mean nothing


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
    """`structure` of N thumbnails at the coarse size, [N, 16, 16]."""
    out = np.empty((len(thumbs), _COARSE, _COARSE), np.float32)
    for row, thumb in enumerate(thumbs):
        out[row] = structure(thumb, _COARSE)
    return out


def overlap(first: Bytes, second: Bytes, small_first: Floats, small_second: Floats) -> Overlap:
    """Compare two thumbnails.

    Args:
        first: [T, T] grey, 0-255.
        second: [T, T].
        small_first: `structure` of the first at 16 px.
        small_second: of the second.
    """
    # The largest value is the clipped one: _CLIP medians, where there is any structure.
    plain = min(float(small_first.max()), float(small_second.max())) < _LEAST_STRUCTURE * _CLIP
    coarse, place = _coarse(small_first, small_second)
    fine = coarse if coarse < _HOPEFUL else _fitted(first, second, place)
    return Overlap(coarse, fine, place.mirrored, plain)


@dataclass(frozen=True)
class _Place:
    """Where one thumbnail lies in the other."""

    swapped: bool  # the first is the part of the second
    mirrored: bool
    size: float  # of the part, by the whole's side
    left: float  # of the part within the whole, by the whole's side
    top: float


def _coarse(first: Floats, second: Floats) -> tuple[float, _Place]:
    best, place = -1.0, _Place(False, False, 1.0, 0.0, 0.0)
    for swapped, whole, part in ((False, first, second), (True, second, first)):
        for size in _SIZES:
            side = round(_COARSE * size)
            if side == _COARSE:
                if swapped:
                    continue
                field = cv2.copyMakeBorder(whole, *(_MARGIN,) * 4, cv2.BORDER_REFLECT)
                mark, shift = part, _MARGIN
            else:
                field, shift = whole, 0
                mark = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
            for mirrored in (False, True):
                answer = cv2.matchTemplate(
                    field, cv2.flip(mark, 1) if mirrored else mark, cv2.TM_CCOEFF_NORMED
                )
                _, value, _, (x, y) = cv2.minMaxLoc(answer)
                if value > best:
                    best = float(value)
                    place = _Place(
                        swapped, mirrored, side / _COARSE, (x - shift) / _COARSE, (y - shift) / _COARSE
                    )
    return best, place


def _fitted(first: Bytes, second: Bytes, place: _Place) -> float:
    """The correlation of the overlap after an affine fit that starts at `place`; -1 when it leads nowhere."""
    whole, part = (second, first) if place.swapped else (first, second)
    if place.mirrored:
        part = np.ascontiguousarray(part[:, ::-1])
    side = len(whole)
    template, picture = structure(part, side), structure(whole, side)
    shift = 0.5 * (place.size - 1)  # centres of pixels
    start = np.array(
        [[place.size, 0, place.left * side + shift], [0, place.size, place.top * side + shift]], np.float32
    )
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
