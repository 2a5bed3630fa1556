"""Numbers that tell how a picture was made rather than what it shows: size, compression, colour, sharpness, frame.

A class that can be told by these alone can be told without looking at the skin (the audit's probes).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from poxlens.photo.decode import Photo
from poxlens.photo.jpeg_quality import Compression
from poxlens.photo.quality import sharpness

_FRAME = 0.08  # share of each side that is called frame
_WHITE, _BLACK = 245, 10  # grey levels from which, and up to which, a frame pixel is near white or near black
_FLAT = 2.0  # grey levels: a row or column of the rim that varies less is drawn, not photographed

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Trait:
    """One number of a picture."""

    name: str
    family: str  # "resolution", "jpeg", "colour", "sharpness", "border", "file"


TRAITS: tuple[Trait, ...] = (
    Trait("width", "resolution"),  # px, upright
    Trait("height", "resolution"),
    Trait("log_aspect", "resolution"),  # log2 of width / height
    Trait("jpeg_quality", "jpeg"),  # libjpeg's scale; NaN when not JPEG
    Trait("jpeg_subsampling", "jpeg"),  # pixels a colour sample stands for: 1, 2 or 4
    Trait("jpeg_progressive", "jpeg"),  # 0 or 1
    Trait("blockiness", "jpeg"),  # steps across the 8-px grid over steps beside it, in a file of any format
    Trait("lightness_mean", "colour"),  # CIE L*, 0-100
    Trait("lightness_sd", "colour"),
    Trait("a_mean", "colour"),  # CIE a*, green to red
    Trait("a_sd", "colour"),
    Trait("b_mean", "colour"),  # CIE b*, blue to yellow
    Trait("b_sd", "colour"),
    Trait("skin_share", "colour"),  # 0-1
    Trait("log_sharpness", "sharpness"),  # log10 of the variance of the Laplacian
    Trait("noise", "sharpness"),  # standard deviation, grey levels (Immerkaer 1996)
    Trait("border_mean", "border"),  # grey level of the outer 8 % of each side
    Trait("border_sd", "border"),
    Trait("border_white", "border"),  # share of near-white pixels of the frame
    Trait("border_black", "border"),
    Trait("border_contrast", "border"),  # frame mean less centre mean, grey levels
    Trait("border_flat", "border"),  # share of the four outermost lines that hardly vary
    Trait("log_bytes", "file"),  # log2 of the file's size
    Trait("bytes_per_pixel", "file"),
    Trait("is_jpeg", "file"),
    Trait("is_png", "file"),
    Trait("personal", "file"),  # how many kinds of personal metadata it carries
)
"""The traits, in the order of the columns of `Scan.traits`."""


def traits_of(
    photo: Photo, grey: Bytes, small: Bytes, skin_share: float, header: Compression, size: int, personal: int
) -> NDArray[np.float32]:
    """The traits of one picture, [len(TRAITS)] float32.

    Args:
        photo: the decoded photo.
        grey: its grey copy with a short side of at most 511 px, [H, W].
        small: its reduced copy for colour, [h, w, 3].
        skin_share: share of skin pixels of `small`.
        header: what the JPEG header says.
        size: the file's bytes.
        personal: how many kinds of personal metadata there are.
    """
    values = (
        photo.width,
        photo.height,
        math.log2(photo.width / photo.height),
        header.quality,
        header.subsampling,
        float(header.progressive),
        _blockiness(grey) if grey.shape == (photo.height, photo.width) else math.nan,
        *_colour(small),
        skin_share,
        math.log10(sharpness(grey) + 1.0),
        _noise(grey),
        *_border(grey),
        math.log2(size),
        size / (photo.width * photo.height),
        float(photo.format == "jpeg"),
        float(photo.format == "png"),
        personal,
    )
    return np.array(values, np.float32)


def _colour(small: Bytes) -> list[float]:
    """Mean and standard deviation of L*, a*, b*, one after the other."""
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)  # 8 bits: L* x 255 / 100, a* and b* + 128
    mean, deviation = cv2.meanStdDev(lab)
    scale = (100 / 255, 1.0, 1.0)
    shift = (0.0, 128.0, 128.0)
    return [
        number
        for channel in range(3)
        for number in (
            float(mean[channel, 0]) * scale[channel] - shift[channel],
            float(deviation[channel, 0]) * scale[channel],
        )
    ]


def _blockiness(grey: Bytes) -> float:
    """Mean step across the lines of the 8-px grid over the mean of all other steps; 1 without compression."""
    ratios = []
    for steps in (cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(grey[1:], grey[:-1]).T):
        columns = steps.mean(0)
        if len(columns) < 16:
            return math.nan
        across = columns[7::8].mean()
        beside = (columns.sum() - columns[7::8].sum()) / (len(columns) - len(columns[7::8]))
        ratios.append((float(across) + 0.5) / (float(beside) + 0.5))
    return sum(ratios) / 2


_IMMERKAER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


def _noise(grey: Bytes) -> float:
    """Immerkaer's fast estimate of the noise's standard deviation, grey levels; 0 below 3 x 3 px."""
    height, width = grey.shape
    if min(height, width) < 3:
        return 0.0
    answer = cv2.filter2D(grey, cv2.CV_16S, _IMMERKAER)[1:-1, 1:-1]
    places = 6.0 * float((width - 2) * (height - 2))
    return float(cv2.norm(answer, cv2.NORM_L1)) * math.sqrt(math.pi / 2) / places


def _border(grey: Bytes) -> list[float]:
    height, width = grey.shape
    top, left = max(1, round(height * _FRAME)), max(1, round(width * _FRAME))
    frame = np.concatenate(
        [
            grey[:top].ravel(),
            grey[-top:].ravel(),
            grey[top:-top, :left].ravel(),
            grey[top:-top, -left:].ravel(),
        ]
    )
    centre = grey[
        height // 4 : max(height * 3 // 4, height // 4 + 1), width // 4 : max(width * 3 // 4, width // 4 + 1)
    ]
    mean, deviation = cv2.meanStdDev(frame)
    rims = (grey[0], grey[-1], np.ascontiguousarray(grey[:, 0]), np.ascontiguousarray(grey[:, -1]))
    return [
        float(mean[0, 0]),
        float(deviation[0, 0]),
        np.count_nonzero(frame >= _WHITE) / frame.size,
        np.count_nonzero(frame <= _BLACK) / frame.size,
        float(mean[0, 0]) - float(cv2.mean(np.ascontiguousarray(centre))[0]),
        sum(float(cv2.meanStdDev(rim)[1][0, 0]) < _FLAT for rim in rims) / 4,
    ]
