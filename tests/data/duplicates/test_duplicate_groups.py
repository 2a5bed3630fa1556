"""Groups against SciPy, and the weakest pair that holds one together."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from poxlens.data.duplicates.groups import Forest, group_rows
from poxlens.data.duplicates.model import Pair
from poxlens.data.manifest import Row


def rows(count, **cells):
    return [
        Row(f"{n}.jpg", Path(f"{n}.jpg"), "x", **{k: v[n] for k, v in cells.items()}) for n in range(count)
    ]


def confirmed(first, second, inliers):
    return Pair(first, second, "confirmed", 0.9, inliers)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 25).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))
    )
)
def test_groups_are_the_connected_parts(given):
    count, edges = given
    forest = Forest(count)
    for one, other in edges:
        forest.join(one, other)
    group = forest.numbers()
    ends = np.array(edges, int).reshape(-1, 2).T
    expected = connected_components(
        coo_array((np.ones(len(edges)), tuple(ends)), (count, count)), directed=False
    )
    assert len(set(group.tolist())) == expected[0]
    assert np.array_equal(group[:, None] == group, expected[1][:, None] == expected[1])
    first = [int(np.flatnonzero(group == number)[0]) for number in range(expected[0])]
    assert first == sorted(first)


def test_the_weakest_link_is_the_bridge():
    """Two triangles of strong pairs, held together by one weak pair, and a lone strong pair."""
    strong = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7)]
    pairs = [confirmed(*edge, 90) for edge in strong] + [confirmed(2, 3, 9)]
    group, links = group_rows(rows(9), pairs)
    assert group.tolist() == [0] * 6 + [1, 1, 2]
    assert [(link.pair.first, link.pair.second, link.size, link.apart) for link in links] == [
        (2, 3, 6, 3),
        (6, 7, 2, 1),
    ]


def test_surer_kinds_hold_more_than_more_keypoints():
    pairs = [Pair(0, 1, "suspected", 0.99), Pair(1, 2, "scene", 0.9, 200), Pair(2, 3, "exact", 1.0)]
    _, links = group_rows(rows(4), pairs)
    assert links[0].pair.kind == "suspected"
    assert (links[0].size, links[0].apart) == (4, 1)


def test_patients_are_of_their_set_and_groups_are_of_the_table():
    table = rows(
        6,
        dataset=["a", "a", "b", "b", "c", "c"],
        patient=["1", "1", "1", "", "", "2"],
        group=["", "", "", "g", "g", ""],
    )
    group, links = group_rows(table, [])
    assert group.tolist() == [0, 0, 1, 2, 2, 3]
    assert links == ()


def test_links_of_the_largest_groups_only():
    pairs = [confirmed(2 * n, 2 * n + 1, 20 + n) for n in range(30)]
    _, links = group_rows(rows(60), pairs, most_links=3)
    assert [(link.size, link.pair.inliers) for link in links] == [(2, 20), (2, 21), (2, 22)]
