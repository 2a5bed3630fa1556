"""Campana 2024, tables 5 and 6, four classes: what a phone model of the field weighs and takes.

Accuracy is on the paper's own images (MCSI) in folds that part near-duplicates at random, milliseconds are of a Google
Pixel 6a with four threads: to be set beside ours as a measure of size, not subtracted from it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One row of the paper."""

    network: str
    quantised: bool
    size_mb: float
    accuracy: float
    accuracy_sd: float  # over folds
    pixel_ms: float  # CPU, four threads
    xiaomi_ms: float  # Xiaomi Mi 9T, CPU, four threads


CAMPANA = (
    Published("VGG16", False, 318.21, 0.779, 0.053, 423.0, 612.0),
    Published("VGG16", True, 79.63, 0.782, 0.044, 117.0, 196.0),
    Published("InceptionResNetV2", False, 485.12, 0.398, 0.088, 139.0, 243.0),
    Published("InceptionResNetV2", True, 122.48, 0.308, 0.064, 65.0, 141.0),
    Published("NASNetMobile", False, 259.23, 0.470, 0.074, 36.0, 84.0),
    Published("NASNetMobile", True, 65.51, 0.471, 0.095, 31.0, 127.0),
    Published("MobileNetV3Small", False, 225.77, 0.847, 0.061, 11.0, 28.0),
    Published("MobileNetV3Small", True, 55.62, 0.833, 0.066, 8.0, 40.0),
    Published("MobileNetV3Large", False, 278.73, 0.881, 0.055, 16.0, 47.0),
    Published("MobileNetV3Large", True, 69.98, 0.880, 0.046, 14.0, 62.0),
)
