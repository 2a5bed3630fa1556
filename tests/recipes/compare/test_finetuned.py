from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from poxlens.recipes.compare import finetuned, plan
from poxlens.recipes.compare.run import compare
from poxlens.train.backbones import Backbone
from poxlens.train.networks.registry import find_network


@pytest.fixture
def random_weights(monkeypatch):
    """MobileNetV3-Small with random weights under any name."""

    def load(names, folders=(), *, cache=None):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = find_network("mobilenet-v3-small")
            return Backbone([network], [network.build(None)])

    for module in (finetuned, plan):
        monkeypatch.setattr(module, "load_backbone", load)


def test_a_network_is_fine_tuned_on_every_fold(study_of, where, random_weights):
    study = study_of(
        networks=["one", "one+two"],
        heads=["finetune", "logistic"],
        protocol={"folds": 2},
        finetune={"epochs": 1, "learning_rates": [1e-3, 1e-4]},
    )
    done = compare(study, where())
    assert done.failed == {}
    with (done.out / "predictions.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["setting"] == "finetune"]
    assert {row["network"] for row in rows} == {"one"}  # several side by side are not fine-tuned
    assert len(rows) == 32
    assert np.allclose([float(row["p_mpox"]) + float(row["p_acne"]) for row in rows], 1, atol=2e-6)
    units = [json.loads(path.read_text()) for path in (done.out / "units/one/finetune").glob("*.json")]
    for unit in units:
        assert [trial["finetune_rate"] for trial in unit["trials"]] == [1e-3, 1e-4]
        assert unit["chosen"]["loss"] == min(trial["loss"] for trial in unit["trials"])
    before = (done.out / "predictions.csv").read_bytes()
    assert (compare(study, where("again")).out / "predictions.csv").read_bytes() == before


def test_only_the_networks_asked_for_are_fine_tuned(study_of, where, random_weights):
    study = study_of(
        networks=["one", "two"],
        heads=["finetune"],
        protocol={"folds": 2},
        finetune={"epochs": 1, "networks": ["two"]},
    )
    found = plan.plan(study, where())
    assert [(step.name, step.count) for step in found.units] == [("two finetune", 2)]
    assert found.units[0].seconds > 0
    done = compare(study, where())
    assert (done.failed, done.units) == ({}, 2)
    assert json.loads((done.out / "study.json").read_text())["networks"].keys() == {"one", "two"}
