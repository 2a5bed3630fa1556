"""A made collection of images, and what every head says of it under every protocol."""

from __future__ import annotations

import numpy as np
import pytest

from poxlens.recipes.default import Where
from poxlens.recipes.leak.protocols import Collection
from poxlens.recipes.leak.run import experiment
from poxlens.recipes.leak.tasks import Plan

COPIES, FOLDS = 3, 4


def made_collection(count=60, per_group=2, *, others=0, seed=0, classes=("mpox", "others")):
    """Groups of `per_group` images of one class; the first `others` groups also hold an image of another set."""
    group = np.repeat(np.arange(count // per_group), per_group)
    label = np.random.default_rng(seed).permutation(np.arange(count // per_group) % len(classes))[group]
    files = [f"a/{number}.jpg" for number in range(count)] + [f"b/{number}.jpg" for number in range(others)]
    return Collection(
        files=tuple(files),
        label=np.concatenate([label, label[::per_group][:others]]),
        group=np.concatenate([group, np.arange(others)]),
        tested=np.arange(count + others) < count,
        classes=classes,
    )


@pytest.fixture(scope="session")
def random_labels():
    """Images that look like nothing: labels drawn at random, copies close to their image, a look-alike in the group."""
    rng = np.random.default_rng(7)
    made = made_collection(160, 2, seed=3)
    common = rng.normal(size=(80, 1, 1, 40))
    image = common + 0.7 * rng.normal(size=(80, 2, 1, 40))
    features = (image + 0.5 * rng.normal(size=(80, 2, COPIES + 1, 40))).reshape(-1, 40).astype(np.float32)
    return made, features


@pytest.fixture(scope="session")
def plan():
    return Plan(copies=COPIES, fewer=(0, 1), repeats=2, fewer_repeats=1, folds=FOLDS)


@pytest.fixture(scope="session")
def tested(random_labels, plan, tmp_path_factory):
    return experiment(*random_labels, plan, Where(tmp_path_factory.mktemp("leak"), workers=1))


@pytest.fixture
def collection():
    """A function that makes a collection of images in groups."""
    return made_collection


@pytest.fixture
def of():
    """A function that picks the predictions of a head under a protocol."""

    def pick(tested, head, protocol, copies=COPIES):
        return next(t for t in tested if (t.head, t.protocol, t.copies) == (head, protocol, copies))

    return pick
