"""Whether the pixels of two pictures agree once one is laid over the other.

Keypoints alone would join two photos of one patient, or two photos with the same watermark. Laid over each
other, the fine structure (no shading, no noise) of one photo agrees nearly everywhere; that of two photos does
not, however alike they look.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.keypoints import Keypoints

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

FRAME = 144  # px, longest side of the overlap as it is compared
_LEAST = 24  # px, shortest side of an overlap that can be compared
_BLOCKS = 6  # the overlap is judged in 6 x 6 blocks
_NOISE = 0.7  # grey levels; a block with less structure than this says nothing
_STRONG = 4.0  # grey levels; more structure than this counts no more: a watermark would decide alone
_REST = 0.1  # of the weight: less than this outside a strip cannot be judged by structure
_SHADING = (
    0.95  # correlation of shading from which smooth parts agree: any two photos lit from one side reach .9
)
_HOPELESS = 0.3  # correlation below which mending the map has never helped
_ROUNDS = 15  # of mending the map
_FINE = 0.05  # of the overlap's side: structure wider than this is shading


@dataclass(frozen=True, eq=False)
class Agreement:
    """Two pictures laid over each other."""

    matrix: Doubles  # [2, 3], px of the first working picture -> px of the second, refined
    correlation: float  # weighted median over blocks of the correlation of fine structure, -1..1
    holding: float  # the same without the two rows or columns of blocks that it owes most to, -1..1
    shares: tuple[float, float]  # of the first and of the second picture that the overlap covers, 0-1
    first: Floats  # [h, w], the overlap as the first shows it, luminance
    second: Floats  # [h, w]
    mask: Bools  # [h, w], where both are known
    frames: tuple[Doubles, Doubles]  # px of the first and of the second working picture -> px of the overlap


def agreement(
    first: Keypoints, second: Keypoints, matrix: Doubles, *, refine: bool = True
) -> Agreement | None:
    """Lay the first picture over the second.

    Args:
        first: a described picture.
        second: another one.
        matrix: [2, 3], px of the first -> px of the second.
        refine: mend the map by its pixels first (enhanced correlation, Evangelidis & Psarakis 2008).

    Returns:
        None where the overlap is too small to say anything.
    """
    best = _overlaid(first, second, matrix)
    if best is None or not refine or best.correlation < _HOPELESS:
        return best
    better = _mended(best)
    if better is None:
        return best
    again = _overlaid(first, second, better)
    return best if again is None or again.correlation <= best.correlation else again


def invert(matrix: Doubles) -> Doubles:
    """The map back, [2, 3]."""
    return np.linalg.inv(np.vstack([matrix, [0.0, 0.0, 1.0]]))[:2]


def chain(first: Doubles, then: Doubles) -> Doubles:
    """The map that does `first` and then `then`, all [2, 3]."""
    both: Doubles = then @ np.vstack([first, [0.0, 0.0, 1.0]])
    return both


def _overlaid(first: Keypoints, second: Keypoints, matrix: Doubles) -> Agreement | None:
    """Both pictures in one frame: the coarser one's, cut to the overlap, at most FRAME px."""
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :2])) < 1e-4:
        return None
    onto_second = np.sqrt(abs(np.linalg.det(matrix[:, :2]))) <= 1
    identity = np.eye(2, 3)
    to_frame = (matrix, identity) if onto_second else (identity, invert(matrix))
    target = second if onto_second else first
    source = first if onto_second else second
    window = _window(source.grey.shape, to_frame[0 if onto_second else 1], target.grey.shape)
    if window is None:
        return None
    shrink, size = window
    frames = chain(to_frame[0], shrink), chain(to_frame[1], shrink)
    warped, known = [], []
    for picture, move in zip((first, second), frames, strict=True):
        image, inside = _warped(picture.grey, move, size)
        warped.append(image)
        known.append(inside)
    mask = known[0] & known[1]
    if mask.sum() < _LEAST**2:
        return None
    area = float(mask.sum()) / abs(np.linalg.det(shrink[:, :2]))
    shares = tuple(
        min(1.0, area / abs(np.linalg.det(move[:, :2])) / picture.grey.size)
        for picture, move in zip((first, second), to_frame, strict=True)
    )
    correlation, holding = _judged(warped[0], warped[1], mask)
    return Agreement(matrix, correlation, holding, (shares[0], shares[1]), warped[0], warped[1], mask, frames)


def _window(
    source: tuple[int, ...], move: Doubles, target: tuple[int, ...]
) -> tuple[Doubles, tuple[int, int]] | None:
    """The frame of the overlap: the map from the target's px to it, and its (width, height)."""
    import cv2

    height, width = source
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ move[:, :2].T + move[:, 2]
    frame = np.array([[0, 0], [target[1], 0], [target[1], target[0]], [0, target[0]]])
    area, shape = cv2.intersectConvexConvex(corners.astype(np.float32), frame.astype(np.float32))
    if area < _LEAST**2 or shape is None:
        return None
    low, high = shape.reshape(-1, 2).min(0), shape.reshape(-1, 2).max(0)
    if (high - low).min() < _LEAST:
        return None
    factor = min(1.0, FRAME / float((high - low).max()))
    shrink = np.array([[factor, 0.0, -factor * low[0]], [0.0, factor, -factor * low[1]]])
    wide, tall = np.maximum(np.rint((high - low) * factor).astype(int), 1)
    return shrink, (int(wide), int(tall))


def _warped(grey: NDArray[np.uint8], move: Doubles, size: tuple[int, int]) -> tuple[Floats, Bools]:
    import cv2

    scale = float(np.sqrt(abs(np.linalg.det(move[:, :2]))))
    if scale < 0.9:  # or detail that the frame cannot hold becomes noise
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 * np.sqrt(1 / scale**2 - 1))
    image = cv2.warpAffine(grey, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full(grey.shape, 255, np.uint8), move, size, flags=cv2.INTER_NEAREST)
    return image.astype(np.float32), np.asarray(inside > 0, np.bool_)


def _mended(overlaid: Agreement) -> Doubles | None:
    """The map, moved so that the pixels fit better."""
    import cv2

    first, second = (cv2.GaussianBlur(image, (0, 0), 1.0) for image in (overlaid.first, overlaid.second))
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ROUNDS, 1e-4)
    try:
        move = cv2.findTransformECC(
            second,
            first,
            np.eye(2, 3, dtype=np.float32),
            cv2.MOTION_AFFINE,
            stop,
            overlaid.mask.astype(np.uint8),
            5,
        )[1]
    except cv2.error:  # it gives up on pictures without structure
        return None
    # `move` takes px of the second's overlap to those of the first's.
    return chain(chain(overlaid.frames[0], invert(move.astype(np.float64))), invert(overlaid.frames[1]))


def _judged(first: Floats, second: Floats, mask: Bools) -> tuple[float, float]:
    """Correlation of the fine structure of both, block by block, and what holds of it without any one strip.

    Two smooth pictures with one caption agree wherever there is structure, which is in the caption: the
    strip that holds it must not decide alone.
    """
    fine = float(np.sqrt(mask.sum())) * _FINE
    one, other = (_fine_structure(image, mask, fine) for image in (first, second))
    height, width = mask.shape
    places, found, weights = [], [], []
    for row in range(_BLOCKS):
        for column in range(_BLOCKS):
            block = (
                slice(row * height // _BLOCKS, (row + 1) * height // _BLOCKS),
                slice(column * width // _BLOCKS, (column + 1) * width // _BLOCKS),
            )
            inside = mask[block]
            if inside.mean() < 0.6:
                continue
            x, y = one[block][inside], other[block][inside]
            spread = min(float(x.std()), float(y.std()))
            places.append((row, column))
            weights.append(float(np.clip(spread - _NOISE, 0.0, _STRONG)))
            found.append(_correlated(x, y))
    values, weight, place = np.array(found), np.array(weights), np.array(places).reshape(-1, 2)
    if not weight.sum():
        return 0.0, 0.0
    holding = 1.0
    for side, size in enumerate((height, width)):
        for start in range(_BLOCKS - 1):  # two blocks wide: the edge of a caption reaches into the next block
            rest = (place[:, side] < start) | (place[:, side] > start + 1)
            if weight[rest].sum() >= _REST * weight.sum():
                holding = min(holding, _median(values[rest], weight[rest]))
            else:  # no structure is left: shading must agree there
                left = mask.copy()
                cut = slice(start * size // _BLOCKS, (start + 2) * size // _BLOCKS)
                left[(slice(None), cut) if side else (cut, slice(None))] = False
                shading = _correlated(first[left], second[left]) if left.any() else 0.0
                holding = min(holding, shading if shading >= _SHADING else 0.0)
    return _median(values, weight), holding


def _median(values: Doubles, weight: Doubles) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)])


def _correlated(one: Floats, other: Floats) -> float:
    x, y = one - one.mean(), other - other.mean()
    return float((x * y).mean()) / max(float(x.std()) * float(y.std()), 1e-6)


def _fine_structure(image: Floats, mask: Bools, fine: float) -> Floats:
    """What is coarser than JPEG blocks and noise and finer than shading, of known pixels alone.

    Filled up with anything, the edge of the overlap would be a structure that both pictures share.
    """
    import cv2

    known = mask.astype(np.float32)

    def smooth(width: float) -> Floats:
        share = np.maximum(cv2.GaussianBlur(known, (0, 0), width), 1e-3)
        return np.asarray(cv2.GaussianBlur(image * known, (0, 0), width) / share, np.float32)

    return smooth(1.0) - smooth(max(fine, 1.5))
