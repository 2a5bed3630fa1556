"""Groups and suspects by hand, and the promise of the filters as a property."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poxlens.recipes.grouping import Limits, find_groups

LIMITS = Limits(group=0.8, group_patients=0.85, suspect=0.8, suspect_target=0.65, loose=0.9)


def symmetric(pairs, count):
    similarity = np.eye(count, dtype=np.float16)
    for (i, j), value in pairs.items():
        similarity[i, j] = similarity[j, i] = value
    return similarity


def grouped(samples, pairs):
    return find_groups(samples, symmetric(pairs, len(samples)), "mpox", LIMITS)


def test_alike_images_of_a_source_are_one_group_and_chains_too(sample):
    samples = [sample(f"{i}.png", ["mpox"]) for i in range(5)]
    found = grouped(samples, {(0, 1): 0.81, (1, 2): 0.82, (3, 4): 0.79})
    assert found.group.tolist() == [0, 0, 0, 1, 2]
    assert not found.suspect[0, 2]  # linked through 1 only: the group holds them together
    test = np.array([True, False, False, False, False])
    assert found.strict(test).tolist() == [False, False, False, True, True]


def test_alike_images_across_sources_are_suspects_not_one_group(sample):
    samples = [
        sample("0.png", ["mpox"], dataset="a"),
        sample("1.png", ["mpox"], dataset="b"),
        sample("2.png", ["acne"], dataset="c"),
    ]
    found = grouped(samples, {(0, 1): 0.7, (0, 2): 0.7, (1, 2): 0.81})
    assert found.group.tolist() == [0, 1, 2]
    assert found.suspect[0, 1]  # both sources hold mpox: the strict limit
    assert not found.suspect[0, 2]  # c does not
    assert found.suspect[1, 2]
    assert np.array_equal(found.suspect, found.suspect.T)
    assert found.strict(np.array([True, False, False])).tolist() == [False, False, True]
    assert found.strict(np.array([False, True, False])).tolist() == [False, False, False]


def test_named_patients_need_more_likeness(sample):
    samples = [sample(f"{i}.png", ["mpox"], patient=p) for i, p in enumerate(["p", "q", "p", ""])]
    found = grouped(samples, {(0, 1): 0.84, (1, 3): 0.84, (0, 2): 0.1})
    assert found.group.tolist() == [0, 1, 0, 1]
    assert grouped(samples, {(0, 1): 0.86}).group.tolist() == [0, 0, 0, 1]


def test_patient_numbers_of_two_sources_are_two_patients(sample):
    samples = [sample("0.png", ["mpox"], dataset=d, patient="7") for d in "ab"]
    samples = [samples[0], sample("1.png", ["mpox"], dataset="b", patient="7")]
    assert grouped(samples, {}).group.tolist() == [0, 1]


def test_groups_of_the_table_and_patches_of_a_photo_stay_together(sample):
    samples = [
        sample("0.png", ["healthy"]),
        sample("0.png", ["healthy"], patch=(0, 0, 5)),
        sample("1.png", ["mpox"], group="g"),
        sample("2.png", ["acne"], group="g"),
        sample("3.png", ["acne"], group="g", dataset="b"),
    ]
    found = grouped(samples, {})
    assert found.group.tolist() == [0, 0, 1, 1, 1]  # one photo stays one photo in another data set
    assert found.loose[0, 1]
    test = np.array([False, False, True, False, False])
    assert found.strict(test).tolist() == [True, True, False, False, False]
    assert found.lenient(test).tolist() == [True, True, False, True, True]  # what the field does


def test_the_lenient_filter_takes_out_only_what_is_the_same(sample):
    samples = [sample(f"{i}.png", ["mpox"], patient="p" if i in (0, 4) else "") for i in range(5)]
    found = grouped(samples, {(0, 1): 0.95, (0, 2): 0.85, (0, 3): 0.2})
    test = np.array([True, False, False, False, False])
    assert found.lenient(test).tolist() == [False, False, True, True, False]
    assert found.strict(test).tolist() == [False, False, False, True, False]


@st.composite
def worlds(draw):
    """Samples of two sources with patients and groups, and any similarities."""
    count = draw(st.integers(2, 14))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    similarity = np.triu(rng.random((count, count)) ** draw(st.sampled_from([0.3, 1.0, 4.0])), 1)
    similarity = (similarity + similarity.T + np.eye(count)).astype(np.float16)
    rows = [
        (
            str(rng.integers(0, 9)),
            "ab"[rng.integers(2)],
            ["", "", "p", "q"][rng.integers(4)],
            ["", "", "g"][rng.integers(3)],
        )
        for _ in range(count)
    ]
    kinds = [["mpox"] if rng.random() < 0.4 else ["acne"] for _ in range(count)]
    test = rng.random(count) < 0.4
    return rows, kinds, similarity, test


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_no_filter_leaves_what_is_linked_to_a_tested_image(sample, world):
    rows, kinds, similarity, test = world
    samples = [
        sample(file, kind, dataset=d, patient=p, group=g)
        for (file, d, p, g), kind in zip(rows, kinds, strict=True)
    ]
    found = find_groups(samples, similarity, "mpox", LIMITS)
    strict, lenient = found.strict(test), found.lenient(test)
    assert not (strict & test).any()
    assert not (lenient & test).any()
    holds = {d for (_, d, _, _), kind in zip(rows, kinds, strict=True) if kind == ["mpox"]}
    for i in np.flatnonzero(test):
        for j in np.flatnonzero(~test):
            (file, d, p, g), (file2, d2, p2, g2) = rows[i], rows[j]
            same_thing = file == file2 or (p and (d, p) == (d2, p2))
            grouped_with = g and g == g2
            named = bool(p and p2)
            if d == d2:
                alike = similarity[i, j] > (0.85 if named else 0.8)
            else:
                alike = similarity[i, j] > (0.65 if {d, d2} <= holds else 0.8)
            if same_thing or grouped_with or alike:
                assert not strict[j]
            if same_thing or similarity[i, j] > 0.9:
                assert not lenient[j]
            if found.group[i] == found.group[j]:
                assert not strict[j]
    if not test.any():
        assert strict.all()
        assert lenient.all()


def test_what_is_linked_to_nothing_is_kept(sample):
    samples = [sample(f"{i}.png", ["mpox"]) for i in range(6)]
    found = grouped(samples, {})
    assert found.strict(np.arange(6) < 2).tolist() == [False, False, True, True, True, True]


@pytest.mark.parametrize("limits", [None, LIMITS])
def test_limits_have_a_default(sample, limits):
    samples = [sample(f"{i}.png", ["mpox"]) for i in range(3)]
    found = find_groups(samples, symmetric({(0, 1): 0.99, (1, 2): 0.01}, 3), "mpox", limits)
    assert found.group.tolist() == [0, 0, 1]
