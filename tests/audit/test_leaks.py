import numpy as np
import pytest

from poxlens.audit.folds import Assignment
from poxlens.audit.leaks import check_leaks, check_parts, crossing_key, find_leaks


def dealt(part, name="repeat 1", *, inner=False, parts=("fold 1", "fold 2", "fold 3"), twice=()):
    return Assignment(name, np.array(part), parts, inner, twice)


def test_a_key_in_three_parts_gives_two_links_and_all_its_rows():
    key = np.array([4, 4, 4, 4, 7, 7, -1, -1])
    links, rows = crossing_key(key, np.array([1, 0, 0, 2, 1, 1, 0, 1]))
    assert {frozenset(one) for one in zip(links.first.tolist(), links.second.tolist(), strict=True)} == {
        frozenset({1, 0}), frozenset({1, 3}),
    }  # fmt: skip
    assert rows.tolist() == [0, 1, 2, 3]


@pytest.fixture
def world(make, a_row, a_pair):
    """Ten rows: 0-1 the same bytes, 2-3 a crop, 4-5 one person, 6-7 one group, 8-9 suspected."""
    patient, group = {4: "p", 5: "p"}, {6: "g", 7: "g"}
    rows = [a_row(f"{n}.jpg", patient=patient.get(n, ""), group=group.get(n, "")) for n in range(10)]
    sha = [f"{n:064x}" for n in (0, 0, 2, 3, 4, 5, 6, 7, 8, 9)]
    pairs = [a_pair(2, 3), a_pair(8, 9, "suspected")]
    return make(rows, pairs, sha256=sha)


def test_every_kind_is_found_with_both_files_and_folds(world):
    leaks, touched = find_leaks(world, [dealt([0, 1] * 5)])
    assert [(leak.first, leak.second, leak.kind) for leak in leaks] == [
        (0, 1, "exact"), (2, 3, "confirmed"), (4, 5, "person"), (6, 7, "group"), (8, 9, "suspected"),
    ]  # fmt: skip
    assert leaks[0].where == ("repeat 1: fold 1 | fold 2",)
    assert touched.tolist() == [True] * 8 + [False] * 2
    findings = {one.code: one for one in check_leaks(world, [dealt([0, 1] * 5)])}
    assert {code: one.severity for code, one in findings.items()} == {
        "leak.exact": "leak", "leak.confirmed": "leak", "leak.person": "leak", "leak.group": "leak",
        "leak.suspected": "warning",
    }  # fmt: skip
    item = findings["leak.person"].items[0]
    assert (item.name, item.other) == ("4.jpg", "5.jpg")
    assert "fold 1 | fold 2" in item.detail
    assert findings["leak.exact"].numbers["images_touched_by_any_leak"] == 8


def test_whole_groups_on_one_side_are_no_leak(world):
    assert check_leaks(world, [dealt([0, 0, 1, 1, 0, 0, 1, 1, 0, 0])]) == []


def test_unused_rows_leak_nothing(world):
    assert check_leaks(world, [dealt([0, -1] * 5)]) == []


def test_a_leak_in_two_repeats_is_one_pair_with_two_places(world):
    leaks, _ = find_leaks(world, [dealt([0, 1] + [0] * 8), dealt([2, 0] + [0] * 8, "repeat 2")])
    assert len(leaks) == 1
    assert leaks[0].where == ("repeat 1: fold 1 | fold 2", "repeat 2: fold 3 | fold 1")


def test_files_linked_through_one_that_is_not_used_still_leak(make, a_row, a_pair):
    material = make([a_row(str(n)) for n in range(4)], [a_pair(0, 1), a_pair(1, 2)])
    leaks, touched = find_leaks(material, [dealt([0, -1, 1, 1])])
    assert [(leak.first, leak.second, leak.kind) for leak in leaks] == [(0, 2, "indirect")]
    assert touched.tolist() == [True, False, True, False]


def test_an_inner_leak_is_a_fault_unless_it_is_an_outer_one_too(world):
    inner = dealt([0, 1, 0, 1] + [0] * 6, "repeat 1, fold 1", inner=True, parts=("inner part 1", "the rest"))
    outer = dealt([0, 1] + [0] * 8)
    findings = {one.code: one for one in check_leaks(world, [outer, inner])}
    assert set(findings) == {"leak.exact", "leak.inner"}
    assert findings["leak.inner"].severity == "fault"
    assert [(item.name, item.other) for item in findings["leak.inner"].items] == [("2.jpg", "3.jpg")]


def test_labels_that_differ_are_told(make, a_row, a_pair):
    material = make([a_row("0", "mpox"), a_row("1", "acne")], [a_pair(0, 1)])
    (finding,) = check_leaks(material, [dealt([0, 1])])
    assert "labels mpox and acne" in finding.items[0].detail


def test_a_file_listed_in_two_parts_leaks_with_itself(make, a_row):
    material = make([a_row("0"), a_row("1")])
    findings = check_leaks(material, [dealt([0, 1], "split", twice=((0, "train", "test"),))])
    assert [one.code for one in findings] == ["leak.listed_twice"]
    assert findings[0].items[0].detail == "split: train | test"


def test_parts_without_a_class_and_files_in_no_part(make, a_row):
    material = make([a_row("0", "a"), a_row("1", "b"), a_row("2", "a"), a_row("3", "b")])
    findings = {
        one.code: one for one in check_parts(material, [dealt([0, 0, 1, -1], parts=("fold 1", "fold 2"))])
    }
    assert [(item.name, item.detail) for item in findings["split.class_missing"].items] == [
        ("repeat 1: fold 2", "has no b")
    ]
    assert [item.name for item in findings["split.unused"].items] == ["3"]
    assert check_parts(material, []) == []


def test_a_hundred_thousand_rows_take_a_second_or_so(make, a_row):
    """No table of N x N: that would be 10 GB."""
    import time

    count = 100_000
    rows = [a_row(str(n), patient=str(n // 3)) for n in range(count)]
    material = make(rows, sha256=[f"{n:064x}" for n in range(count)], thumb=np.zeros((0,), np.uint8))
    start = time.process_time()
    leaks, touched = find_leaks(material, [dealt(np.arange(count) % 2)])
    assert time.process_time() - start < 10
    assert touched.sum() >= count - 1
    assert len(leaks) == count // 3
