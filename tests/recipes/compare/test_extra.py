from __future__ import annotations

import json

import numpy as np
import pytest

from poxlens.recipes.compare.cases import read_cases, read_table
from poxlens.recipes.compare.extra import Extra, find_extra, links, no_extra
from poxlens.recipes.compare.folds import folds, split
from poxlens.recipes.compare.run import compare


@pytest.fixture
def cases_of(study_of, where):
    def make(**images):
        study = study_of(images={"extra_datasets": ["away"], **images})
        place = where()
        return study, read_cases(study, read_table(study, place.base), place.base), place

    return make


def test_the_limits_of_each_filter(cases_of):
    study, cases, _ = cases_of(extra_filters=["old", "strict"])
    similarity = np.zeros((40, 40), np.float16)
    for extra, value in ((32, 0.95), (33, 0.7), (34, 0.6)):
        similarity[extra, 0] = similarity[0, extra] = value
    found = links(study, cases, similarity)
    others, test = np.arange(32, 40), np.array([0, 1, 2])
    kept = found.kept(others, test, 0, 0)
    assert kept["old"].tolist() == [33, 34, 35, 36, 37, 38, 39]
    assert kept["strict"].tolist() == [34, 35, 36, 37, 38, 39]  # .65: both sets hold mpox
    assert found.kept(others, np.array([5]), 0, 0)["strict"].tolist() == others.tolist()


def test_sets_without_the_target_are_held_apart_from_higher_up(cases_of, photos):
    table = (photos / "manifest.csv").read_text().splitlines()
    table = [line for line in table if not (line.endswith(",away,") and ",mpox," in line)]
    (photos / "manifest.csv").write_text("\n".join(table) + "\n")
    study, cases, _ = cases_of()
    similarity = np.zeros((36, 36), np.float16)
    similarity[32, 0] = similarity[0, 32] = 0.75
    similarity[33, 0] = similarity[0, 33] = 0.82
    kept = links(study, cases, similarity).kept(np.arange(32, 36), np.array([0]), 0, 0)
    assert kept == {"strict": pytest.approx([32, 34, 35])}


def test_random_leaves_as_many_as_strict_and_none_that_old_takes():
    random = np.random.default_rng(0)
    similarity = random.uniform(0.4, 1, (60, 60))
    both = Extra(("old", "random", "strict"), similarity > 0.97, similarity > 0.9, seed=3)
    others, test = np.arange(20, 60), np.arange(5)
    kept = both.kept(others, test, 0, 0)
    assert len(kept["random"]) == len(kept["strict"]) < len(kept["old"])
    assert set(kept["random"]) <= set(kept["old"])
    assert set(kept["strict"]) <= set(kept["old"])
    assert not np.array_equal(kept["random"], kept["strict"])
    assert np.array_equal(kept["random"], both.kept(others, test, 0, 0)["random"])
    assert not np.array_equal(kept["random"], both.kept(others, test, 0, 1)["random"])


def test_groups_of_tested_and_validated_images_are_never_learnt_from(cases_of, photos, where):
    (photos / "groups.csv").write_text("file,group\n00.png,a\n32.png,a\n33.png,b\n04.png,b\n")
    for grouped in (True, False):
        study, cases, place = cases_of(extra_filters=["old"])
        study = study.model_copy(
            update={
                "protocol": study.protocol.model_copy(update={"groups": "groups.csv", "grouped": grouped})
            }
        )
        cases = read_cases(study, read_table(study, place.base), place.base)
        nothing = np.zeros((40, 40), bool)
        parts = list(
            folds(
                cases, split(study, cases, place.base), Extra(("old",), nothing, nothing, 0), grouped=grouped
            )
        )
        for part in parts:
            group = cases.groups.of
            seen = np.concatenate([part.test, part.validation])
            assert not np.isin(group[part.extra["old"]], group[seen]).any()
            assert set(part.learnt("old")) == set(part.train) | set(part.extra["old"])
            assert np.array_equal(part.learnt(""), part.train)
            assert cases.tested[seen].all()
            if 0 in seen:
                assert 32 not in part.learnt("old")
        assert any(32 in part.learnt("old") for part in parts)


def test_filters_are_settings_side_by_side_and_extra_images_are_not_tested(cases_of, where):
    study, _, _ = cases_of(extra_filters=["without", "old", "random", "strict"])
    done = compare(study, where())
    lines = (done.out / "predictions.csv").read_text().splitlines()[1:]
    settings = {line.split(",")[3] for line in lines}
    assert settings == {"logistic", "logistic+old", "logistic+random", "logistic+strict"}
    assert len(lines) == 4 * 32
    record = json.loads((done.out / "study.json").read_text())
    assert record["only_learnt_from"] == 8
    learnt = record["extra_learnt_from"]
    assert learnt["random"] == learnt["strict"] <= learnt["old"] <= 8


def test_a_study_of_one_set_has_no_filters(study_of, where):
    study, place = study_of(), where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    assert find_extra(study, cases, place.source, lambda _: None).filters == ()
    assert no_extra().kept(np.arange(3), np.arange(2), 0, 0) == {}


def test_extra_sets_that_nothing_learns_from(cases_of):
    study, _, place = cases_of(extra_filters="without")
    done = compare(study, place)
    lines = (done.out / "predictions.csv").read_text().splitlines()[1:]
    assert {line.split(",")[3] for line in lines} == {"logistic"}
    assert len(lines) == 32


def test_only_images_that_augmented_settings_learn_from_have_augmented_views(study_of, where):
    def bank_of(settings, place):
        study = study_of(
            heads=["dense", "logistic"],
            settings=settings,
            images={"extra_datasets": ["away"], "extra_filters": ["without", "old"]},
        )
        done = compare(study, place)
        assert done.failed == {}
        (path,) = (done.out / "features").glob("one-*-bank4-0*.npy")
        return np.isfinite(np.load(path)).all((1, 2))

    few = bank_of(["dense+augmentation", "logistic+old"], where("few"))
    assert few.tolist() == [True] * 32 + [False] * 8
    assert bank_of(["dense+augmentation", "dense+old+augmentation"], where("all")).all()
