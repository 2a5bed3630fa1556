from __future__ import annotations

import numpy as np
import pytest
import torch

from poxlens.errors import ExportError
from poxlens.export.calibration import checked, chosen, observe
from poxlens.export.folding import convolutions

SIDE = 64


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda images: images[:19], "19 calibration images are too few"),
        (lambda images: images.astype(np.float32), r"must be uint8 \[N, 64, 64, 3\], not float32"),
        (lambda images: images[:, :32], r"not uint8 \[32, 32, 64, 3\]"),
        (
            lambda images: np.where(np.arange(32)[:, None, None, None] % 2, images, 0),
            "16 of 32 .* of one colour",
        ),
    ],
)
def test_a_corrupt_set_is_refused(images, spoil, message):
    with pytest.raises(ExportError, match=message):
        checked(spoil(images), SIDE)


def test_some_blank_images_are_borne(images):
    few = images.copy()
    few[:3] = 7
    assert checked(few, SIDE) is few


def test_one_image_a_group_and_all_kinds_in_turn():
    groups = np.array([0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    strata = np.array(["a"] * 6 + ["b"] * 4 + ["c"] * 2)
    found = chosen(groups, strata, 6, seed=1)
    assert len(np.unique(groups[found])) == 6
    assert [int((strata[found] == name).sum()) for name in "abc"] == [2, 2, 2]
    assert found.tolist() == chosen(groups, strata, 6, seed=1).tolist() == sorted(found.tolist())
    assert len(chosen(groups, strata, 50)) == 10  # groups
    assert any(chosen(groups, strata, 6, seed=s).tolist() != found.tolist() for s in range(2, 6))


def test_what_is_observed_is_what_each_convolution_is_given(network, images):
    seen = observe(network, images)
    given = {}
    for name, module in convolutions(network).items():
        module.register_forward_pre_hook(lambda _, inputs, name=name: given.update({name: inputs[0].clone()}))
    with torch.no_grad():
        network(torch.from_numpy(images.astype(np.float32)))
    assert list(seen) == list(convolutions(network))
    for name, values in given.items():
        assert seen[name].low == pytest.approx(float(values.min()), abs=1e-6)
        assert seen[name].high == pytest.approx(float(values.max()), abs=1e-6)
        np.testing.assert_allclose(seen[name].mean, values.mean((0, 2, 3)).numpy(), atol=1e-5)
    assert seen["parts.0.stem.0"].work == 32 * 32 * 8 * 27
    assert seen["parts.0.same.0"].work == 4 * 4 * 16 * 9
