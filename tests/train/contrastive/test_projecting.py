from __future__ import annotations

import math

import pytest
import torch

from poxlens.train.contrastive.projecting import matched, nt_xent, projection_head, spread


def by_the_formula(first, second, temperature):
    """Yue 2024, eq. 1-3, written out: views 2k - 1 and 2k are of one image."""
    z = [row for pair in zip(first.tolist(), second.tolist(), strict=True) for row in pair]
    count = len(z)

    def s(i, j):
        dot = sum(a * b for a, b in zip(z[i], z[j], strict=True))
        return dot / (temperature * math.dist(z[i], [0] * len(z[i])) * math.dist(z[j], [0] * len(z[j])))

    def term(i, j):
        below = sum(math.exp(s(i, k)) for k in range(count) if k != i)
        return -math.log(math.exp(s(i, j)) / below)

    pairs = range(0, count, 2)
    return sum(term(k, k + 1) + term(k + 1, k) for k in pairs) / count


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("images", [2, 7])
def test_lightly_s_loss_is_the_paper_s(images, temperature):
    source = torch.Generator().manual_seed(images)
    first, second = (torch.randn(images, 6, generator=source) for _ in range(2))
    found = float(nt_xent(temperature)(first, second))
    assert found == pytest.approx(by_the_formula(first, second, temperature), rel=1e-5)


def test_the_loss_of_two_opposite_pairs_by_hand():
    first = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    # Partner at 1, two others at -1, tau 0.5: - log(e^2 / (e^2 + 2 e^-2)).
    expected = -math.log(math.exp(2) / (math.exp(2) + 2 * math.exp(-2)))
    assert float(nt_xent(0.5)(first, first * 3)) == pytest.approx(expected, rel=1e-5)


def test_matched_counts_views_whose_nearest_is_their_partner():
    axes = torch.eye(4)
    assert matched(axes, axes) == 1.0
    assert matched(axes, axes.roll(1, 0)) == 0.0
    assert matched(axes, torch.stack([axes[0], axes[1], axes[3], axes[2]])) == 0.5


def test_spread_is_one_for_all_directions_and_nought_for_one():
    source = torch.Generator().manual_seed(0)
    assert spread(torch.randn(4000, 16, generator=source)) == pytest.approx(1, abs=0.01)
    assert spread(torch.ones(50, 16)) == pytest.approx(0, abs=1e-6)


def test_the_head_is_as_wide_as_the_embedding():
    head = projection_head(10, 4)
    assert [tuple(value.shape) for value in head.parameters()] == [(10, 10), (10,), (10,), (4, 10)]
    z = head(torch.randn(64, 10))
    assert z.mean(0).abs().max() < 1e-5  # normalised over the batch
