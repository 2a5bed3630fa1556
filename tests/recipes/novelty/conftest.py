from __future__ import annotations

import numpy as np
import pytest

from poxlens.recipes.default import LABELS
from poxlens.recipes.grouping import Grouping
from poxlens.recipes.novelty.embed import Embedded
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.study import Study
from poxlens.recipes.protocol import Table

SIZE, EACH = 16, 30
NEAR = ("chickenpox", "measles", "hfmd", "eczema")


@pytest.fixture
def study():
    return Study.model_validate(
        {
            "name": "toy",
            "images": {
                "manifest": "x.csv",
                "near": list(NEAR),
                "far": "scope",
                "per_condition": 20,
                "drawn": 2,
            },
            "protocol": {"folds": 3, "harmonised": [False]},
            "networks": [{"name": "toy"}],
        }
    )


@pytest.fixture
def cases():
    """Clouds of embeddings: each label its own direction, two sources, far images and things farther out."""
    labels = ["mpox", *NEAR, "acne", "patch", "normal"]
    label = np.repeat(labels, EACH)
    source = np.where(np.arange(len(label)) // 2 % 2, "msld", "msid")
    source[label == "eczema"] = "dermnet"
    possible = np.array(
        [[name in LABELS.meaning.get(_meant(one), ()) for name in LABELS.classes] for one in label]
    )
    count = len(label)
    group = np.arange(count) // 2
    linked = group[:, None] == group[None]
    other = np.repeat(["scope: nv", "scope: mel", "not skin: noise", "not skin: screen"], 12)
    condition = np.concatenate([label, other])
    total = len(condition)
    table = Table(
        learnt=np.zeros((count, 1), np.float32),
        tested=np.zeros((count, 1), np.float32),
        possible=possible,
        stratum=np.array([f"{s}: {n}" for s, n in zip(source, label, strict=True)]),
        source=source,
        weight=np.ones(count, np.float32),
        grouping=Grouping(group, linked, linked, np.eye(count, dtype=bool)),
        target_sources=("msid", "msld"),
    )
    random = np.random.default_rng(0)
    return Cases(
        images=random.integers(0, 256, (total, 16, 16, 3)).astype(np.uint8),
        file=np.array([f"{name}-{i}" for i, name in enumerate(condition)]),
        condition=condition,
        family=np.concatenate([np.full(count, "known"), [name.split(": ")[0] for name in other]]),
        group=np.concatenate([group, group.max() + 1 + np.arange(len(other))]),
        tone=np.where(np.arange(total) % 3, "light", "dark"),
        usable=np.ones(total, bool),
        skin=np.where(np.char.startswith(condition, "not skin"), 0.1, 0.9),
        counted=np.ones(total, bool),
        traits=random.normal(size=(total, 3)),
        table=table,
        skipped=(),
    )


def _meant(label):
    return {"patch": "normal"}.get(label, label)


@pytest.fixture
def embedded(cases):
    random = np.random.default_rng(1)
    names = list(dict.fromkeys(cases.condition.tolist()))
    axes = np.linalg.qr(random.normal(size=(SIZE, SIZE)))[0]
    middle = np.array([9 * axes[names.index(name)] for name in cases.condition])
    learnt = (middle + random.normal(size=middle.shape) + 1).astype(np.float32)
    tested = (learnt + 0.1 * random.normal(size=middle.shape)).astype(np.float32)
    patches = random.normal(size=(len(middle), 4, 8)) + middle[:, None, :8]
    return Embedded(learnt, tested, patches.astype(np.float16))
