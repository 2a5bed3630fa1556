"""The fingerprint: what comes with the package is the published file, and copies stay near."""

import io

import numpy as np
import pytest
from PIL import Image

from poxlens.data import fingerprint
from poxlens.data.candidates import whitened
from poxlens.data.phantom import draw, random_spec
from poxlens.errors import WeightsError


def square(picture):
    return np.asarray(picture.resize((fingerprint.SIDE, fingerprint.SIDE), Image.Resampling.BOX))


@pytest.fixture(scope="module")
def pictures():
    return [Image.fromarray(draw(random_spec(seed, size=160)).image) for seed in range(40)]


def test_shape_and_length(pictures):
    vectors = fingerprint.fingerprints(np.stack([square(one) for one in pictures])).astype(np.float64)
    assert vectors.shape == (40, fingerprint.SIZE)
    halves = np.linalg.norm(vectors.reshape(40, 2, -1), axis=2)
    np.testing.assert_allclose(halves, 1.0, atol=2e-3)


def test_many_at_once_are_the_same_as_one_by_one(pictures):
    squares = np.stack([square(one) for one in pictures[:19]])
    one_by_one = np.concatenate([fingerprint.fingerprints(one[None]) for one in squares])
    np.testing.assert_array_equal(fingerprint.fingerprints(squares), one_by_one)


def test_nothing_in_nothing_out():
    shape = (0, fingerprint.SIDE, fingerprint.SIDE, 3)
    assert fingerprint.fingerprints(np.zeros(shape, np.uint8)).shape == (0, fingerprint.SIZE)


def compressed(picture):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=40)
    return Image.open(stream).convert("RGB")


CHANGES = {
    "crop": lambda picture: picture.crop((40, 10, 152, 122)),
    "mirror": lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "jpeg": compressed,
    "bright": lambda picture: picture.point(lambda level: min(255, round(1.2 * level))),
    "dark": lambda picture: picture.point(lambda level: round(0.8 * level)),
    "resize": lambda picture: picture.resize((90, 90)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_among_the_nearest(pictures, change):
    copies = [CHANGES[change](one) for one in pictures]
    squares = np.stack([square(one) for one in [*pictures, *copies]])
    vectors = whitened(fingerprint.fingerprints(squares))
    cosine = vectors[40:] @ vectors[:40].T
    rank = (cosine > np.diag(cosine)[:, None]).sum(1)
    assert (rank < 3).mean() >= (0.85 if change == "crop" else 0.95)


def test_another_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "__file__", str(tmp_path / "fingerprint.py"))
    fingerprint._session.cache_clear()
    try:
        with pytest.raises(WeightsError, match="cannot be read"):
            fingerprint._session()
        (tmp_path / fingerprint.FILE).write_bytes(b"another network")
        with pytest.raises(WeightsError, match="not the published file"):
            fingerprint._session()
    finally:
        fingerprint._session.cache_clear()
