"""The benchmark of the fingerprint's stages counts what it says."""

import json

import numpy as np
from benchmarks import fingerprint_stages
from benchmarks.fingerprint_stages import NEAREST, SHIPPED, found
from benchmarks.planted import KINDS


def test_found_is_the_share_whose_original_is_among_the_nearest():
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(400, 64)).astype(np.float16)
    assert found(gallery, gallery[:50]) == 1.0
    # Every second query is a picture of its own: it meets the original of its number by chance alone.
    queries = gallery[:50].copy()
    queries[::2] = rng.normal(size=(25, 64))
    assert 0.5 <= found(gallery, queries) <= 0.5 + 6 * NEAREST / 400


def test_every_stage_and_kind_is_told(capsys):
    assert fingerprint_stages.main(["--phantoms", "30", "--queries", "4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["originals"], told["queries"]) == (30, 4)
    assert len(told["shares"]) == 3 * len(fingerprint_stages.STAGES) + 1
    assert set(told["shares"][SHIPPED]) == set(KINDS)
    shipped, float32 = told["shares"][SHIPPED], told["shares"]["stage 5, both"]
    assert shipped["JPEG 40"] == float32["JPEG 40"] == 1.0
    assert all(0 <= share <= 1 for own in told["shares"].values() for share in own.values())
