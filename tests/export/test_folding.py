from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.folding import DEAD, convolutions, folded, mend_dead_channels, take_stored_weights
from poxlens.train.features import Extractor
from poxlens.train.stored import store_backbone

SIDE = 64


def features(network, images):
    with torch.no_grad():
        return network(torch.from_numpy(images.astype(np.float32))).numpy()


def test_folding_changes_no_feature(backbone, images):
    made = folded(backbone, SIDE)
    np.testing.assert_allclose(features(made, images), features(backbone, images), atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in made.modules())
    assert list(convolutions(made)) == [
        f"parts.0.{name}.0" for name in ("stem", "wide.0", "wide.1", "wide.2", "same", "last")
    ]
    assert all(module.bias is not None for module in convolutions(made).values())


def test_a_convolution_that_is_used_twice_cannot_be_folded(backbone):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.norm = nn.Conv2d(3, 24, 32, 32, bias=False), nn.BatchNorm2d(24)
            self.norm.running_var.fill_(4.0)

        def forward(self, planes):
            found = self.one(planes)
            return found + self.norm(found)

    backbone.parts[0] = Twice()
    with pytest.raises(ExportError, match="batch norm cannot be folded into this network"):
        folded(backbone.eval(), SIDE)


def test_dead_channels_take_a_trace_and_say_nothing(backbone, images):
    made = folded(backbone, SIDE)
    before = features(made, images)
    first = next(iter(convolutions(made).values()))
    assert (first.weight.abs().amax((1, 2, 3)) < DEAD).tolist() == [True, True] + [False] * 6
    assert mend_dead_channels(made) == 2
    assert first.weight[0, 0, 1, 1].item() == pytest.approx(1e-4)
    assert first.weight[0].abs().sum().item() == pytest.approx(1e-4)
    assert mend_dead_channels(made) == 0
    np.testing.assert_allclose(features(made, images), before, atol=2e-3)


@pytest.mark.parametrize("most", [10**9, 1])
def test_stored_weights_give_the_stored_features(backbone, images, most):
    """Half precision, and eight bits: the head learnt from these, not from the published weights."""
    stored = store_backbone(backbone, side=SIDE, most_bytes=most)
    made = folded(backbone, SIDE)
    take_stored_weights(made, stored.model)
    pooled = features(made, images).mean((1, 2))
    np.testing.assert_allclose(pooled, Extractor(stored).pooled(images), atol=1e-5)


def test_a_model_of_other_weights_is_refused(backbone):
    from tests.export.conftest import small_backbone

    other = store_backbone(small_backbone(seed=5), side=SIDE)
    with pytest.raises(ExportError, match=r"no weights like those of parts\.0\.stem\.0"):
        take_stored_weights(folded(backbone, SIDE), other.model)
