"""What is taken out of a file before its pixels are decoded, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Container:
    """A file without its metadata, and the three things the metadata are needed for."""

    data: bytes  # what the decoder is given
    orientation: int = 1  # EXIF orientation, 1-8
    icc: bytes | None = None  # colour profile, not yet checked
    size: tuple[int, int] | None = None  # width and height stored in the header, before orientation, px
    bytes_per_pixel: float = 8.0  # peak memory of decoding, without `data` itself
