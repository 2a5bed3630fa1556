"""How one copy of a photo came from another, as far as the two pictures tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from poxlens.data.duplicates.agreement import Agreement
from poxlens.data.keypoints import Keypoints

WHOLE = 0.9  # share of a picture above which it is all there
TURNED = 4.0  # degrees
STRETCHED = 1.15  # one side against the other
RETONED = 0.12  # of brightness or contrast, or of a colour channel against the others
COVERED = 0.015  # share of the overlap that only one of the two shows (a caption, an inset)

_LEAST = 64  # px, to say anything of tones
_SMOOTH = 12  # tones are compared without what is finer than a twelfth of the overlap
_DIFFERS = 28.0  # grey levels, after the tones are made equal


def relation(first: Keypoints, second: Keypoints, laid: Agreement) -> str:
    """Words for the relation, such as "crop, mirrored, re-toned"; "copy" when nothing differs.

    "crop": one shows a part of the other; "part": both show more than the overlap.
    """
    words = []
    small, large = sorted(laid.shares)
    if large < WHOLE:
        words.append("part")
    elif small < WHOLE:
        words.append("crop")
    linear = laid.matrix[:, :2]
    if np.linalg.det(linear) < 0:
        words.append("mirrored")
        linear = np.diag([-1.0, 1.0]) @ linear
    turn = round(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))
    if abs(turn) >= TURNED:
        words.append(f"rotated {turn % 360}")
    wide, narrow = np.linalg.svd(linear, compute_uv=False)
    if wide > STRETCHED * narrow:
        words.append("stretched")
    over = _covered(laid)
    if _retoned(first, second, laid, laid.mask & ~over):
        words.append("re-toned")
    if over.sum() > COVERED * laid.mask.sum():
        words.append("captioned")
    return ", ".join(words) or "copy"


def _retoned(first: Keypoints, second: Keypoints, laid: Agreement, bare: NDArray[np.bool_]) -> bool:
    """Whether brightness, contrast or colour differ where nothing lies over the photo."""
    if bare.sum() < _LEAST:
        return False
    one, other = (_colours(keys, move, bare) for keys, move in zip((first, second), laid.frames, strict=True))
    contrast = np.log((one.std(0) + 3.0) / (other.std(0) + 3.0))
    level = np.log((one.mean(0) + 16.0) / (other.mean(0) + 16.0))
    return bool(np.abs(contrast).max() > 2 * RETONED or np.abs(level).max() > RETONED)


def _colours(keys: Keypoints, move: NDArray[np.float64], bare: NDArray[np.bool_]) -> NDArray[np.float32]:
    """[P, 3], pixels of the overlap, smoothed alike: a crop is sharper than the part of the whole it shows."""
    import cv2

    height, width = bare.shape
    smaller = np.diag(
        [keys.grey.shape[1] / keys.colour.shape[1], keys.grey.shape[0] / keys.colour.shape[0], 1.0]
    )
    image = cv2.warpAffine(keys.colour, move @ smaller, (width, height), flags=cv2.INTER_LINEAR)
    weight = bare.astype(np.float32)
    width_of_blur = max(height, width) / _SMOOTH
    share = cv2.GaussianBlur(weight, (0, 0), width_of_blur)
    smooth = (
        cv2.GaussianBlur(image * weight[..., None], (0, 0), width_of_blur)
        / np.maximum(share, 1e-3)[..., None]
    )
    return np.asarray(smooth[bare], np.float32)


def _covered(laid: Agreement) -> NDArray[np.bool_]:
    """[h, w], where something lies over one of the two: they differ much there while the rest agrees."""
    import cv2

    # Medians: a black bar would move means and deviations so far that it fits and the skin does not.
    one, other = (image - np.median(image[laid.mask]) for image in (laid.first, laid.second))
    spread = [max(float(np.median(np.abs(image[laid.mask]))), 1.0) for image in (one, other)]
    difference = np.abs(one - spread[0] / spread[1] * other)
    # Edges differ by a fraction of a pixel; a caption is wider than an edge.
    wide = cv2.erode(((difference > _DIFFERS) & laid.mask).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.dilate(wide, np.ones((9, 9), np.uint8)) > 0, np.bool_) & laid.mask
