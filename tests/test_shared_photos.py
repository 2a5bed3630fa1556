"""Which joined pairs a filter by similarity lets stand on both sides of a fold: counted on a made table."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import shared_photos as shared  # noqa: E402

from poxlens.recipes.grouping import Grouping  # noqa: E402
from poxlens.recipes.protocol import Plan, Table  # noqa: E402

COUNT = 48  # 24 images of MSLD, then 24 of MSID; two classes in turns


@pytest.fixture
def table():
    source = np.repeat(["msld", "msid"], COUNT // 2)
    possible = np.eye(2, dtype=bool)[np.arange(COUNT) % 2]
    possible[47] = False  # of no class: no head learns from it
    group = np.arange(COUNT)
    group[2] = group[0]  # one group
    suspect = np.zeros((COUNT, COUNT), bool)
    suspect[4, 28] = suspect[28, 4] = True  # found alike by the embedding
    none = np.zeros((COUNT, COUNT), bool)
    features = np.zeros((COUNT, 3), np.float32)
    return Table(
        learnt=features,
        tested=features,
        possible=possible,
        stratum=np.array([f"{name}: {number % 2}" for number, name in enumerate(source)]),
        source=source,
        weight=np.ones(COUNT, np.float32),
        grouping=Grouping(group, suspect, none, none),
        target_sources=("msld", "msid"),
    )


def pair(one, other, labels=("mpox", "mpox")):
    sets = tuple(sorted("msld" if place < COUNT // 2 else "msid" for place in (one, other)))
    return shared.Pair(f"{one}.png", f"{other}.png", sets, labels)


@pytest.fixture
def samples():
    return [SimpleNamespace(row=SimpleNamespace(file=f"{number}.png"), patch=None) for number in range(COUNT)]


def test_pairs_that_are_held_apart_are_not_counted(table, samples):
    across, within = pair(6, 30), pair(8, 10, ("mpox", "measles"))
    pairs = [pair(0, 2), pair(4, 28), across, within, pair(12, 47), pair(12, 99)]
    places = shared.places_of(pairs, samples, table)
    assert len(places) == 4  # one is of no class, one is not in the table
    loose = shared.let_through(places, table)
    assert set(loose) == {across, within}
    plan = Plan(repeats=2, folds=4)
    assert len(list(shared.folds_of(table, plan))) == 2 * 2 * 4
    # MSLD is tested while all of MSID but suspects is learnt from: a shared photo is always on both sides.
    found = shared.on_both_sides(loose, table, plan)
    assert across in found
    assert shared.on_both_sides(places, table, plan) == found
    counts = shared.counted(found | {within})
    assert counts == {"all": 2, "both mpox": 1, "MSID and MSLD": 1, "MSID and MSLD, both mpox": 1}


def test_a_pair_within_a_set_is_on_both_sides_when_the_folds_part_it(table, samples):
    places = shared.places_of([pair(8, 10)], samples, table)
    (wanted,) = places
    one, other = places[wanted]
    plan = Plan(repeats=1, folds=4)
    parted = any(test[one] != test[other] for test, _ in shared.folds_of(table, plan))
    assert (wanted in shared.on_both_sides(places, table, plan)) == parted


def test_the_committed_list_holds_joined_pairs_only():
    pairs = shared.read_pairs()
    assert len(pairs) == len(set(pairs)) == 1061
    assert sum(one.sets == ("msid", "msld") for one in pairs) >= 300
