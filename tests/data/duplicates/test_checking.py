"""Pairs compared side by side, kept, found again; damaged files and stores."""

import sqlite3

import pytest

from poxlens.data.duplicates import checking, confirm
from poxlens.data.duplicates.checking import check_pairs
from poxlens.data.duplicates.confirm import NOTHING, Verdict
from poxlens.data.duplicates.verdicts import NAME, Verdicts

B, B_FLIP, C = 1, 4, 6
PAIRS = [(B, B_FLIP), (B, C)]


@pytest.fixture
def table_of(manifest, scanned):
    return [row.path for row in manifest.rows], scanned.sha256


def test_processes_give_what_one_gives(table_of):
    alone, told = check_pairs(PAIRS, *table_of, None, workers=1), []
    several = check_pairs(PAIRS, *table_of, None, workers=2, advance=told.append)
    assert repr(several) == repr(alone)  # NaN is not equal to itself
    assert [verdict.kind for verdict in several] == ["confirmed", ""]
    assert sum(told) == 2


def test_what_is_kept_is_not_computed_again(table_of, tmp_path, monkeypatch):
    first = check_pairs(PAIRS[:1], *table_of, tmp_path, workers=1)
    asked = []
    compare = checking.Comparer.compare

    def counted(self, pairs):
        asked.extend(pairs)
        return compare(self, pairs)

    monkeypatch.setattr(checking.Comparer, "compare", counted)
    told = []
    again = check_pairs(PAIRS, *table_of, tmp_path, workers=1, advance=told.append)
    assert again[0] == first[0]
    assert len(asked) == 1
    assert sum(told) == 2


def test_verdicts_of_another_method_are_not_taken(table_of, tmp_path, monkeypatch):
    store = Verdicts(tmp_path)
    store.write({("a", "b"): Verdict("confirmed", 50, 0.99, 0.5, True, "crop", (1.0, 0, 0, 0, 1, 0))})
    assert store.read([("a", "b"), ("a", "c")])["a", "b"].relation == "crop"
    monkeypatch.setattr("poxlens.data.duplicates.verdicts.VERSION", confirm.VERSION + 1)
    assert store.read([("a", "b")]) == {}


def test_a_verdict_comes_back_as_it_was(tmp_path):
    store = Verdicts(tmp_path)
    written = {
        ("a", "b"): Verdict(
            "confirmed", 50, 0.99, 0.5, True, "crop, mirrored", (1.0, 0.0, 0.25, 0.0, 1.0, 0.5)
        ),
        ("a", "c"): Verdict("scene", 30, 0.7, 0.9),
    }
    store.write(written)
    assert store.read(written) == written
    (nothing,) = (store.write({("x", "y"): NOTHING}), store.read([("x", "y")]))[1].values()
    assert nothing.kind == ""


def test_many_keys_are_asked_in_parts(tmp_path):
    store = Verdicts(tmp_path)
    keys = [(f"{n:04d}", "b") for n in range(1000)]
    store.write({key: Verdict("scene", n, 0.6, 0.5) for n, key in enumerate(keys)})
    found = store.read(keys)
    assert [found[key].inliers for key in keys] == list(range(1000))


@pytest.mark.parametrize("damage", [b"", b"not a database, but long enough to be read as one" * 40])
def test_a_damaged_store_is_begun_again(tmp_path, damage):
    Verdicts(tmp_path).write({("a", "b"): Verdict("scene", 30, 0.7, 0.9)})
    (tmp_path / NAME).write_bytes(damage)
    store = Verdicts(tmp_path)
    assert store.read([("a", "b")]) == {}
    store.write({("a", "b"): Verdict("scene", 31, 0.7, 0.9)})
    assert store.read([("a", "b")])["a", "b"].inliers == 31
    with sqlite3.connect(tmp_path / NAME) as base:
        assert base.execute("select count(*) from pairs").fetchone() == (1,)


def test_a_file_that_went_away_tells_nothing(table_of, tmp_path):
    paths, sha256 = table_of
    gone = [*paths[:C], tmp_path / "gone.png", *paths[C + 1 :]]
    found = check_pairs(PAIRS, gone, sha256, None, workers=1)
    assert [verdict.kind for verdict in found] == ["confirmed", ""]
    assert found[1].inliers == 0


def test_a_process_that_breaks_down_takes_only_its_pair_with_it(table_of, monkeypatch):
    """The process ends at one file, as when a decoder crashes."""
    paths, _ = table_of
    broken = (
        "import os; from poxlens.data.duplicates import worker; real = worker.Comparer.compare\n"
        f"def compare(self, pairs):\n    if any({paths[C].name!r} in b for a, b in pairs): os._exit(9)\n"
        "    return real(self, pairs)\n"
        "worker.Comparer.compare = compare; worker.main()"
    )
    monkeypatch.setattr(checking, "_SERVE", broken)
    found = check_pairs(PAIRS, *table_of, None, workers=2)
    assert [verdict.kind for verdict in found] == ["confirmed", ""]
