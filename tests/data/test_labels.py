from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poxlens.data.labels import distance, meanings, nearest, plain


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("", "", 0),
        ("mpox", "mpox", 0),
        ("chickenpox", "chikenpox", 1),
        ("measles", "measels", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),  # optimal string alignment, where the unrestricted distance is 2
        ("", "abc", 3),
    ],
)
def test_distance_by_hand(first, second, steps):
    assert distance(first, second) == steps


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_bounded(first, second):
    steps = distance(first, second)
    assert steps == distance(second, first)
    assert abs(len(first) - len(second)) <= steps <= max(len(first), len(second))
    assert (steps == 0) == (first == second)


@pytest.mark.parametrize(
    ("counts", "doubted"),
    [
        ({"chickenpox": 100, "chikenpox": 1}, {"chikenpox": ("label_typo", "chickenpox", 100)}),
        (
            {"mpox": 3, "Mpox": 2, "m-pox": 1},
            {"Mpox": ("label_case", "mpox", 3), "m-pox": ("label_case", "mpox", 3)},
        ),
        ({"mpox": 10, "mpxo": 2}, {"mpxo": ("label_typo", "mpox", 10)}),
        ({"chickenpox": 5, "chikenpox": 2}, {}),  # not far more frequent: may be meant
        ({"mpox": 100, "cowpox": 1, "acne": 1, "others": 1}, {}),
        ({"grade 1": 100, "grade 2": 1, "type a": 90, "type b": 1}, {}),
        ({"mel": 100, "nv": 1, "bcc": 100, "scc": 1}, {}),  # too short to tell
    ],
)
def test_labels_in_doubt(counts, doubted):
    assert meanings(Counter(counts)) == doubted


def test_known_labels_are_right_whatever_their_number():
    assert meanings(Counter({"measels": 50}), ("measles",)) == {"measels": ("label_typo", "measles", 0)}
    assert nearest("Chikenpox", ["Measles", "Chickenpox"]) == "Chickenpox"
    assert nearest("patients", ["Measles", "Chickenpox"]) == ""
    assert plain("Monkey_Pox ") == plain("monkey-pox") == "monkeypox"


def test_free_text_is_not_compared_pair_by_pair():
    counts = Counter({f"finding {'abcdefghij'[i % 10] * (i // 10 + 1)}": 1 for i in range(600)})
    counts |= Counter({"Finding a": 1, "finding a": 2, "finding aa": 100})
    assert meanings(counts) == {"Finding a": ("label_case", "finding a", 2)}
