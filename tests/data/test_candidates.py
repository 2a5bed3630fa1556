"""Candidates: planted copies are found and told apart from the rest."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks import phantom_crowd

from poxlens.data.candidates import CERTAIN, NEAR, find_candidates, whitened
from poxlens.data.manifest import read_manifest
from poxlens.data.scan import scan


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """Three hundred thumbnails, thirty of them copies of others."""
    folder = tmp_path_factory.mktemp("crowd")
    made = phantom_crowd.make(folder, 300, workers=1)
    return made, scan(read_manifest(made.manifest), folder / "store", workers=1)


def test_planted_copies_are_candidates(crowd):
    made, seen = crowd
    found = {(one.first, one.second): one for one in find_candidates(seen, workers=1)}
    truth = {(original, copy): made.kinds[copy] for copy, original in made.copies.items()}
    assert len(truth) == 30
    plain = [pair for pair, kind in truth.items() if kind not in ("caption", "crop")]
    assert all(found[pair].near for pair in plain)
    assert len(set(truth) & set(found)) / 30 >= 0.85
    assert all(pair in truth for pair, one in found.items() if one.near)
    for pair, one in found.items():
        assert one.first < one.second
        assert -1 <= one.similarity <= 1.0001
        assert not one.near or one.agreement >= NEAR
        if truth.get(pair) == "mirror":
            assert one.mirrored


def test_progress_counts_all_pairs_compared(crowd):
    told, sizes = [], []

    def begin(name, size):
        sizes.append((name, size))
        return told.append

    found = find_candidates(crowd[1], workers=1, begin=begin)
    assert sizes == [("comparing thumbnails", sum(told))]
    assert sum(told) >= len(found)


def test_equal_pixels_are_left_to_their_first_row(crowd):
    _, seen = crowd
    doubled = list(seen.pixels_sha256)
    doubled[5] = doubled[0]
    found = find_candidates(replace(seen, pixels_sha256=doubled), workers=1)
    assert all(5 not in (one.first, one.second) for one in found)


def test_unreadable_rows_take_no_part(crowd):
    _, seen = crowd
    nothing = replace(seen, pixels_sha256=[""] * len(seen))
    assert find_candidates(nothing) == []
    assert np.isfinite([one.similarity for one in find_candidates(seen, workers=1)]).all()


def test_without_fingerprints_hashes_find_whole_pictures(crowd):
    made, seen = crowd
    nothing = np.zeros((len(seen), 0), np.float16)
    found = {
        (one.first, one.second): one for one in find_candidates(replace(seen, embedding=nothing), workers=1)
    }
    truth = {(original, copy): made.kinds[copy] for copy, original in made.copies.items()}
    whole = [pair for pair, kind in truth.items() if kind not in ("caption", "crop")]
    assert np.mean([found[pair].near for pair in whole]) >= 0.95
    assert not [pair for pair, one in found.items() if one.near and pair not in truth]
    for one in found.values():
        assert np.isnan(one.similarity)
        assert one.suspect
        assert one.near == (one.agreement >= CERTAIN)


def test_whitening_in_parts_is_whitening_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(900, 40)) @ rng.normal(size=(40, 224)) + rng.normal(size=224)
    embedding = mixed.astype(np.float16)
    at_once = whitened(embedding)
    monkeypatch.setattr("poxlens.data.candidates._ROWS", 128)
    in_parts = whitened(embedding)
    # Directions may change their sign; cosines may not.
    np.testing.assert_allclose(in_parts @ in_parts.T, at_once @ at_once.T, atol=2e-4)
    values = embedding.astype(np.float64)
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    values -= values.mean(0)
    strength, directions = np.linalg.eigh(values.T @ values / 900)
    plain = values @ directions[:, ::-1][:, :128]
    plain /= np.sqrt(np.maximum(strength[::-1][:128], strength[-1] * 1e-3))
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(at_once @ at_once.T, plain @ plain.T, atol=2e-3)
