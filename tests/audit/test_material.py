import numpy as np
import pytest

from poxlens.audit.material import NO_SOURCE, coded, connected, gather, sizes, star, together


def test_each_row_of_a_key_is_linked_to_its_first():
    links = star(np.array([3, -1, 5, 3, 5, 3, -1, 9]))
    assert list(zip(links.first.tolist(), links.second.tolist(), strict=True)) == [(0, 3), (2, 4), (0, 5)]


def test_an_empty_name_belongs_to_nobody():
    keys = together(["p1", "", "p2", "p1", ""])
    assert keys.tolist().count(-1) == 2
    assert keys[0] == keys[3] != keys[2]


def test_connected_parts_are_numbered_by_first_appearance():
    assert connected(7, np.array([5, 1, 6]), np.array([2, 6, 3])).tolist() == [0, 1, 2, 1, 3, 2, 1]
    assert connected(3, np.array([], int), np.array([], int)).tolist() == [0, 1, 2]


def test_sizes_and_codes():
    assert sizes(np.array([7, 7, 2, 7])).tolist() == [3, 3, 1, 3]
    names, codes = coded(["b", "a", "b"])
    assert names == ("a", "b")
    assert codes.tolist() == [1, 0, 1]


def test_units_join_person_group_bytes_and_photo_through_others(make, a_row, a_pair):
    rows = [
        a_row("0", patient="1", dataset="x"), a_row("1", patient="1", dataset="x"),
        a_row("2", patient="1", dataset="y"), a_row("3", group="g"), a_row("4", group="g"),
        a_row("5"), a_row("6"), a_row("7"),
    ]  # fmt: skip
    sha = [f"{n:064x}" for n in (0, 1, 2, 3, 4, 5, 6, 5)]
    material = make(rows, [a_pair(1, 3), a_pair(2, 6, "suspected")], sha256=sha)
    # 0-1 one person, 1-3 one photo, 3-4 one group; 5-7 the same bytes; patient 1 of y is another; suspects stay apart
    assert material.unit.tolist() == [0, 0, 1, 0, 0, 2, 3, 2]
    assert material.sources == (NO_SOURCE, "x", "y")


def test_tone_is_the_tables_else_the_photos(make, a_row):
    rows = [a_row("0", skin_tone="dark"), a_row("1"), a_row("2"), a_row("3")]
    material = make(rows, ita=np.array([40, 10.1, 10.0, np.nan], np.float32))
    assert material.tone == ("dark", "light", "dark", "unknown")


def test_a_scan_of_another_table_is_refused(make, a_row):
    scan = make([a_row("0"), a_row("1")]).scan
    with pytest.raises(ValueError, match="2 rows where the table has 1"):
        gather([a_row("0")], scan, ())
