"""The committed lists of results/duplicates: of this table, consistent, and confirmed again on a sample."""

import csv
from pathlib import Path

import numpy as np
import pytest

from poxlens.data.duplicates.confirm import confirm
from poxlens.data.duplicates.groups import Forest, known_keys
from poxlens.data.duplicates.model import JOINED
from poxlens.data.keypoints import describe
from poxlens.data.manifest import read_manifest
from poxlens.photo.decode import decode

ROOT = Path(__file__).parents[3]
TABLE = ROOT / ".." / "shared" / "data" / "manifest.csv"
LISTS = ROOT / "results" / "duplicates"


def lines(name):
    with (LISTS / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def pairs():
    return lines("pairs.csv")


@pytest.fixture(scope="module")
def manifest():
    if not TABLE.exists():
        pytest.skip("needs the real images beside the checkout (../shared/data/manifest.csv)")
    return read_manifest(TABLE)


def test_the_lists_hold_names_and_numbers_only(pairs):
    assert len(pairs) > 500
    assert {pair["kind"] for pair in pairs} <= set(JOINED)
    assert all(pair["file"] != pair["other"] for pair in pairs)
    assert len({frozenset((pair["file"], pair["other"])) for pair in pairs}) == len(pairs)


def test_no_pair_lies_across_two_groups(pairs):
    group = {line["file"]: line["group"] for line in lines("groups.csv")}
    assert all(group[pair["file"]] == group[pair["other"]] for pair in pairs)


@pytest.mark.real_data
def test_the_groups_are_what_pairs_and_patients_make(manifest, pairs):
    number = {row.file: place for place, row in enumerate(manifest.rows)}
    forest, first = Forest(len(number)), {}
    for place, row in enumerate(manifest.rows):
        for key in known_keys(row):
            forest.join(first.setdefault(key, place), place)
    for pair in pairs:
        forest.join(number[pair["file"]], number[pair["other"]])
    listed = [line["group"] for line in lines("groups.csv")]
    assert [line["file"] for line in lines("groups.csv")] == [row.file for row in manifest.rows]
    assert np.unique(listed, return_inverse=True)[1].max() + 1 == len(set(forest.numbers().tolist()))
    assert len(set(zip(listed, forest.numbers().tolist(), strict=True))) == len(set(listed))


@pytest.mark.real_data
def test_the_list_is_of_this_table(manifest):
    assert manifest.sha256 in (LISTS / "README.md").read_text("utf-8")


@pytest.mark.real_data
def test_the_known_faults_are_found(manifest, pairs):
    """Those that the images' own README names."""
    sets = [{pair["dataset"], pair["other_dataset"]} for pair in pairs]
    contents = [row.sha256 for row in manifest.rows]
    assert sum(pair["kind"] == "exact" for pair in pairs) == len(contents) - len(set(contents)) == 7
    across = [pair for pair, both in zip(pairs, sets, strict=True) if both == {"msld", "msid"}]
    msld = {name for pair in across for name in (pair["file"], pair["other"]) if name.startswith("msld/")}
    assert len(msld) >= 40  # "nine ... and many more as crops or re-toned copies"
    opposite = [
        pair for pair in across if pair["conflict"] and "mpox" in (pair["label"], pair["other_label"])
    ]
    assert opposite
    inside = [pair for pair, both in zip(pairs, sets, strict=True) if both == {"msid"}]
    assert any(pair["conflict"] for pair in inside)  # one image in two classes
    partners = {
        label: len({name for pair in inside if pair["label"] == pair["other_label"] == label
                    for name in (pair["file"], pair["other"])})
        for label in ("mpox", "chickenpox", "measles", "normal")
    }  # fmt: skip
    assert partners["mpox"] >= 18
    assert partners["chickenpox"] >= 10
    assert partners["measles"] >= 8
    assert partners["normal"] >= 8
    patients = [pair for pair in pairs if pair["dataset"] == "msld" and pair["patients"] == "different"]
    assert len(patients) >= 3  # README counts nine by cosine: six of them show different photos


@pytest.mark.real_data
def test_listed_pairs_are_confirmed_again_and_others_are_not(manifest, pairs):
    path = {row.file: row.path for row in manifest.rows}
    rng = np.random.default_rng(0)
    listed = [pair for pair in pairs if pair["kind"] == "confirmed"]
    sample = [listed[place] for place in rng.choice(len(listed), 20, replace=False)]
    keys = {
        name: describe(decode(path[name]).pixels) for pair in sample for name in (pair["file"], pair["other"])
    }
    for pair in sample:
        found = confirm(keys[pair["file"]], keys[pair["other"]])
        assert (found.kind, found.inliers, found.relation) == (
            "confirmed",
            int(pair["inliers"]),
            pair["relation"],
        )
    group = {line["file"]: line["group"] for line in lines("groups.csv")}
    names = sorted(keys)
    apart = [(a, b) for place, a in enumerate(names) for b in names[:place] if group[a] != group[b]]
    chosen = [apart[place] for place in rng.choice(len(apart), 200, replace=False)]
    assert {confirm(keys[a], keys[b]).kind for a, b in chosen} == {""}
