"""The study file: what it refuses, and what recipes come to."""

from __future__ import annotations

import pytest

from poxlens.recipes.aism.study import StudyError, read_study, study_of
from poxlens.train.supervised.settings import MODERN, PAPER


def test_recipes(entries):
    arms = [
        {"name": name, "network": "vgg19", "recipe": name}
        for name in ("modern", "paper", "own", "slow paper")
    ]
    study = study_of(
        entries(
            arms=arms, pairs=[], recipes={"own": {"rate": 0.5}, "slow paper": {"base": "paper", "epochs": 7}}
        ),
        "x",
    )
    modern, paper, own, slow = (study.recipe(arm) for arm in study.arms)
    assert modern == MODERN
    assert paper == PAPER
    assert (own.rate, own.optimizer) == (0.5, "adamw")
    assert (slow.epochs, slow.optimizer, slow.rate) == (7, "sgd", PAPER.rate)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fast": True}, "fast: Extra inputs"),
        ({"arms": []}, "arms: Tuple should have at least 1 item"),
        ({"arms": [{"name": "a", "network": "vgg19"}] * 2}, 'an arm "a" stands there twice'),
        ({"arms": [{"name": "a", "network": "vgg19", "recipe": "quick"}]}, 'there is no recipe "quick"'),
        ({"arms": [{"name": "a", "network": "vgg19", "folds": [4]}]}, "there is no fold 4"),
        ({"recipes": {"tiny": {"speed": 3}}}, '"speed" is no entry of it'),
        ({"recipes": {"tiny": {"rate": "much"}}}, "rate"),
        ({"recipes": {"tiny": {"batch": 1}}}, "batch must be at least 2, is 1"),
        ({"recipes": {"tiny": {"augment": 1.5}}}, "augment must be 0 to 1, is 1.5"),
        ({"recipes": {"tiny": {"rate": 0}}}, "rate must be above 0, is 0"),
        ({"leak": {"arms": ["nobody"]}}, 'leak: there is no arm "nobody"'),
        ({"leak": {"arms": ["small"], "copied": ["measles"]}}, 'leak: "measles" is no class'),
        ({"name": "Two words"}, "name: String should match"),
        ({"threshold": 1.5}, "threshold: Input should be less than 1"),
    ],
)
def test_faults_are_named(entries, changes, told):
    with pytest.raises(StudyError, match=r"^here: ") as fault:
        study_of(entries(**changes), "here")
    assert told in str(fault.value)


def test_a_file(tmp_path):
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "none.toml")
    path = tmp_path / "study.toml"
    path.write_text("name = ")
    with pytest.raises(StudyError, match="is no TOML"):
        read_study(path)
