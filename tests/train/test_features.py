"""The feature cache: the same numbers whatever was cached, and never a damaged one."""

import numpy as np
import pytest

from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.views import DUPLICATE_VIEWS, MIRROR_VIEWS, View, cut

WHOLE = (View(),)


@pytest.fixture(scope="module")
def extractor(stored):
    return Extractor(stored)


def counted(stored, folder, monkeypatch):
    """An extractor with a cache, and the sizes of the batches that it computes."""
    found, batches = Extractor(stored, FeatureCache(folder)), []
    pooled = found.pooled

    def spy(batch):
        batches.append(len(batch))
        return pooled(batch)

    monkeypatch.setattr(found, "pooled", spy)
    return found, batches


def test_pooled_is_the_mean_over_places(extractor, lite0, images):
    import torch

    with torch.inference_mode():
        expected = lite0(torch.from_numpy(images)).mean((1, 2)).numpy()
    found = extractor.pooled(images)
    assert found.shape == (8, 1280)
    # Weights are stored in half precision.
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_the_cache_saves_the_computation_and_changes_nothing(
    stored, extractor, images, tmp_path, monkeypatch
):
    cached, batches = counted(stored, tmp_path, monkeypatch)
    first = cached.table(images, MIRROR_VIEWS, workers=1)
    assert batches == [2] * 8
    again = cached.table(images, MIRROR_VIEWS, workers=1)
    assert batches == [2] * 8
    assert again.tobytes() == first.tobytes() == extractor.table(images, MIRROR_VIEWS).tobytes()
    other, more = counted(stored, tmp_path, monkeypatch)  # another run
    assert other.table(images, MIRROR_VIEWS, workers=1).tobytes() == first.tobytes()
    assert more == []


def test_only_views_that_are_missing_are_computed(stored, images, tmp_path, monkeypatch):
    cached, batches = counted(stored, tmp_path, monkeypatch)
    cached.vectors(images[0], MIRROR_VIEWS)
    found = cached.vectors(images[0], DUPLICATE_VIEWS)
    assert batches == [2, 12]
    assert cached.vectors(images[0], DUPLICATE_VIEWS[::-1]).tobytes() == found[::-1].tobytes()
    assert batches == [2, 12]
    expected = Extractor(stored).pooled(cut(images[0], DUPLICATE_VIEWS))
    assert np.abs(found - expected).max() < 1e-5


def test_a_backbone_does_not_read_the_vectors_of_another(images, tmp_path, lite0, stored):
    from poxlens.train.stored import store_backbone

    coarser = store_backbone(lite0, side=128, most_bytes=5_000_000)
    cache = FeatureCache(tmp_path)
    one, two = Extractor(stored, cache), Extractor(coarser, cache)
    assert one.identity != two.identity
    assert not np.array_equal(one.vectors(images[0], WHOLE), two.vectors(images[0], WHOLE))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bytes(extractor, images, workers):
    seen = []
    found = extractor.table(iter(images), MIRROR_VIEWS, workers=workers, advance=seen.append)
    expected = np.stack([extractor.vectors(image, MIRROR_VIEWS) for image in images])
    assert found.tobytes() == expected.tobytes()
    assert seen == [1] * 8


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "text", "gone"])
def test_a_damaged_file_is_computed_again(stored, images, tmp_path, monkeypatch, damage):
    cached, batches = counted(stored, tmp_path, monkeypatch)
    good = cached.vectors(images[0], MIRROR_VIEWS)
    (file,) = tmp_path.rglob("*.npz")
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(
            {"empty": b"", "cut": data[: len(data) // 2], "noise": data[::-1], "text": b"x" * 99}[damage]
        )
    assert cached.vectors(images[0], MIRROR_VIEWS).tobytes() == good.tobytes()
    assert batches == [2, 2]
    assert cached.vectors(images[0], MIRROR_VIEWS).tobytes() == good.tobytes()
    assert batches == [2, 2]  # the repaired file is read


def test_no_flipped_bit_ever_gives_another_number(tmp_path):
    """Every bit of a small cache file, one after the other: what is read is right, or nothing."""
    cache = FeatureCache(tmp_path)
    vectors = {"0,0,1": np.arange(3, dtype=np.float32), "0,0,1m": np.ones(3, np.float32)}
    cache.write("b", "image", vectors)
    (file,) = tmp_path.rglob("*.npz")
    data = file.read_bytes()
    kept = 0
    for place in range(len(data)):
        for bit in (0, 3, 7):
            wrong = bytearray(data)
            wrong[place] ^= 1 << bit
            file.write_bytes(bytes(wrong))
            found = cache.read("b", "image")
            for key, value in found.items():
                if key in vectors:
                    assert value.dtype == np.float32
                    assert value.tobytes() == vectors[key].tobytes(), (place, bit)
                    kept += 1
    assert 0 < kept < 6 * len(data)  # some bits are no one's (dates), most are noticed
