"""MIM as one graph: photo in; novelty, and the photo with its middle inpainted, out."""

from __future__ import annotations

import torch
from torch import nn

from poxlens.train.inpainting.masking import MASK, centre, fill
from poxlens.train.inpainting.similarity import SIMILARITIES

SHIPPED = "ssim+hbd"
"""The similarity that the paper found best (table 2)."""


class Inpaint(nn.Module):
    """Image [N, S, S, 3] float32 with values 0-255 -> image and inpainted image side by side [N, S, S, 6], 0-1."""

    def __init__(self, generator: nn.Module, mask: int = MASK) -> None:
        super().__init__()
        self.generator, self.mask = generator, mask
        self.eval().requires_grad_(False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Both."""
        planes = (image / 255.0).permute(0, 3, 1, 2)
        top, left = centre(planes.shape[-1], self.mask)
        hidden = planes[:, :, top : top + self.mask, left : left + self.mask]
        masked = fill(planes, torch.ones_like(hidden), top, left)
        filled = fill(planes, self.generator(masked), top, left)
        return torch.cat([planes, filled], 1).permute(0, 2, 3, 1)


class Measure(nn.Module):
    """Both images -> novelty [N], higher = less like mpox, and the inpainted one [N, S, S, 3], 0-255."""

    def __init__(self, similarity: str = SHIPPED) -> None:
        super().__init__()
        self.similarity = SIMILARITIES[similarity]
        self.eval()

    def forward(self, both: torch.Tensor) -> dict[str, torch.Tensor]:
        """The outputs by name."""
        planes = both.permute(0, 3, 1, 2)
        return {"novelty": -self.similarity(planes[:, :3], planes[:, 3:]), "inpainted": 255.0 * both[..., 3:]}


class MimGraph(nn.Module):
    """Both steps: image [N, S, S, 3], 0-255, of 8-bit or float values."""

    def __init__(self, generator: nn.Module, mask: int = MASK, similarity: str = SHIPPED) -> None:
        super().__init__()
        self.inpaint, self.measure = Inpaint(generator, mask), Measure(similarity)
        self.eval()

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Novelty [N] and the inpainted image [N, S, S, 3]."""
        found = self.measure(self.inpaint(image.to(torch.float32)))
        return found["novelty"], found["inpainted"]
