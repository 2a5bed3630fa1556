"""How far the estimate of skin tone is from the phantoms' known tone, by unevenness of the light.

    python -m benchmarks.skin_tone [--phantoms 30]

The second figure is the same angle of the median L*a*b* (scikit-image) over the pixels that the phantom knows to
be skin without lesion: what the light alone does to the tone of the photo.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from skimage.color import rgb2lab

from poxlens.data.phantom import LESIONS, PhantomSpec, draw
from poxlens.photo.quality import canonical
from poxlens.photo.skin import skin_mask, skin_tone

LIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--phantoms", type=int, default=30, help="of each lesion and of healthy skin, a light"
    )
    count = parser.parse_args().phantoms
    print(
        "| light | n | estimate - known: mean | largest | over 3 degrees | estimate - healthy pixels: largest |"
    )
    print("|---|---|---|---|---|---|")
    for light in LIGHTS:
        known, apart = measure(light, count)
        print(
            f"| {light:.1f} | {len(known)} | {known.mean():+.1f} | {np.abs(known).max():.1f} |"
            f" {(np.abs(known) > 3).mean():.1%} | {np.abs(apart).max():.1f} |"
        )


def measure(light: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Degrees, one a phantom: estimate minus known, estimate minus the tone of the healthy pixels."""
    rng = np.random.default_rng(0)  # the same phantoms in every light
    known, apart = [], []
    for lesion in (None, *LESIONS):
        for seed in range(count):
            ita, marks = float(rng.uniform(-50, 70)), int(rng.integers(1, 13))
            phantom = draw(
                PhantomSpec(
                    seed=seed, size=192, ita=ita, lesion=lesion, count=marks if lesion else 0, light=light
                )
            )
            small = canonical(phantom.image)
            found = skin_tone(small, skin_mask(small)).ita
            if found is None:
                raise ValueError(f"no skin found on phantom {seed}, {lesion}")
            lightness, _, yellowness = np.median(rgb2lab(phantom.image)[~phantom.mask], axis=0)
            known.append(found - ita)
            apart.append(found - math.degrees(math.atan2(lightness - 50, yellowness)))
    return np.array(known), np.array(apart)


if __name__ == "__main__":
    main()
