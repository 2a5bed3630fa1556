"""Near-duplicates against brute force, groups against SciPy, and phantoms cropped and mirrored."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse.csgraph import connected_components

from poxlens.data import similarity
from poxlens.data.similarity import connected_groups, same, view_similarity


def brute_force(embeddings):
    """Every pair of views of every pair of images, one cosine at a time."""
    count, views, _ = embeddings.shape
    centred = embeddings.astype(np.float64) - embeddings.astype(np.float64).mean((0, 1))
    best = np.full((count, count), -2.0)
    for i, j, a, b in itertools.product(range(count), range(count), range(views), range(views)):
        x, y = centred[i, a], centred[j, b]
        best[i, j] = max(best[i, j], x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    return best


@pytest.mark.parametrize("block", [1, 3, 64])
def test_equals_brute_force(monkeypatch, block):
    monkeypatch.setattr(similarity, "_BLOCK", block)  # also when the blocks do not divide the images
    rng = np.random.default_rng(0)
    embeddings = (rng.normal(size=(11, 4, 6)) + 3 * rng.normal(size=6)).astype(np.float32)
    found = view_similarity(embeddings)
    assert found.dtype == np.float16
    assert np.abs(found - brute_force(embeddings)).max() < 1e-3
    assert np.array_equal(found, found.T)
    assert np.diag(found) == pytest.approx(1.0, abs=1e-3)


def test_the_input_is_not_changed():
    embeddings = np.random.default_rng(1).normal(size=(5, 2, 3)).astype(np.float32)
    before = embeddings.copy()
    view_similarity(embeddings)
    assert np.array_equal(embeddings, before)


def test_an_image_without_any_feature_is_like_none():
    embeddings = np.zeros((3, 2, 4), np.float32)
    embeddings[0, :, 0], embeddings[1, :, 0] = 1.0, -1.0  # the mean is zero, so the third stays zero
    found = view_similarity(embeddings)
    assert np.isfinite(found).all()
    assert found[2].tolist() == [0.0, 0.0, 0.0]
    assert found[0, 1] == -1.0


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 12).flatmap(lambda n: arrays(np.bool_, (n, n), elements=st.booleans())), st.data())
def test_groups_are_the_connected_parts(links, data):
    links &= np.random.default_rng(data.draw(st.integers(0, 99))).random(links.shape) < 0.3  # else one group
    found = connected_groups(links)
    count, expected = connected_components(links, directed=True, connection="weak")
    assert len(set(found)) == count
    assert np.array_equal(found[:, None] == found[None], expected[:, None] == expected[None])
    first = [int(np.flatnonzero(found == number)[0]) for number in range(count)]
    assert first == sorted(first)


def test_a_long_chain_is_one_group():
    links = np.eye(3000, k=1, dtype=bool)
    assert connected_groups(links).tolist() == [0] * 3000
    assert connected_groups(np.zeros((0, 0), bool)).tolist() == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["", "a", "b", "A", "a "]), min_size=1, max_size=12))
def test_same_keys(keys):
    expected = [[bool(x) and x == y for y in keys] for x in keys]
    assert same(keys).tolist() == expected


@pytest.fixture(scope="module")
def scene():
    """Ten phantoms of one kind and tone, then a crop, a mirrored crop, and a darker copy of three of them."""
    from PIL import Image

    from poxlens.data.phantom import draw, random_spec
    from poxlens.train.backbones import load_backbone
    from poxlens.train.features import Extractor
    from poxlens.train.stored import store_backbone
    from poxlens.train.views import DUPLICATE_VIEWS

    specs = [random_spec(seed, size=160, lesion="papule", ita=20) for seed in range(10)]
    images = [draw(spec).image for spec in specs]
    crop, other, third = images[2][16:144, 24:152], images[5][30:150, 10:130][:, ::-1], images[8]
    tampered = [crop, other, np.clip(third * 0.85, 0, 255).astype(np.uint8)]
    ready = [np.asarray(Image.fromarray(image).resize((128, 128))) for image in (*images, *tampered)]
    extractor = Extractor(store_backbone(load_backbone(("efficientnet-lite0",)), side=128))
    return extractor.table(ready, DUPLICATE_VIEWS)


def test_crops_and_mirror_images_are_found(scene):
    found = view_similarity(scene).astype(float)
    np.fill_diagonal(found, -1)
    for copy, original in ((10, 2), (11, 5), (12, 8)):
        assert found[copy].argmax() == original
        assert found[copy, original] > 0.65
        others = np.delete(found[copy], [original, copy])
        assert found[copy, original] > others.max() + 0.1


def test_the_views_are_what_finds_them(scene):
    """With the whole image alone the mirrored crop is far less sure."""
    whole, all_views = view_similarity(scene[:, :1]), view_similarity(scene)
    assert all_views[11, 5] > whole[11, 5] + 0.05
