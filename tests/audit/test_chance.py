import numpy as np
import pytest

from poxlens.audit.chance import by_chance, check_chance, leaked_share


def simulated(group, folds, draws=4000, seed=0):
    """Images dealt at random again and again: how many tested images have a partner in training."""
    rng = np.random.default_rng(seed)
    group = np.asarray(group)
    size = len(group) // folds
    leaked = 0
    for _ in range(draws):
        test = rng.permutation(len(group))[:size]
        train = np.setdiff1d(np.arange(len(group)), test)
        leaked += np.isin(group[test], group[train]).sum()
    return leaked / (draws * size)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_the_formula_is_what_happens(folds):
    group = np.array([0] * 8 + [1] * 3 + [2] * 2 + list(range(3, 10)))
    assert leaked_share(group, folds) == pytest.approx(simulated(group, folds), abs=0.008)


def test_by_hand():
    # Four images, two pairs, two folds of two: the partner is one of three others, one of which shares the fold.
    assert leaked_share(np.array([0, 0, 1, 1]), 2) == pytest.approx(2 / 3)
    assert leaked_share(np.arange(50), 5) == 0
    # Thirteen augmented copies of each photo: practically every test image.
    assert leaked_share(np.arange(1300) // 13, 5) > 0.9999


def test_what_cannot_be_dealt_is_refused():
    with pytest.raises(ValueError, match="3 images cannot be dealt to 5 folds"):
        leaked_share(np.arange(3), 5)


def test_photo_and_person_are_told_apart(make, a_row, a_pair):
    rows = [a_row(str(n), patient="p" if n < 2 else "", dataset="x" if n < 5 else "y") for n in range(10)]
    material = make(rows, [a_pair(2, 3), a_pair(4, 5, "suspected")])
    (five,) = by_chance(material, (5, 20))
    one_pair = leaked_share(np.array([0, 0, *range(1, 9)]), 5)
    assert five.photo == pytest.approx(one_pair)
    assert five.person == pytest.approx(one_pair)
    assert five.any == pytest.approx(2 * one_pair)
    (finding,) = check_chance(material, [five])
    assert finding.severity == "warning"
    assert finding.numbers["any_5_folds"] == pytest.approx(five.any)
    assert "x 64%" in finding.advice  # four of its five images have one partner, and 4/5 of those leak
    assert "y" not in finding.advice.split("source: ")[1]


def test_a_table_without_partners_is_quiet(make, a_row):
    material = make([a_row(str(n)) for n in range(20)])
    assert check_chance(material, by_chance(material, (5,))) == []
