"""The classifiers that MIM was compared with (Yue 2024, section 3.3 and table 4).

A head learns the target's close-ups against chickenpox, measles and hand, foot and mouth disease, on the folds of MIM,
and is tested with these and with conditions that it never saw; the score is 1 - the probability of the target.
Networks are frozen and heads linear, where the paper trained all layers: the comparison is of the idea, not of its
fine-tuning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from poxlens.recipes.default import Step, Where, silent
from poxlens.recipes.novelty.embed import embed, network_of
from poxlens.recipes.novelty.images import Cases
from poxlens.recipes.novelty.mim import Closeups
from poxlens.recipes.novelty.rows import Row
from poxlens.recipes.novelty.study import Study
from poxlens.train.heads import standardisation

LEARNT = ("chickenpox", "measles", "hfmd")
_LEARNT_IMAGES = 190  # together, as in table 3
_STRENGTH = 0.01


def classifier_rows(
    study: Study, where: Where, cases: Cases, closeups: Closeups, networks: Sequence[str], step: Step = silent
) -> list[Row]:
    """Scores of every network on every fold.

    Args:
        study: with [mim].
        where: folders.
        cases: all images, the close-ups among them.
        closeups: with MIM's folds.
        networks: names.
        step: progress.

    Raises:
        WeightsError: a network is unknown or its weights are missing.
    """
    place = {name: number for number, name in enumerate(cases.file.tolist())}
    target = np.array([place[name] for name in closeups.file.tolist()])
    learnt = _learnt(cases, study)
    folds = int(closeups.fold.max()) + 1
    other_fold = np.empty(len(learnt), np.int64)
    for number, (_, test) in enumerate(GroupKFold(folds).split(learnt, groups=cases.group[learnt])):
        other_fold[test] = number
    unseen = [name for name in cases.conditions if name not in (study.target, "patch", *LEARNT)]
    outside = np.flatnonzero(cases.counted & np.isin(cases.condition, unseen))
    rows: list[Row] = []
    for network in networks:
        stored = network_of(network, where, cases.images.shape[1])
        with step(f"classifier on {network}", len(cases.images)) as done:
            found = embed(stored, cases, where, harmonised=False, patches=False, advance=done)
        for fold in range(folds):
            held = np.isin(cases.group, np.r_[cases.group[target[closeups.fold == fold]]])
            train = np.concatenate([target[closeups.fold != fold], learnt[other_fold != fold]])
            train = train[~held[train]]
            test = np.concatenate([target[closeups.fold == fold], learnt[other_fold == fold], outside])
            score = _scores(found.learnt[train], cases.condition[train] == study.target, found.tested[test])
            rows += [
                Row(
                    0,
                    fold,
                    f"classifier {network}",
                    False,
                    str(cases.condition[row]),
                    str(cases.file[row]),
                    str(cases.group[row]),
                    bool(cases.condition[row] == study.target),
                    value,
                )
                for row, value in zip(test.tolist(), score.tolist(), strict=True)
            ]
    return rows


def _learnt(cases: Cases, study: Study) -> NDArray[np.int64]:
    """The non-target images that are learnt from: a third of each condition."""
    random = np.random.default_rng(study.protocol.seed)
    share = -(-_LEARNT_IMAGES // len(LEARNT))
    found = [
        random.permutation(np.flatnonzero((cases.condition == name) & cases.counted))[:share]
        for name in LEARNT
    ]
    return np.sort(np.concatenate(found)[:_LEARNT_IMAGES])


def _scores(
    learnt: NDArray[np.float32], target: NDArray[np.bool_], tested: NDArray[np.float32]
) -> NDArray[np.float64]:
    mean, scale = standardisation(learnt)
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=300)
    model.fit((learnt - mean) / scale, target)
    found: NDArray[np.float64] = model.predict_proba((tested - mean) / scale)[:, 0]
    return found
