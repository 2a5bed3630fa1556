"""How strongly a JPEG was compressed, told by its quantisation tables."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.photo.jpeg_segments import segments

_DQT = 0xDB
_SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}

# ITU-T T.81, table K.1 (luminance), in the zigzag order of the file.
_LUMINANCE = np.array(
    [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58,
        51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103,
        62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ],
    np.int64,
)  # fmt: skip


def _scaled(quality: int) -> NDArray[np.int64]:
    """The luminance table that libjpeg writes for a quality of 1-100 (jcparam.c)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    table: NDArray[np.int64] = np.clip((_LUMINANCE * scale + 50) // 100, 1, 255)
    return table


_TABLES = np.stack([_scaled(quality) for quality in range(1, 101)])


@dataclass(frozen=True)
class Compression:
    """What the header of a JPEG says about its making."""

    quality: float  # 1-100 on libjpeg's scale, NaN where the file is no JPEG or has no luminance table
    subsampling: float  # pixels a colour sample stands for: 1 (4:4:4), 2 (4:2:2), 4 (4:2:0); NaN: not told
    progressive: bool


def compression(data: bytes) -> Compression:
    """Quality, colour subsampling and kind of a JPEG.

    The quality is the one whose libjpeg luminance table is nearest to the file's (sum of absolute differences);
    encoders with tables of their own (some cameras, Photoshop) get the nearest number on the same scale.

    Args:
        data: the bytes of a file; the header is enough.
    """
    quality, subsampling, progressive = math.nan, math.nan, False
    for marker, body in segments(data):
        if marker == _DQT:
            table = _first_table(body)
            if table is not None:
                quality = float(np.abs(_TABLES - table).sum(1).argmin() + 1)
        elif marker in _SOF:
            progressive = marker in _PROGRESSIVE
            subsampling = _subsampling(body)
    return Compression(quality, subsampling, progressive)


def _first_table(body: bytes) -> NDArray[np.int64] | None:
    """Table 0 (luminance in every common encoder), [64] in zigzag order, None when it is not in this segment."""
    at = 0
    while at < len(body):
        wide, number = body[at] >> 4, body[at] & 15
        size = 128 if wide else 64
        values = body[at + 1 : at + 1 + size]
        if len(values) < size:
            return None
        if number == 0:
            return np.frombuffer(values, ">u2" if wide else "u1").astype(np.int64)
        at += 1 + size
    return None


def _subsampling(frame: bytes) -> float:
    if len(frame) < 6 or frame[5] < 3 or len(frame) < 6 + 3 * frame[5]:
        return 1.0 if len(frame) >= 6 and frame[5] == 1 else math.nan
    luma, chroma = frame[7], frame[10]
    low = (chroma >> 4) * (chroma & 15)
    return (luma >> 4) * (luma & 15) / low if low else math.nan
