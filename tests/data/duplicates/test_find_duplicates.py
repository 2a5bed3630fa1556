"""The whole search on a table whose copies are known."""

from dataclasses import replace

import numpy as np
import pytest

from poxlens.data import candidates
from poxlens.data.candidates import Candidate
from poxlens.data.duplicates import Compatible, find, find_duplicates
from poxlens.data.duplicates.confirm import NOTHING
from poxlens.data.manifest import Manifest

A, B, A_COPY, A_BMP, B_FLIP, B_DARK, C, D, E = range(9)
AGREE = Compatible({"others": frozenset({"measles", "chickenpox"})})


@pytest.fixture(scope="module")
def found(manifest, scanned, tmp_path_factory):
    return find_duplicates(
        manifest, scanned, compatible=AGREE, store=tmp_path_factory.mktemp("store"), workers=1
    )


def pairs_of(found):
    return {(pair.first, pair.second): pair for pair in found.pairs}


def test_every_copy_is_found_and_nothing_else(found):
    joined = {key: pair.kind for key, pair in pairs_of(found).items() if pair.kind != "suspected"}
    assert joined == {
        (A, A_COPY): "exact",
        (A, A_BMP): "pixels",
        (A_COPY, A_BMP): "pixels",
        (B, B_FLIP): "confirmed",
        (B, B_DARK): "confirmed",
        (B_FLIP, B_DARK): "confirmed",
    }


def test_relations_are_measured(found):
    pairs = pairs_of(found)
    assert pairs[A, A_COPY].relation == "copy"
    assert pairs[B, B_FLIP].relation == "mirrored"
    assert pairs[B, B_DARK].relation == "re-toned"
    assert pairs[B_FLIP, B_DARK].relation == "mirrored, re-toned"
    flip = pairs[B, B_FLIP]
    assert flip.mirrored
    assert flip.inliers >= 50
    assert flip.correlation > 0.97
    assert flip.overlap > 0.97
    assert flip.matrix == pytest.approx((-1, 0, 1, 0, 1, 0), abs=0.01)


def test_groups_join_copies_and_patients_of_one_set(found):
    groups = [[int(row) for row in np.flatnonzero(found.group == number)] for number in range(4)]
    assert groups == [[A, A_COPY, A_BMP], [B, B_FLIP, B_DARK], [C, D], [E]]


def test_conflicts_are_labels_that_cannot_both_be_true(manifest, scanned, found):
    assert {(pair.first, pair.second) for pair in found.conflicts} == {(A, A_BMP), (A_COPY, A_BMP)}
    strict = find_duplicates(manifest, scanned, workers=1)
    assert {(pair.first, pair.second) for pair in strict.conflicts} == {
        (A, A_BMP),
        (A_COPY, A_BMP),
        (B, B_FLIP),
        (B_FLIP, B_DARK),
    }


def test_without_confirmation_a_crop_is_suspected_at_most(manifest, scanned):
    found = find_duplicates(manifest, scanned, confirm=False, workers=1)
    assert found.checked == 0
    assert {pair.kind for pair in found.pairs} <= {"exact", "pixels", "near", "suspected"}
    assert pairs_of(found)[B, B_FLIP].kind == "near"


@pytest.mark.parametrize("join", [False, True])
def test_suspected_pairs_are_joined_on_request_only(monkeypatch, manifest, scanned, join):
    told = [Candidate(C, E, 0.91, near=False, suspect=True), Candidate(D, E, 0.7, near=False, suspect=False)]
    monkeypatch.setattr(candidates, "find_candidates", lambda scan, **_: told)
    found = find_duplicates(manifest, scanned, join_suspected=join, zooms=False, workers=1)
    assert [(p.first, p.second, p.similarity) for p in found.pairs if p.kind == "suspected"] == [(C, E, 0.91)]
    assert (found.group[C] == found.group[E]) == join


def test_a_pair_of_copies_stands_for_all_of_them(monkeypatch, manifest, scanned):
    """One candidate of B's group with A's copies is compared once and told of each copy."""
    told = [
        Candidate(A_COPY, C, 0.9, near=False, suspect=True),
        Candidate(A, C, 0.8, near=False, suspect=False),
    ]
    monkeypatch.setattr(candidates, "find_candidates", lambda scan, **_: told)
    found = find_duplicates(manifest, scanned, confirm=False, workers=1)
    suspected = [(p.first, p.second, p.similarity) for p in found.pairs if p.kind == "suspected"]
    assert suspected == [(A, C, 0.9), (A_COPY, C, 0.9), (A_BMP, C, 0.9)]


def test_many_exact_copies_make_few_pairs(manifest, scanned):
    rows = [0] * 40
    many = replace(
        scanned,
        **{
            name: (lambda v: [v[r] for r in rows] if isinstance(v, list | tuple) else np.asarray(v)[rows])(
                getattr(scanned, name)
            )
            for name in scanned.__dataclass_fields__
        },
    )
    table = Manifest(
        tuple(replace(manifest.rows[0], file=f"{n}.png", patient="") for n in rows), manifest.root, ""
    )
    found = find_duplicates(table, many, workers=1)
    assert len(found.pairs) == 39
    assert found.group.tolist() == [0] * 40


def test_large_tables_open_files_only_in_doubt(monkeypatch, manifest, scanned, found):
    assert found.checked >= 3
    monkeypatch.setattr(find, "LIMIT", 3)  # windows are off, and what is near is left at that
    told, asked = find_duplicates(manifest, scanned, workers=1), []
    kinds = {key: pair.kind for key, pair in pairs_of(told).items()}
    assert kinds[B, B_FLIP] == kinds[B, B_DARK] == "near"
    assert told.checked < found.checked
    assert np.array_equal(told.group, found.group)

    def compared(pairs, *_, **__):
        asked.extend(pairs)
        return [NOTHING] * len(pairs)

    monkeypatch.setattr(find, "check_pairs", compared)
    two = [Candidate(A, B, 0.9, near=True, suspect=True), Candidate(A, C, 0.9, near=False, suspect=True)]
    monkeypatch.setattr(candidates, "find_candidates", lambda scan, **_: two)
    told = find_duplicates(manifest, scanned, workers=1)
    assert asked[0] == (A, C)
    assert (A, B) not in asked
    assert told.checked == len(asked)


def test_a_scan_of_another_table_is_refused(manifest, scanned):
    short = Manifest(manifest.rows[:3], manifest.root, "")
    with pytest.raises(ValueError, match="9 rows, the manifest 3"):
        find_duplicates(short, scanned)


def test_two_candidates_of_one_pair_are_one(monkeypatch, manifest, scanned):
    """The windows may see a pair more alike than the whole pictures, whose word that it is near still holds."""
    told = [Candidate(C, E, 0.62, near=True, suspect=False), Candidate(C, E, 0.9, near=False, suspect=True)]
    monkeypatch.setattr(candidates, "find_candidates", lambda scan, **_: told)
    found = find_duplicates(manifest, scanned, confirm=False, workers=1)
    pair = pairs_of(found)[C, E]
    assert (pair.kind, pair.similarity) == ("near", 0.9)


def test_a_pair_through_a_third_picture_is_compared_too(monkeypatch, manifest, scanned):
    """B and its mirror image, B and its darker copy: the two copies follow."""
    told = [
        Candidate(B, B_FLIP, 0.8, near=False, suspect=False),
        Candidate(B, B_DARK, 0.8, near=False, suspect=False),
    ]
    monkeypatch.setattr(candidates, "find_candidates", lambda scan, **_: told)
    found = find_duplicates(manifest, scanned, zooms=False, workers=1)
    assert pairs_of(found)[B_FLIP, B_DARK].kind == "confirmed"
    assert np.isnan(pairs_of(found)[B_FLIP, B_DARK].similarity)
    assert found.checked == 3
