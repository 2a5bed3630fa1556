from __future__ import annotations

import numpy as np
import pytest

from poxlens.files import sha256_bytes
from poxlens.train.augmentation import FLIPS, Draw, Strengths
from poxlens.train.bank import FeatureBank, planned

DIGESTS = [sha256_bytes(bytes([row])) for row in range(5)]


def bank_of(views=64, dtype=np.float32):
    draws = [planned(digest, views, 0) for digest in DIGESTS]
    features = np.arange(len(DIGESTS) * views, dtype=dtype).reshape(len(DIGESTS), views, 1)
    return FeatureBank.of(features, draws), draws


def test_views_hang_on_the_image_and_the_seed_alone():
    assert planned(DIGESTS[0], 16, 0) == planned(DIGESTS[0], 16, 0)
    assert planned(DIGESTS[0], 16, 0) != planned(DIGESTS[1], 16, 0)
    assert planned(DIGESTS[0], 16, 0) != planned(DIGESTS[0], 16, 1)


def test_views_fill_the_range_with_every_flip():
    draws = planned(DIGESTS[0], 256, 0)
    amounts = np.abs([one.amounts for one in draws])
    assert amounts.max() <= 0.5
    assert amounts.max() > 0.4
    assert (amounts.max(1) < 0.1).mean() > 0.15  # weak strengths have views too
    for flip in FLIPS["both"]:
        assert sum((one.mirrored, one.upended) == flip for one in draws) == 64


def test_a_draw_is_the_nearest_view_with_an_allowed_flip():
    bank, draws = bank_of()
    strengths = Strengths(0.3, 0.2, 0.1, 0.5, 0.0, 0.4, "horizontal")
    random, again = np.random.default_rng(2), np.random.default_rng(2)
    found = bank.draw(strengths, random)
    limits = strengths.limits()
    wanted = again.uniform(-limits, limits, (len(DIGESTS), 6))
    allowed = [FLIPS["both"].index(flip) for flip in FLIPS["horizontal"]]
    flips = np.array(allowed)[again.integers(2, size=len(DIGESTS))]
    for row, each in enumerate(draws):
        far = [
            np.linalg.norm(np.array(one.amounts) - wanted[row])
            if FLIPS["both"].index((one.mirrored, one.upended)) == flips[row]
            else np.inf
            for one in each
        ]
        assert found[row, 0] == row * 64 + int(np.argmin(far))


def test_no_strength_gives_the_weakest_views():
    bank, draws = bank_of()
    found = bank.draw(Strengths(0, 0, 0, 0, 0, 0, "vertical"), np.random.default_rng(0))
    for row, each in enumerate(draws):
        view = each[int(found[row, 0]) - row * 64]
        allowed = [one for one in each if (one.mirrored, one.upended) == (view.mirrored, view.upended)]
        assert np.linalg.norm(view.amounts) == pytest.approx(
            min(np.linalg.norm(one.amounts) for one in allowed)
        )


def test_a_bank_in_half_precision_draws_float32():
    bank, _ = bank_of(dtype=np.float16)
    found = bank.draw(Strengths(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, "both"), np.random.default_rng(0))
    assert found.dtype == np.float32
    assert found.shape == (5, 1)


def test_the_bank_remembers_its_draws():
    bank = FeatureBank.of(
        np.zeros((1, 2, 3), np.float32), [[Draw((0.1,) * 6, True, False), Draw((0.2,) * 6, False, True)]]
    )
    assert bank.amounts[0, :, 0].tolist() == [0.1, 0.2]
    assert [FLIPS["both"][number] for number in bank.flips[0]] == [(True, False), (False, True)]
