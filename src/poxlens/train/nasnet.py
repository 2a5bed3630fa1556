"""NASNet-A Mobile (4 @ 1056), number for number the network that Keras calls NASNetMobile.

Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018, figure 4 and appendix
A.2. Neither torchvision nor timm has the mobile size. Keras' padding is kept, also where it is odd: strided
operations pad by the parity of their input, and maxima are taken over padding of zeros. `networks/nasnet_keras.py`
turns Keras' weights into the state dict of this module.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CHANNELS = 1056  # of the last map
_FILTERS = CHANNELS // 24
_STEM = 32
_BLOCKS = 4  # normal cells between reductions


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=3e-4)  # Keras: momentum 0.9997 of the old value


def _padded(planes: torch.Tensor, kernel: int) -> torch.Tensor:
    """Zeros around it as Keras puts them before a stride of 2: one less above and left where the side is even."""
    half = kernel // 2
    top, left = (half - 1 + int(side) % 2 for side in planes.shape[-2:])
    return functional.pad(planes, (left, half, top, half))


def _average(planes: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)


class Separable(nn.Module):
    """Twice: ReLU, depthwise and pointwise convolution, batch norm. The first may halve the side."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2
        first = 0 if stride == 2 else padding
        self.depthwise_1 = nn.Conv2d(inputs, inputs, kernel, stride, first, groups=inputs, bias=False)
        self.pointwise_1 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn_1 = _norm(outputs)
        self.depthwise_2 = nn.Conv2d(outputs, outputs, kernel, 1, padding, groups=outputs, bias=False)
        self.pointwise_2 = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_2 = _norm(outputs)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """[N, outputs, h, w] of [N, inputs, h, w]; half the side with a stride of 2."""
        planes = functional.relu(planes)
        if self.stride == 2:
            planes = _padded(planes, self.kernel)
        planes = functional.relu(self.bn_1(self.pointwise_1(self.depthwise_1(planes))))
        found: torch.Tensor = self.bn_2(self.pointwise_2(self.depthwise_2(planes)))
        return found


class Adjust(nn.Module):
    """The map before the last, brought to the size and channels of the last.

    Halved where a reduction lies between them (two 1 x 1 convolutions on pixels one step apart), else projected
    where the channels differ.
    """

    def __init__(self, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        self.halve, self.project = halve, not halve and inputs != outputs
        if halve:
            self.conv_1 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
            self.conv_2 = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        elif self.project:
            self.conv_projection = nn.Conv2d(inputs, outputs, 1, bias=False)
        if halve or self.project:
            self.bn = _norm(outputs)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """[N, outputs, h, w] of [N, inputs, h or 2h, w or 2w]."""
        if self.halve:
            planes = functional.relu(planes)
            shifted = functional.pad(planes, (0, 1, 0, 1))[:, :, 1:, 1:]
            halves = self.conv_1(planes[:, :, ::2, ::2]), self.conv_2(shifted[:, :, ::2, ::2])
            planes = self.bn(torch.cat(halves, 1))
        elif self.project:
            planes = self.bn(self.conv_projection(functional.relu(planes)))
        return planes


class Normal(nn.Module):
    """A normal cell: [N, 6 * filters, h, w] of the last map and the one before."""

    kind = "normal"

    def __init__(self, inputs: int, before: int, filters: int, *, halve: bool) -> None:
        super().__init__()
        self.adjust = Adjust(before, filters, halve=halve)
        self.conv_1, self.bn_1 = nn.Conv2d(inputs, filters, 1, bias=False), _norm(filters)
        self.left1, self.right1 = Separable(filters, filters, 5), Separable(filters, filters, 3)
        self.left2, self.right2 = Separable(filters, filters, 5), Separable(filters, filters, 3)
        self.left5 = Separable(filters, filters, 3)
        self.outputs = 6 * filters

    def forward(self, last: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The next map."""
        p = self.adjust(before)
        h = self.bn_1(self.conv_1(functional.relu(last)))
        parts = (
            p,
            self.left1(h) + self.right1(p),
            self.left2(p) + self.right2(p),
            _average(h) + p,
            _average(p) + _average(p),
            self.left5(h) + h,
        )
        return torch.cat(parts, 1)


class Reduction(nn.Module):
    """A reduction cell: [N, 4 * filters, h/2, w/2] of the last map and the one before."""

    kind = "reduction"

    def __init__(self, inputs: int, before: int, filters: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        # Of the very first cell the map before is the last one, and it is taken as it is.
        width = before if first else filters
        self.adjust = Adjust(before, width, halve=halve)
        self.conv_1, self.bn_1 = nn.Conv2d(inputs, filters, 1, bias=False), _norm(filters)
        self.left1, self.right1 = Separable(filters, filters, 5, 2), Separable(width, filters, 7, 2)
        self.right2, self.right3 = Separable(width, filters, 7, 2), Separable(width, filters, 5, 2)
        self.left4 = Separable(filters, filters, 3)
        self.outputs = 4 * filters

    def forward(self, last: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """The next map."""
        p = self.adjust(before)
        h = self.bn_1(self.conv_1(functional.relu(last)))
        wide = _padded(h, 3)
        highest = functional.max_pool2d(wide, 3, 2)
        one = self.left1(h) + self.right1(p)
        two = highest + self.right2(p)
        three = functional.avg_pool2d(wide, 3, 2) + self.right3(p)
        return torch.cat((two, three, two + _average(one), self.left4(one) + highest), 1)


class NasnetMobile(nn.Module):
    """Planes [N, 3, S, S], RGB scaled to -1..1, S at least 32 -> maps [N, 1056, S/32, S/32] after the last ReLU.

    Args:
        classes: size of the classifier that `logits` uses; 0 leaves it out.
    """

    def __init__(self, classes: int = 0) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 3, 2, bias=False)
        self.stem_bn = _norm(_STEM)
        self.cells = nn.ModuleDict()
        self._widths = [_STEM, _STEM]  # channels of the map before and of the last one
        self._after_reduction = False
        self._reduce("stem_1", _FILTERS // 4, first=True)
        self._reduce("stem_2", _FILTERS // 2)
        for stage, filters in enumerate((_FILTERS, 2 * _FILTERS, 4 * _FILTERS)):
            if stage:
                self._reduce(f"reduce_{stage * _BLOCKS}", filters)
            for block in range(_BLOCKS):
                self._normal(str(stage * _BLOCKS + block + bool(stage)), filters)
        self.activation = nn.ReLU()
        self.classifier = nn.Linear(CHANNELS, classes) if classes else None

    def _reduce(self, name: str, filters: int, *, first: bool = False) -> None:
        before, last = self._widths
        cell = Reduction(last, before, filters, halve=self._after_reduction, first=first)
        self._add(name, cell, after_reduction=True)

    def _normal(self, name: str, filters: int) -> None:
        before, last = self._widths
        self._add(name, Normal(last, before, filters, halve=self._after_reduction), after_reduction=False)

    def _add(self, name: str, cell: Normal | Reduction, *, after_reduction: bool) -> None:
        self.cells[name] = cell
        self._widths = [self._widths[1], cell.outputs]
        self._after_reduction = after_reduction

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Maps [N, 1056, h, w]."""
        last = self.stem_bn(self.stem(planes))
        before = last
        for cell in self.cells.values():
            before, last = last, cell(last, before)
        maps: torch.Tensor = self.activation(last)
        return maps

    def logits(self, planes: torch.Tensor) -> torch.Tensor:
        """Logits [N, classes], before Keras' softmax.

        Raises:
            ValueError: the network was built without a classifier.
        """
        if self.classifier is None:
            raise ValueError("this network has no classifier: NasnetMobile(classes=...)")
        found: torch.Tensor = self.classifier(self(planes).mean((2, 3)))
        return found
