"""What the benchmark of steps computes: models without some images, figures of a step, gains, and crops."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import accuracy_steps  # noqa: E402
from benchmarks.steps.features import CROPS, best_of, grey_world, redness  # noqa: E402
from benchmarks.steps.logistic import fitted  # noqa: E402
from benchmarks.steps.ridge import Ridge, alone, linear, mean, rbf  # noqa: E402
from benchmarks.steps.trial import FIGURES, Judge, gain, intervals, spread  # noqa: E402

from poxlens.evaluate.metrics import accuracy  # noqa: E402
from poxlens.recipes.grouping import Grouping  # noqa: E402
from poxlens.recipes.protocol import Table, deal  # noqa: E402

CLASSES = ("mpox", "chickenpox", "measles", "hfmd", "healthy")


def test_a_model_without_some_images_is_one_that_never_saw_them():
    random = np.random.default_rng(0)
    kernel = rbf(random.normal(size=(60, 5)).astype(np.float32))
    targets = np.eye(3)[np.arange(60) % 3]
    weights = random.uniform(0.3, 2, 60)
    out = np.array([3, 8, 9, 40])
    rest = np.setdiff1d(np.arange(60), out)
    matrix = (kernel + 1)[np.ix_(rest, rest)] + np.diag(0.7 / weights[rest])
    direct = (kernel + 1)[np.ix_(out, rest)] @ np.linalg.solve(matrix, targets[rest])
    found = Ridge.of(kernel, targets, weights, 0.7).without(out)
    assert np.allclose(found, np.clip(direct, 1e-3, None), atol=1e-10)
    assert np.allclose(alone(kernel, targets, weights, 0.7, rest, out), found, atol=1e-10)
    with pytest.raises(ValueError, match="positive definite"):
        Ridge.of(kernel - 5, targets, weights)


def test_kernels():
    features = np.random.default_rng(1).normal(3, 2, size=(20, 4)).astype(np.float32)
    standard = ((features - features.mean(0)) / features.std(0)).astype(np.float64)
    assert np.allclose(rbf(features, 0.5), rbf_kernel(standard, gamma=0.5 / 4), atol=1e-5)
    assert np.allclose(linear(features), standard @ standard.T / 4, atol=1e-5)
    assert np.allclose(mean([np.eye(2), 3 * np.eye(2)]), 2 * np.eye(2))


def test_kernel_logistic_regression_is_scikit_learns_on_the_same_kernel():
    random = np.random.default_rng(4)
    features = random.normal(size=(90, 3)).astype(np.float32)
    truth = (features[:, 0] + 0.3 * random.normal(size=90) > 0).astype(int) + (features[:, 1] > 0.8)
    kernel = linear(features) + 1e-9 * np.eye(90)
    train, test = np.arange(60), np.arange(60, 90)
    possible = np.eye(3, dtype=bool)[truth]
    found = fitted(kernel, possible, np.ones(90), train, test, strength=0.5)
    standard = (features - features.mean(0)) / features.std(0) / np.sqrt(3)
    model = LogisticRegression(C=0.5, max_iter=1000, tol=1e-8).fit(standard[train], truth[train])
    assert np.abs(found - model.predict_proba(standard[test])).max() < 5e-3
    unsure = possible.copy()
    unsure[train[:30]] = True  # may be anything: says nothing, so the same as without them
    some = fitted(kernel, unsure, np.ones(90), train, test, strength=0.5)
    less = fitted(kernel, possible, np.ones(90), train[30:], test, strength=0.5)
    assert np.abs(some - less).max() < 5e-3


def table(count=160):
    """Two sources with mpox and one without; pairs of images in a group; MSLD's others may be of two classes."""
    random = np.random.default_rng(2)
    source = np.array(["msld", "msid", "web", "msid"])[np.arange(count) // 2 % 4]
    truth = np.arange(count) // 8 % 4
    truth[source == "web"] = 3
    truth[(source == "msid") & (truth == 3)] = 4
    truth[(source == "msld") & (truth > 1)] = 1
    possible = np.eye(5, dtype=bool)[truth]
    possible[(source == "msld") & (truth == 1)] = np.isin(np.arange(5), [1, 2])
    group = np.arange(count) // 2
    same = group[:, None] == group[None]
    features = (
        np.eye(5)[truth] @ random.normal(size=(5, 12)) + random.normal(size=(count, 12)) * 1.2
    ).astype(np.float32)
    nothing = np.zeros(0, np.float32)
    return features, Table(
        learnt=nothing,
        tested=nothing,
        possible=possible,
        stratum=np.array([f"{one}: {two}" for one, two in zip(source, truth, strict=True)]),
        source=source,
        weight=np.ones(count, np.float32),
        grouping=Grouping(group, same, same, same),
        target_sources=("msid", "msld"),
    )


@pytest.fixture(scope="module")
def tried():
    features, images = table()
    judge = Judge(images, CLASSES, np.ones(len(features), bool), ("msld", "msid"), seed=3, repeats=2, folds=3)
    kernel = rbf(features)
    weights = np.ones(len(features))
    return judge, kernel, weights, judge.run(kernel, weights, 0.3)


def test_the_figures_of_a_step_are_those_of_models_fitted_fold_by_fold(tried):
    judge, kernel, _, found = tried
    images = judge.table
    assert tuple(found) == FIGURES
    rows = images.source == "msld"
    targets = images.possible / images.possible.sum(1, keepdims=True)
    areas, rights = [], []
    for repeat in range(2):
        score = np.zeros(len(rows))
        for test in deal(images, rows, 3, 3 + 1000 * repeat + 1):  # msld is the second block
            rest = np.flatnonzero(images.grouping.strict(test))
            matrix = (kernel + 1)[np.ix_(rest, rest)] + 0.3 * np.eye(len(rest))
            said = (kernel + 1)[np.ix_(test, rest)] @ np.linalg.solve(matrix, targets[rest])
            said = np.clip(said, 1e-3, None)
            score[test] = said[:, 0] / said[:, :3].sum(1)
        mpox = images.possible[rows, 0]
        areas.append(roc_auc_score(mpox, score[rows]))
        rights.append(((score[rows] > 0.5) == mpox).mean())
    assert found["MSLD AUROC"].value == pytest.approx(np.mean(areas))
    assert found["MSLD accuracy"].value == pytest.approx(np.mean(rights))
    assert found["MSLD AUROC"].n == rows.sum()
    assert 0.6 < found["MSLD AUROC"].value < 1


def test_a_source_left_out_is_judged_by_a_model_of_the_others(tried):
    judge, kernel, _, found = tried
    images = judge.table
    test = images.source == "msid"
    rest = np.flatnonzero(~test)
    targets = images.possible / images.possible.sum(1, keepdims=True)
    mpox = images.possible[:, 0]
    share = mpox.sum() / (~mpox).sum()
    factor = share * (~mpox[rest]).sum() / mpox[rest].sum()
    weight = np.where(mpox[rest], factor, 1.0)
    matrix = (kernel + 1)[np.ix_(rest, rest)] + np.diag(0.3 / weight)
    said = np.clip((kernel + 1)[np.ix_(test, rest)] @ np.linalg.solve(matrix, targets[rest]), 1e-3, None)
    expected = roc_auc_score(mpox[test], said[:, 0] / said.sum(1))
    assert found["MSID unseen, AUROC"].value == pytest.approx(expected)


def test_a_logistic_step_has_the_same_figures(tried):
    judge, kernel, weights, ridge = tried
    found = judge.run_logistic(kernel, weights)
    assert tuple(found) == FIGURES
    assert found["MSLD AUROC"].value == pytest.approx(ridge["MSLD AUROC"].value, abs=0.1)


def test_a_gain_is_the_difference_in_every_resample(tried):
    judge, kernel, weights, found = tried
    worse = judge.run(np.eye(len(kernel)), weights, 0.3)
    lost = gain(worse["MSLD AUROC"], found["MSLD AUROC"])
    assert lost.value == pytest.approx(worse["MSLD AUROC"].value - found["MSLD AUROC"].value)
    told = intervals({"lost": lost, "none": gain(lost, lost)}, judge.table.grouping.group, 0)
    assert told["lost"].low < told["lost"].value < 0
    assert told["none"].value == 0


def test_a_figure_of_some_rows_as_one_of_all():
    among = np.array([True, False, True, True])
    figure = spread(accuracy(np.array([1, 1, 0]), np.array([1, 0, 0])), among)
    assert figure.value == pytest.approx(2 / 3)
    assert figure.n == 3
    assert figure.over(np.array([[2.0, 9, 1, 0]])).tolist() == [2 / 3]


def test_the_reddest_window_is_found_and_its_features_kept():
    image = np.full((64, 64, 3), (200, 160, 140), np.uint8)
    image[36:60, 4:24] = (190, 90, 80)  # bottom left
    scores = redness(image)
    assert CROPS[int(scores.argmax())] == CROPS[6]
    crops = np.arange(9, dtype=np.float32)[None, :, None].repeat(2, 2)
    assert best_of(crops, scores[None])[0, 0] == pytest.approx(np.argsort(-scores)[:3].mean())


def test_grey_world_takes_a_cast_away():
    image = np.random.default_rng(0).integers(20, 120, (32, 32, 3)).astype(np.uint8)
    cast = np.clip(image * np.array([1.3, 1.0, 0.7]), 0, 255).astype(np.uint8)
    means = grey_world(cast).reshape(-1, 3).mean(0)
    assert np.ptp(means) < 1.5 < np.ptp(cast.reshape(-1, 3).mean(0))


def test_a_step_brings_what_it_is_compared_with():
    names = [step.name for step in accuracy_steps.asked(["320"])]
    assert names == [accuracy_steps.BASE, accuracy_steps.ONE, "320 px, beside the whole"]
    every = accuracy_steps.asked([])
    seen = {"recipe joined"}
    for step in every:
        assert step.against in seen, step.name
        seen.add(step.name)


def test_the_tables_show_figures_gains_and_nothing_where_there_is_none():
    figure = {"value": 0.8251, "low": 0.75, "high": 0.9, "n": 228, "cases": 50}
    gained = {**figure, "value": 0.01, "low": -0.02, "high": 0.04}
    within, unseen = accuracy_steps.tables(
        [{"step": "a", "against": "b", FIGURES[0]: figure, f"{FIGURES[0]}, gain": gained}]
    ).split("\n\n")
    assert within.splitlines()[0].startswith("| step | against | MSLD accuracy | gain | MSLD AUROC | gain |")
    assert within.splitlines()[2] == (
        "| a | b | 0.825 (0.750 to 0.900) | +0.010 (-0.020 to +0.040) |  |  |  |  |"
    )
    assert [len(line.split("|")) for line in unseen.splitlines()] == [12, 12, 12]
