import numpy as np
import pytest

from poxlens.evaluate.calibration import ece, fit_temperature, softmax
from poxlens.evaluate.recalibration import recalibrate


def overconfident(n=3000, seed=0, factor=3.0):
    """Probabilities whose logits are `factor` times too large."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(n, 3)) * 1.5
    truth = np.array([random.choice(3, p=p) for p in softmax(logits)])
    return softmax(logits * factor), truth, np.arange(n) % 5


def test_a_temperature_that_is_known_is_found_and_the_error_goes():
    p, truth, fold = overconfident()
    after, temperatures = recalibrate(p, truth, fold)
    np.testing.assert_allclose(temperatures, 3.0, rtol=0.12)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    before_error, after_error = (ece(one[:, 0], truth == 0).value for one in (p, after))
    assert before_error > 0.1
    assert after_error < 0.03
    assert (after.argmax(axis=1) == p.argmax(axis=1)).all()


def test_a_fold_s_temperature_does_not_depend_on_its_own_labels():
    p, truth, fold = overconfident(500)
    after, temperatures = recalibrate(p, truth, fold)
    other = truth.copy()
    other[fold == 2] = (other[fold == 2] + 1) % 3
    again, changed = recalibrate(p, other, fold)
    assert changed[2] == temperatures[2]
    np.testing.assert_array_equal(again[fold == 2], after[fold == 2])
    assert (changed[[0, 1, 3, 4]] != temperatures[[0, 1, 3, 4]]).all()
    alone = fit_temperature(np.log(np.clip(p[fold != 2], 1e-6, 1)), truth[fold != 2])
    assert temperatures[2] == pytest.approx(alone)


def test_a_probability_of_zero_is_taken():
    p = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.4, 0.6]])
    after, _ = recalibrate(p, np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]))
    assert np.isfinite(after).all()


def test_one_fold_alone_is_refused():
    with pytest.raises(ValueError, match="no other"):
        recalibrate(np.full((4, 2), 0.5), np.array([0, 1, 0, 1]), np.zeros(4, int))
