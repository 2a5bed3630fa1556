"""The five similarities against scikit-image and NumPy, on noise, on phantoms and on flat images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from poxlens.data.phantom import draw, random_spec
from poxlens.train.inpainting.measuring import as_tensor
from poxlens.train.inpainting.similarity import (
    BINS,
    SIMILARITIES,
    all_similarities,
    hbd,
    mae,
    mse,
    ssim,
    ssim_hbd,
)


def pairs():
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (2, 3, 40, 52, 3)).astype(np.uint8)
    phantoms = np.stack([draw(random_spec(seed, size=48)).image for seed in range(4)])
    nearly = np.clip(phantoms + random.normal(0, 6, phantoms.shape), 0, 255).astype(np.uint8)
    black = np.zeros((1, 32, 32, 3), np.uint8)
    return {
        "noise": (noise[0], noise[1]),
        "phantoms": (phantoms[:2], phantoms[2:]),
        "nearly": (phantoms, nearly),
        "black": (black, black),
        "black and white": (black, 255 - black),
    }


@pytest.fixture(params=["noise", "phantoms", "nearly", "black", "black and white"])
def pair(request):
    return pairs()[request.param]


def values(function, pair):
    return function(as_tensor(pair[0]), as_tensor(pair[1])).numpy()


def test_mean_errors(pair):
    one, other = (part / 255 for part in pair)
    np.testing.assert_allclose(values(mae, pair), 1 - np.abs(one - other).mean((1, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(values(mse, pair), 1 - np.square(one - other).mean((1, 2, 3)), atol=1e-5)


def test_ssim_is_that_of_scikit_image(pair):
    expected = [
        structural_similarity(a / 255, b / 255, data_range=1, channel_axis=2)
        for a, b in zip(*pair, strict=True)
    ]
    np.testing.assert_allclose(values(ssim, pair), expected, atol=1e-4)


def test_all_at_once_are_the_same_numbers(pair):
    one, other = (as_tensor(part) for part in pair)
    found = all_similarities(one, other)
    assert list(found) == list(SIMILARITIES)
    for name, alike in SIMILARITIES.items():
        torch.testing.assert_close(found[name], alike(one, other), rtol=0, atol=0)


def test_hbd_is_that_of_histograms(pair):
    expected = []
    for one, other in zip(*pair, strict=True):
        shares = [
            np.concatenate([np.histogram(image[..., c] / 255, BINS, (0, 1))[0] for c in range(3)])
            / (image.size)
            for image in (one, other)
        ]
        expected.append(1 + np.log(max(np.sqrt(shares[0] * shares[1]).sum(), 1e-12)))
    np.testing.assert_allclose(values(hbd, pair), expected, atol=1e-5)


def test_the_joint_one_is_the_mean_of_both(pair):
    np.testing.assert_allclose(
        values(ssim_hbd, pair), (values(ssim, pair) + values(hbd, pair)) / 2, atol=1e-6
    )


def test_an_image_is_most_like_itself():
    image = as_tensor(pairs()["phantoms"][0])
    for name, function in SIMILARITIES.items():
        assert function(image, image).numpy() == pytest.approx(1, abs=1e-4), name
        assert (function(image, 1 - image) < 0.99).all(), name


def test_no_overlap_is_no_infinity():
    found = hbd(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8))
    assert found.item() == pytest.approx(1 + np.log(1e-12), abs=1e-3)
