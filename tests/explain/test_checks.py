"""The checks on maps that are known to be right, wrong or random."""

from __future__ import annotations

import numpy as np
import pytest

from poxlens.bundle.store import load
from poxlens.explain import checks, trial
from poxlens.explain.checks import (
    LEAST_ENERGY,
    chance_agreement,
    deletion,
    on_lesions,
    randomisation,
    shifted,
    steadiness,
    unstable,
)
from poxlens.explain.graph_module import onnx_model
from poxlens.explain.measures import best_possible, enlarged
from poxlens.explain.record import Figure, figures_of, mean, ratio
from poxlens.explain.trial import LIMIT_SEEDS, OTHER_SEEDS, TARGET_SEEDS, Tried, drawn
from poxlens.photo.resize import InputRule
from poxlens.screen.graph import Outputs

SIDE = 112


@pytest.fixture(scope="module")
def tried():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "PHOTO_SIDE", SIDE)  # a twentieth of the time
        return drawn(range(30, 42), InputRule(size=SIDE), lesion="umbilicated-pustule")


def perfect(tried):
    return np.stack([best_possible(mask, (7, 7)) for mask in tried.masks]).astype(np.float32)


def by_name(figures):
    return {one.name: one for one in figures}


def nothing_done(count):
    assert count == 1


def test_no_seed_serves_twice_and_none_is_a_test_of_elsewhere():
    seeds = [*TARGET_SEEDS, *LIMIT_SEEDS, *(seed for some in OTHER_SEEDS.values() for seed in some)]
    assert len(seeds) == len(set(seeds)) == 500
    assert min(seeds) >= 700_000


def test_phantoms_are_as_the_model_sees_them(tried):
    assert tried.images.shape == (12, SIDE, SIDE, 3)
    assert tried.masks.shape == (12, SIDE, SIDE)
    assert ((tried.masks >= 0) & (tried.masks <= 1)).all()
    assert 0.02 < tried.areas.mean() < 0.4


def test_a_perfect_map_reaches_the_best_possible_and_an_even_one_chance(tried):
    found = by_name(on_lesions(perfect(tried), tried, "x", LEAST_ENERGY))
    first, best = list(found.values())[:2]
    assert first.value == pytest.approx(best.value)
    assert first.value > 2
    assert first.passed is True
    assert first.low < first.value < first.high
    even = by_name(on_lesions(np.ones((12, 7, 7), np.float32), tried, "x", LEAST_ENERGY))
    value = next(iter(even.values()))
    assert value.value == pytest.approx(1.0, abs=1e-5)
    assert value.passed is False


def test_the_energy_is_told_apart_by_area_and_by_the_gate(tried):
    known = np.arange(12) % 2 == 0
    figures = checks.by_area(perfect(tried), tried, known)
    first = [one for one in figures if one.name == "energy on lesions over their share of the area"]
    assert all(one.passed is None for one in figures)
    assert sum(one.n for one in first if "of the picture" in one.group) == 12
    assert [one.n for one in first if "novel" in one.group] == [6, 6]
    # The more the lesions cover, the less a map can be above chance.
    values = [one.value for one in first if "of the picture" in one.group]
    assert values == sorted(values, reverse=True)


def test_empty_maps_are_left_out_and_counted(tried):
    maps = perfect(tried)
    maps[:4] = 0
    found = on_lesions(maps, tried, "x", None)
    assert {one.n for one in found} == {8}
    assert found[0].passed is None
    none = on_lesions(np.zeros_like(maps), tried, "x", LEAST_ENERGY)
    assert {(one.n, one.value) for one in none} == {(0, None)}
    assert none[0].passed is False


def test_a_map_that_marks_what_counts_falls_and_rises_faster(tried):
    maps = perfect(tried)

    def likely(images):
        """How much of the lesions is left, of the phantom at hand."""
        return np.array([_left(image, tried) for image in images])

    found = by_name(deletion(tried.images[:6], maps, likely, nothing_done))
    assert [one.passed for one in found.values()] == [True, True]
    assert all(one.value > 0.05 for one in found.values())
    against = deletion(tried.images[:6], maps.max() - maps, likely, nothing_done)
    assert [one.passed for one in against] == [False, False]


def _left(image, tried):
    differences = np.abs(tried.images.astype(float) - image).mean((1, 2, 3))
    at = int(differences.argmin())
    same = (tried.images[at] == image).all(2)
    return float((same * tried.masks[at]).sum() / tried.masks[at].sum())


def outputs_of(heat):
    """What a model with one class gives whose maps are these."""
    n = len(heat)
    return Outputs(
        np.zeros((n, 1), np.float32), np.zeros((n, 2), np.float32), heat[:, None], np.zeros(n, np.float32)
    )


def colour(images):
    """A map that is the photo's own red, 7 x 7: it turns and moves with the photo."""
    side = images.shape[1] // 7
    red = images[..., 0].astype(np.float32).reshape(len(images), 7, side, 7, side)
    return red.mean((2, 4))


def test_a_map_that_turns_and_moves_with_the_photo_is_steady(tried):
    figures = by_name(
        steadiness(
            lambda some: outputs_of(colour(some)), tried.images, colour(tried.images), 0, "x", nothing_done
        )
    )
    flipped, moved, share = figures.values()
    assert flipped.value == pytest.approx(1.0, abs=1e-6)
    assert moved.value > 0.9
    assert share.value == 0.0


def test_a_map_that_stays_where_it_is_is_not(tried):
    stuck = np.tile(np.linspace(0, 1, 7, dtype=np.float32), (12, 7, 1))

    def run(some):
        return outputs_of(stuck[: len(some)])

    flipped, moved, share = steadiness(run, tried.images, stuck, 0, "x", nothing_done)
    assert flipped.value == pytest.approx(-1.0, abs=1e-6)
    assert moved.value < 1.0
    assert share.value == 1.0


def test_shifting_moves_the_photo_and_keeps_its_size():
    image = np.zeros((1, 20, 20, 3), np.uint8)
    image[0, 5, 7] = 200
    for right, down in checks.SHIFTS:
        moved = shifted(image, (right, down))
        assert moved.shape == image.shape
        rows, columns = np.nonzero(moved[0, :, :, 0])
        if 0 <= 5 + down < 20 and 0 <= 7 + right < 20:
            assert (5 + down, 7 + right) in set(zip(rows.tolist(), columns.tolist(), strict=True))


def test_unstable_maps_are_counted_with_wilsons_interval():
    steady = np.random.default_rng(0).random((20, 7, 7)).astype(np.float32)
    turned = steady[:, :, ::-1].copy()
    turned[:3] = steady[:3] * -1
    found = unstable(steady, turned, "x")
    assert (found.value, found.n) == (0.15, 20)
    assert found.low == pytest.approx(0.0524, abs=1e-3)
    assert found.high == pytest.approx(0.3604, abs=1e-3)


def test_chance_agreement_is_that_of_different_photos():
    rng = np.random.default_rng(0)
    maps = rng.random((100, 7, 7)).astype(np.float32)
    # 49 independent places: one in twenty correlations lies above 1.645 / sqrt(48)
    assert chance_agreement(maps, maps[:, :, ::-1]) == pytest.approx(1.645 / 48**0.5, abs=0.03)


def test_the_embedded_bundle_loses_its_map_when_randomised():
    bundle = load(None)
    images = drawn(range(30, 33), bundle.manifest.input, lesion="umbilicated-pustule").images
    found = randomisation(onnx_model(bundle), 224, images, 0, nothing_done)
    assert len(found) == 5
    assert all(abs(one.value) < 0.5 and one.passed for one in found)
    assert all(one.n == len(checks.RANDOM_SEEDS) == 20 for one in found)


def test_limits_are_of_the_value_or_of_the_interval():
    one = Figure("c", "n", "g", 0.4, 0.3, 0.6, 10)
    assert one.at_least(0.4).passed
    assert not one.at_least(0.41).passed
    assert one.surely_below(0.61).passed
    assert not one.surely_below(0.6).passed
    assert one.surely_above(0.29).passed
    assert not one.surely_above(0.3).passed
    undefined = Figure("c", "n", "g", None, None, None, 0)
    assert not undefined.at_least(0.0).passed
    assert not undefined.surely_below(1.0).passed


def test_a_ratio_is_that_of_the_means():
    above, below = np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 4.0])
    found = figures_of("c", "g", {"r": ratio(above, below), "m": mean(above)})
    assert found[0].value == pytest.approx(1.5)
    assert found[1].value == pytest.approx(3.0)
    clustered = figures_of("c", "g", {"m": mean(np.array([0.0, 0, 1, 1]))}, ["a", "a", "b", "b"])
    assert clustered[0].low == 0.0
    assert clustered[0].high == 1.0


def test_enlarged_maps_cover_the_photo():
    heat = np.zeros((7, 7), np.float32)
    heat[0, 6] = 1
    drawn_map = enlarged(heat, 112)
    assert np.unravel_index(drawn_map.argmax(), drawn_map.shape)[0] < 16
    assert np.unravel_index(drawn_map.argmax(), drawn_map.shape)[1] >= 96


def test_tried_knows_its_areas():
    tried = Tried(
        np.zeros((2, 4, 4, 3), np.uint8), np.stack([np.zeros((4, 4)), np.eye(4)]).astype(np.float32)
    )
    assert tried.areas.tolist() == [0.0, 0.25]
