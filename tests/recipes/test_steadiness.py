"""What eight bits add to features, and that heads are given it of the images they learn from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.data.phantom import draw, random_spec
from poxlens.recipes import protocol
from poxlens.recipes.default import silent
from poxlens.recipes.protocol import Plan, choose_and_fit
from poxlens.recipes.steadiness import with_disturbances
from poxlens.train.backbones import Backbone
from poxlens.train.features import Extractor, FeatureCache
from poxlens.train.heads import LinearProblem
from poxlens.train.networks.spec import IMAGENET, Network
from poxlens.train.stored import store_backbone
from poxlens.train.views import View
from poxlens.train.weights import Weights

SIDE, CHANNELS, IMAGES = 64, 24, 40


@pytest.fixture(scope="module")
def backbone():
    torch.manual_seed(0)
    layers = []
    for inside, outside in ((3, 8), (8, 16), (16, 16), (16, 16), (16, CHANNELS)):
        layers += [nn.Conv2d(inside, outside, 3, 2, 1), nn.ReLU6()]
    network = Network("small", CHANNELS, *IMAGENET, Weights("small.pth", None, "none"), lambda state: None)
    return Backbone([network], [nn.Sequential(*layers)])


@pytest.fixture(scope="module")
def images():
    return [draw(random_spec(seed, size=SIDE)).image for seed in range(IMAGES)]


def world(table, backbone, images):
    stored = store_backbone(backbone, side=SIDE)
    features = Extractor(stored).table(images, (View(),))[:, 0]
    possible = np.eye(2, dtype=bool)[np.arange(len(images)) % 2]
    source = np.where(np.arange(len(images)) < len(images) // 2, "a", "b")
    return stored, table(features, possible, source)


def test_eight_bits_add_little_and_not_nothing(table, backbone, images, tmp_path):
    stored, plain = world(table, backbone, images)
    cache = FeatureCache(tmp_path)
    found = with_disturbances(plain, images, backbone, stored, cache, silent)
    assert found.disturbed.shape == plain.tested.shape
    relative = np.linalg.norm(found.disturbed, axis=1) / np.linalg.norm(plain.tested, axis=1)
    assert relative.min() > 1e-4
    assert relative.max() < 0.1
    again = with_disturbances(plain, images, backbone, stored, FeatureCache(tmp_path / "other"), silent)
    assert np.array_equal(found.disturbed, again.disturbed)


def test_too_few_images_leave_the_table_as_it_is(table, backbone, images, tmp_path):
    stored, plain = world(table, backbone, images[:16])
    found = with_disturbances(plain, images[:16], backbone, stored, FeatureCache(tmp_path), silent)
    assert found.disturbed is None


def test_heads_are_given_the_disturbances_of_what_they_learn_from(table, monkeypatch):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 6))
    possible = np.eye(2, dtype=bool)[(features[:, 0] > 0).astype(int)]
    plain = table(features, possible, np.array(["a", "b"] * 30))
    disturbed = np.zeros((60, 6), np.float32)
    disturbed[:, 0] = rng.normal(size=60)
    disturbed[50:] = 1e6  # of images that are not learnt from
    known = replace(plain, disturbed=disturbed)
    train = np.arange(60) < 50
    given = []
    original = LinearProblem.__init__

    def spy(self, *args, **options):
        given.append((options["disturbances"], options["steadiness"]))
        original(self, *args, **options)

    monkeypatch.setattr(protocol.LinearProblem, "__init__", spy)
    plan = Plan(strengths=(0.1, 1.0), repeats=1, folds=2, inner_folds=2, jobs=1)
    before, _ = choose_and_fit(known, plan, known.preconditioner, train)
    after, _ = choose_and_fit(known, replace(plan, steadiness=50.0), known.preconditioner, train)
    assert [steadiness for _, steadiness in given] == [0.0, 50.0]
    assert all(np.array_equal(one, disturbed[:50]) for one, _ in given)
    assert np.abs(after.weight[0]).max() < 0.3 * np.abs(before.weight[0]).max()
