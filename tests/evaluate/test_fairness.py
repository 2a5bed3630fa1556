import numpy as np
import pytest
from scipy import stats

from poxlens.evaluate.fairness import compare_tones


def study(right_light, right_dark, groups=40, each=5):
    """`groups` groups of `each` images a tone over ten folds; the first share of the images is decided right."""
    n = groups * each
    tone = np.array(["light"] * n + ["dark"] * n)
    group = np.concatenate([np.arange(n) // each, 1000 + np.arange(n) // each])
    fold = group % 10
    truth = np.tile([0, 1], n)
    random = np.random.default_rng(0)
    wrong = np.concatenate([random.random(n) >= right_light, random.random(n) >= right_dark])
    return truth, np.where(wrong, 1 - truth, truth), fold, tone, group


def compared(truth, decided, fold, tone, group, repeats=1):
    return compare_tones(
        truth, [decided] * repeats, [fold] * repeats, tone.tolist(), group, classes=2, target=0
    )


def test_a_difference_that_is_there_is_found_with_its_sign():
    parts = study(0.95, 0.7)
    found = compared(*parts)
    assert found.verdict == "better on light skin"
    truth, decided, _, tone, _ = parts
    right = truth == decided
    expected = right[tone == "light"].mean() - right[tone == "dark"].mean()
    assert found.difference.value == pytest.approx(expected)
    assert found.light.accuracy.value == pytest.approx(right[tone == "light"].mean())
    assert (found.light.n, found.light.groups) == (200, 40)


def test_the_t_test_over_folds_is_scipy_s():
    truth, decided, fold, tone, group = study(0.9, 0.85)
    found = compared(truth, decided, fold, tone, group)
    right = truth == decided
    columns = [
        [right[(fold == number) & (tone == name)].mean() for number in range(10)]
        for name in ("light", "dark")
    ]
    reference = stats.ttest_ind(*columns)
    assert found.t_test.p == pytest.approx(reference.pvalue)
    assert found.t_test.statistic == pytest.approx(reference.statistic)
    assert found.light.folds.mean == pytest.approx(np.mean(columns[0]))
    assert found.light.folds.sd == pytest.approx(np.std(columns[0], ddof=1))


def test_models_as_good_on_both_are_not_told_apart():
    assert compared(*study(0.8, 0.8)).verdict == "no difference shown"


def test_few_groups_have_no_verdict_however_many_images():
    truth, decided, fold, tone, group = study(1.0, 0.0, groups=9, each=30)
    found = compared(truth, decided, fold, tone, group)
    assert found.verdict == "too few cases: 9 groups with light skin, 10 are needed"
    assert found.difference.too_few


def test_a_fold_without_a_tone_has_no_verdict_and_no_t_test():
    truth, decided, fold, tone, group = study(0.9, 0.9)
    fold = np.where((tone == "dark") & (fold == 3), 4, fold)
    found = compared(truth, decided, fold, tone, group)
    assert found.t_test is None
    assert found.verdict == "too few cases: 1 folds have no image of dark skin"
    assert found.dark.folds.partial


def test_images_of_unknown_tone_are_left_out():
    truth, decided, fold, tone, group = study(0.9, 0.8)
    whole = compared(truth, decided, fold, tone, group)
    more = [np.concatenate([part, part[:50]]) for part in (truth, 1 - decided, fold)]
    tone = np.concatenate([tone, np.array(["unknown"] * 50)])
    found = compared(
        *more[:1], np.concatenate([decided, 1 - decided[:50]]), more[2], tone, np.arange(450) // 5
    )
    assert found.light.accuracy.value == whole.light.accuracy.value
    assert found.light.n == 200


def test_repeats_are_averaged_and_narrow_nothing():
    parts = study(0.9, 0.8)
    one, three = compared(*parts), compared(*parts, repeats=3)
    assert (three.difference.low, three.difference.high) == pytest.approx(
        (one.difference.low, one.difference.high)
    )
    assert three.light.folds.of == 30
