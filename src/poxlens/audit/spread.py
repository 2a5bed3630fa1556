"""How plain traits spread within each class: what the report draws beside the probes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poxlens.audit.material import Floats, Material
from poxlens.audit.traits import trait

MEASURES = {
    "short side": "px",
    "JPEG quality": "",
    "sharpness": "",
    "lightness of the frame": "",
}
"""What is drawn -> its unit. Sharpness is log10 of the variance of the Laplacian; lightness 0-255."""


@dataclass(frozen=True)
class Spread:
    """One measure in one class."""

    measure: str
    label: str
    n: int  # images that have it
    percentiles: tuple[float, float, float, float, float]  # 5, 25, 50, 75, 95


def spreads(material: Material) -> tuple[Spread, ...]:
    """Each measure in each class that has it."""
    scan = material.scan
    values: dict[str, Floats] = {
        "short side": np.minimum(scan.width, scan.height).astype(np.float64),
        "JPEG quality": scan.jpeg_quality.astype(np.float64),
        "sharpness": trait(material, "log_sharpness"),
        "lightness of the frame": trait(material, "border_mean"),
    }
    found = []
    for measure in MEASURES:
        for code, label in enumerate(material.labels):
            own = values[measure][(material.label == code) & material.readable]
            own = own[np.isfinite(own)]
            if own.size:
                low, first, middle, third, high = (float(p) for p in np.percentile(own, [5, 25, 50, 75, 95]))
                found.append(Spread(measure, label, int(own.size), (low, first, middle, third, high)))
    return tuple(found)
