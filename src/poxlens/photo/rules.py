"""What a bundle says about photos: the limits they must meet and the form in which its model takes them.

Plain records apart from the code that follows them, as a bundle is read before anything else is imported.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class QualityLimits:
    """What a photo must meet to be assessed; a bundle carries its own."""

    min_short_side: int = 128  # px of the file's image
    max_aspect: float = 3.0  # long side over short side
    min_sharpness: float = 4.0  # variance of the Laplacian, grey levels squared
    min_brightness: float = 50.0  # 95th percentile of grey, 0-255; low, as well-lit skin of L* 30 has 70
    max_clipped: float = 0.5  # share of pixels blown out to white
    min_skin_fraction: float = 0.25  # share of pixels with the colour of skin


@dataclass(frozen=True)
class InputRule:
    """How a photo becomes the model's input."""

    size: int = 224  # side of the square input, px
    max_aspect: float = 1.5  # longest side over shortest side that is kept; the rest is cropped at both ends

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1 px, not {self.size}")
        if not 1.0 <= self.max_aspect < float("inf"):
            raise ValueError(f"max_aspect must be a number of at least 1, not {self.max_aspect}")
