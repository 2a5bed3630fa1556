"""Auxiliary classes: learnt beside the classes of the study, never answered with."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from poxlens.evaluate.calibration import fit_temperature, softmax
from poxlens.recipes.compare.heads import run_head
from poxlens.recipes.compare.run import compare
from poxlens.recipes.compare.study import Tuning
from poxlens.recipes.compare.units import settings
from poxlens.train.heads import standardisation
from poxlens.train.tuning import Part

AUXILIARY = {"auxiliary_classes": {"hfmd": ["hfmd"]}, "extra_datasets": ["away"]}


@pytest.fixture
def with_hfmd(photos):
    """Eight green pictures of a third label in "away", one of them in "home"."""
    lines = (photos / "manifest.csv").read_text().splitlines()
    for number in range(8):
        random = np.random.default_rng(100 + number)
        values = random.normal(120, 40, (12, 12, 3)) + np.array([-40, 60, -40])
        pixels = np.clip(values, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
        Image.fromarray(pixels).save(photos / f"g{number}.png")
        lines.append(f"g{number}.png,hfmd,{'home' if number == 7 else 'away'},")
    (photos / "manifest.csv").write_text("\n".join(lines) + "\n")


def rows_of(path, setting):
    with path.open() as file:
        return [row for row in csv.DictReader(file) if row["setting"] == setting]


def losses_of(folder):
    return sorted(
        trial["loss"] for path in folder.iterdir() for trial in json.loads(path.read_text())["trials"]
    )


def test_auxiliary_classes_are_learnt_and_never_tested(study_of, where, with_hfmd):
    study = study_of(images=AUXILIARY)
    assert [one.name for one in settings(study)] == ["logistic+strict", "logistic+strict+auxiliary"]
    place = where()
    table = compare(study, place).tables[0]
    plain, more = rows_of(table, "logistic+strict"), rows_of(table, "logistic+strict+auxiliary")
    assert len(plain) == len(more) == 32
    assert [name for name in plain[0] if name.startswith("p_")] == ["p_mpox", "p_acne"]
    assert {row["label"] for row in more} == {"mpox", "acne"}
    assert all(float(row["p_mpox"]) + float(row["p_acne"]) == pytest.approx(1, abs=1e-6) for row in more)
    losses = [
        losses_of(place.out / "units/one" / name) for name in ("logistic+strict", "logistic+strict+auxiliary")
    ]
    assert not np.allclose(*losses, rtol=1e-3)


def test_a_setting_without_them_says_what_it_said_before_they_were_named(study_of, where, with_hfmd):
    before = compare(study_of(images={"extra_datasets": ["away"]}), where("before")).tables[0]
    after = compare(study_of(images=AUXILIARY), where("after")).tables[0]
    assert rows_of(before, "logistic+strict") == rows_of(after, "logistic+strict")


def test_which_settings_there_are(study_of):
    names = {"extra_filters": ["without", "strict"], **AUXILIARY}
    heads = ["svm", "prototypes"]
    assert [one.name for one in settings(study_of(heads=heads, images=names))] == [
        "svm",
        "svm+strict",
        "svm+strict+auxiliary",
        "prototypes",
        "prototypes+strict",
    ]
    only = study_of(heads=["svm"], auxiliary=[True], images=AUXILIARY)
    assert [one.name for one in settings(only)] == ["svm+strict+auxiliary"]


def test_the_probability_is_renormalised_over_the_classes_of_the_study():
    random = np.random.default_rng(0)
    centres = random.normal(size=(4, 6))
    truth = np.arange(120) % 4
    features = (centres[truth] + random.normal(size=(120, 6))).astype(np.float32)
    learnt = np.arange(80)
    asked = np.flatnonzero(truth < 2)
    validation, test = asked[(asked >= 80) & (asked < 100)], asked[asked >= 100]
    train = Part(features[learnt], truth[learnt])
    checked = Part(features[validation], truth[validation])
    found = run_head(
        "logistic",
        train,
        checked,
        features[test],
        2,
        Tuning(),
        seed=0,
        name="a",
        fixed={"setting": 0.1},
        auxiliary=2,
    )

    def logits(of, on, rows):
        mean, scale = standardisation(features[of])
        model = LogisticRegression(C=0.1, max_iter=300).fit((on - mean) / scale, truth[of])
        return model.predict_log_proba((features[rows] - mean) / scale)[:, :2]

    temperature = fit_temperature(logits(learnt, features[learnt], validation), truth[validation])
    both = np.concatenate([learnt, validation])
    whole = logits(both, features[both], test)
    assert np.allclose(found.probabilities, softmax(whole, temperature), atol=1e-5)
    share = np.exp(whole) / np.exp(whole).sum(1, keepdims=True)
    assert np.allclose(softmax(whole, 1.0), share)


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ({"auxiliary_classes": {"hfmd": ["hfmd"]}}, "there are none"),
        ({**AUXILIARY, "auxiliary_classes": {"acne": ["hfmd"]}}, '"acne" is a class as well'),
        ({**AUXILIARY, "auxiliary_classes": {"spots": ["acne"]}}, '"acne" means two classes'),
    ],
)
def test_what_makes_no_sense_is_refused(study_of, images, told):
    with pytest.raises(ValidationError, match=told):
        study_of(images=images)
