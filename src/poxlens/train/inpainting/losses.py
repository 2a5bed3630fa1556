"""The losses of MIM (Yue 2024, eq. 3-10), as printed and as they are likely meant.

As printed, the generator's adversarial loss (eq. 5) and the discriminator's loss of fakes (eq. 8) are one term with one
target, 0: both networks want fakes to be judged fake, and nothing is adversarial. Eq. 9 shows the discriminator the
masked image instead of the region under the mask. And the generator's weights, 0.01 for pixels and 0.99 for the
adversary, are swapped against what inpainting uses (Pathak 2016: 0.999 and 0.001), which would leave the colours of the
region to chance. The sane form asks the generator for judgements of 1, shows the discriminator the real region, and
swaps the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import l1_loss, mse_loss

Form = Literal["printed", "sane"]


@dataclass(frozen=True)
class Weights:
    """Of the terms of a form."""

    pixel: float  # alpha_G
    adversarial: float  # beta_G
    real: float = 0.5  # alpha_D
    fake: float = 0.5  # beta_D
    wanted: float = 1.0  # what the generator wants its regions to be judged


FORMS: dict[Form, Weights] = {
    "printed": Weights(pixel=0.01, adversarial=0.99, wanted=0.0),
    "sane": Weights(pixel=0.99, adversarial=0.01),
}


def generator_loss(
    region: torch.Tensor, hidden: torch.Tensor, judged: torch.Tensor, weights: Weights
) -> torch.Tensor:
    """Eq. 7 with eq. 3-6.

    Args:
        region: what the generator gave, [N, 3, m, m], 0-1.
        hidden: what was there, likewise.
        judged: the discriminator's judgements of `region`.
        weights: of the form.
    """
    adversarial = mse_loss(judged, torch.full_like(judged, weights.wanted))
    return weights.pixel * l1_loss(region, hidden) + weights.adversarial * adversarial


def discriminator_loss(real: torch.Tensor, fake: torch.Tensor, weights: Weights) -> torch.Tensor:
    """Eq. 10 with eq. 8 and 9: judgements of what is real against 1, of what was generated against 0."""
    return weights.real * mse_loss(real, torch.ones_like(real)) + weights.fake * mse_loss(
        fake, torch.zeros_like(fake)
    )
