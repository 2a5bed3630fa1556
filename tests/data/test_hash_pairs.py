"""Pairs by hash: sorting finds what comparing all with all finds."""

import numpy as np

from poxlens.data.hash_pairs import hash_pairs
from poxlens.data.phash import distance


def flipped(value, bits, rng):
    for bit in rng.choice(64, bits, replace=False).tolist():
        value ^= np.uint64(1 << bit)
    return value


def hashes(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**64, (count, 8), dtype=np.uint64), rng


def test_every_pair_up_to_four_bits_is_found_in_every_position():
    table, rng = hashes(400)
    expected = {}
    for k in range(160):
        view, bits = k % 8, k % 5
        table[200 + k, 0] = flipped(table[k, view], bits, rng)
        expected[k, 200 + k] = bits
    first, second, bits = hash_pairs(table)
    found = dict(zip(zip(first.tolist(), second.tolist(), strict=True), bits.tolist(), strict=True))
    assert found == expected


def test_no_pair_beyond_the_radius():
    table, rng = hashes(300, 1)
    for k in range(100):
        table[100 + k, 0] = flipped(table[k, 0], 1 + k % 9, rng)
    first, second, bits = hash_pairs(table, radius=6)
    assert bits.max() <= 6
    best = np.minimum(
        distance(table[first, :1], table[second]).min(1), distance(table[second, :1], table[first]).min(1)
    )
    np.testing.assert_array_equal(best, bits)
    assert len(first) >= 0.9 * sum(1 + k % 9 <= 6 for k in range(100))


def test_a_crowd_of_equal_hashes_ends_soon():
    table = np.zeros((5000, 8), np.uint64)
    first, second, bits = hash_pairs(table)
    assert len(first) < 5000 * 64
    assert len(first) >= 4999
    assert (first < second).all()
    assert not bits.any()


def test_no_hash_no_pair():
    assert all(len(column) == 0 for column in hash_pairs(np.zeros((0, 8), np.uint64)))
    assert all(len(column) == 0 for column in hash_pairs(np.zeros((1, 8), np.uint64)))
