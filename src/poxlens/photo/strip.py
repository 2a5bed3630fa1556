"""A copy of a photo that says nothing but its picture: no place, no time, no camera, no thumbnail."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from poxlens.photo.decode import decode


def strip(source: str | Path | bytes | BinaryIO, *, side: int = 2048, quality: int = 92) -> bytes:
    """The photo as an upright sRGB JPEG without metadata or colour profile.

    Args:
        source: as for `decode`.
        side: a short side of 2 x side px or more is reduced to [side, 2 x side).
        quality: JPEG quality, 1-95.

    Raises:
        PhotoError: when the photo cannot be decoded.
        ValueError: when quality is out of range.
    """
    if not 1 <= quality <= 95:
        raise ValueError(f"quality must be 1-95, not {quality}")
    out = io.BytesIO()
    Image.fromarray(decode(source, working_side=side).pixels).save(
        out, "JPEG", quality=quality, subsampling=0
    )
    return out.getvalue()
