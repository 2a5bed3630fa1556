"""Heads against scikit-learn, finite differences and hand-worked cases."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from poxlens.train.heads import LinearHead, LinearProblem, Preconditioner, standardisation

CLASSES = 3


def data(seed=0, count=120, size=9):
    """Correlated features of very different scales, and labels that are noisy functions of them."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(size, size))
    features = (rng.normal(size=(count, size)) @ mixing) * 10.0 ** rng.uniform(-1, 2, size) + 5.0
    scores = (features - features.mean(0)) / features.std(0) @ rng.normal(size=(size, CLASSES))
    labels = (scores + rng.gumbel(size=scores.shape)).argmax(1)
    return features.astype(np.float32), labels


def one_hot(labels, classes=CLASSES):
    return np.eye(classes, dtype=bool)[labels]


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def objective(head, features, possible, strength, weights):
    """The penalised loss of a head in float64, written from its definition."""
    standard = (features.astype(np.float64) - head.mean) / head.scale
    p = softmax(standard @ head.weight.astype(np.float64) + head.bias)
    return -(weights * np.log((p * possible).sum(1))).sum() + (head.weight.astype(np.float64) ** 2).sum() / (
        2 * strength
    )


@pytest.mark.parametrize("strength", [0.003, 0.1, 3.0])
def test_equals_scikit_learn_on_sure_labels(strength):
    features, labels = data()
    scaler = StandardScaler().fit(features)
    theirs = LogisticRegression(C=strength, tol=1e-8, max_iter=5000).fit(scaler.transform(features), labels)
    problem = LinearProblem(features, one_hot(labels), strength, Preconditioner.of(features))
    ours = problem.fit(iterations=2000, tolerance=1e-6)
    assert (
        np.abs(softmax(ours.logits(features)) - theirs.predict_proba(scaler.transform(features))).max() < 2e-3
    )
    # Both minimise the same convex function: scikit-learn's optimum is not lower.
    mine = objective(ours, features, one_hot(labels), strength, np.ones(len(labels)))
    best = LinearHead(ours.mean, ours.scale, theirs.coef_.T, theirs.intercept_)
    assert mine == pytest.approx(objective(best, features, one_hot(labels), strength, 1.0), rel=1e-5)


def test_rows_and_weights_equal_scikit_learn_with_sample_weights():
    features, labels = data(1)
    rng = np.random.default_rng(1)
    weights, rows = rng.uniform(0.1, 3.0, len(labels)).astype(np.float32), rng.random(len(labels)) < 0.7
    mean, scale = standardisation(features)  # of all rows, also when only some are learnt from
    standard = (features - mean) / scale
    theirs = LogisticRegression(C=0.3, tol=1e-8, max_iter=5000)
    theirs.fit(standard[rows], labels[rows], sample_weight=weights[rows])
    ours = LinearProblem(features, one_hot(labels), 0.3, Preconditioner.of(features), weights)
    found = ours.fit(rows, iterations=2000, tolerance=1e-6)
    assert np.abs(softmax(found.logits(features)) - theirs.predict_proba(standard)).max() < 2e-3


def test_a_weight_of_two_is_the_image_twice():
    features, labels = data(2, count=60)
    weights = np.where(np.arange(60) < 20, 2.0, 1.0).astype(np.float32)
    preconditioner = Preconditioner.of(features)
    weighted = LinearProblem(features, one_hot(labels), 0.5, preconditioner, weights)
    # Twice in the table, but standardised alike: rows take the second copies in, all of which are images 0..19.
    double = np.concatenate([features, features])
    repeated = LinearProblem(double, one_hot(np.concatenate([labels, labels])), 0.5, preconditioner)
    rows = np.arange(120) < 80
    one = weighted.fit(iterations=2000, tolerance=1e-6).logits(features)
    two = repeated.fit(rows, iterations=2000, tolerance=1e-6).logits(features)
    assert np.abs(softmax(one) - softmax(two)).max() < 1e-3


def partial(seed=3):
    """Labels of which every third is a set of two classes."""
    features, labels = data(seed)
    possible = one_hot(labels)
    third = np.arange(len(labels)) % 3 == 0
    possible[third, (labels[third] + 1) % CLASSES] = True
    return features, possible


def test_the_optimum_of_partial_labels_has_no_slope():
    """Central differences of the loss as defined, in float64, along 40 random directions."""
    features, possible = partial()
    weights = np.random.default_rng(0).uniform(0.3, 1.0, len(features)).astype(np.float32)
    problem = LinearProblem(features, possible, 0.2, Preconditioner.of(features), weights)
    head = problem.fit(iterations=2000, tolerance=1e-6)
    rng = np.random.default_rng(4)

    def moved(direction, bias, step):
        there = LinearHead(head.mean, head.scale, head.weight + step * direction, head.bias + step * bias)
        return objective(there, features, possible, 0.2, weights)

    for _ in range(40):
        direction, bias = rng.normal(size=head.weight.shape), rng.normal(size=head.bias.shape)
        slope = (moved(direction, bias, 1e-4) - moved(direction, bias, -1e-4)) / 2e-4
        curvature = (
            moved(direction, bias, 1e-2) + moved(direction, bias, -1e-2) - 2 * moved(direction, bias, 0)
        ) / 1e-4
        assert curvature > 0
        # A Newton step along the direction would move by less than a thousandth of its length.
        assert abs(slope / curvature) < 1e-3, (slope, curvature)


def test_the_gradient_that_is_followed_is_that_of_the_loss(monkeypatch):
    """scipy's own check of what `fit` hands to the optimiser, at a point away from the optimum."""
    from scipy.optimize import approx_fprime

    from poxlens.train import heads

    features, possible = partial(5)
    seen = {}

    def spy(function, start, **options):
        seen["function"], seen["start"] = function, start
        return original(function, start, **options)

    original = heads.minimize
    monkeypatch.setattr(heads, "minimize", spy)
    LinearProblem(features, possible, 0.2, Preconditioner.of(features)).fit()
    # In coordinates of the optimiser a unit is a large step: the loss changes by about 1 there.
    point = np.random.default_rng(6).normal(size=seen["start"].size)
    value, gradient = seen["function"](point)
    assert value > 0
    numeric = approx_fprime(point, lambda x: seen["function"](x)[0], 0.02)
    # float32 inside, so a wide step: the error left is curvature times half the step.
    assert np.abs(numeric - gradient).max() < 0.05 * np.abs(gradient).max()
    assert np.corrcoef(numeric, gradient)[0, 1] > 0.999


def test_a_set_of_all_classes_teaches_nothing():
    features, labels = data(7)
    possible = one_hot(labels)
    blind = np.arange(len(labels)) >= 80
    possible[blind] = True
    preconditioner = Preconditioner.of(features)
    both = LinearProblem(features, possible, 0.3, preconditioner).fit(iterations=2000, tolerance=1e-6)
    known = LinearProblem(features, possible, 0.3, preconditioner).fit(
        ~blind, iterations=2000, tolerance=1e-6
    )
    assert np.abs(softmax(both.logits(features)) - softmax(known.logits(features))).max() < 1e-3


def test_partial_labels_are_shared_out_by_the_features():
    """Two far clusters, each known only as "1 or 2" except for one image: the cluster follows its image."""
    rng = np.random.default_rng(8)
    centres = np.array([[0.0, 8.0], [6.0, 0.0], [-6.0, 0.0]])
    cluster = np.repeat([0, 1, 2], 20)
    features = (centres[cluster] + rng.normal(size=(60, 2))).astype(np.float32)
    possible = np.zeros((60, 3), bool)
    possible[cluster == 0, 0] = True
    possible[cluster > 0, 1:] = True
    possible[20], possible[40] = [False, True, False], [False, False, True]
    head = LinearProblem(features, possible, 10.0, Preconditioner.of(features)).fit(iterations=500)
    assert (head.logits(features).argmax(1) == cluster).all()


def test_the_preconditioner_does_not_change_the_result():
    features, possible = partial(9)
    size = features.shape[1]
    other = np.linalg.qr(np.random.default_rng(9).normal(size=(size, size)))[0].astype(np.float32)
    found = [
        LinearProblem(features, possible, 0.3, preconditioner).fit(iterations=5000, tolerance=1e-6)
        for preconditioner in (
            Preconditioner.of(features),
            Preconditioner.of(features[::2]),
            Preconditioner(np.eye(size, dtype=np.float32), np.ones(size, np.float32)),
            Preconditioner(other, np.linspace(0.0, 3.0, size, dtype=np.float32)),
        )
    ]
    first = softmax(found[0].logits(features))
    for head in found[1:]:
        assert np.abs(softmax(head.logits(features)) - first).max() < 2e-3


def test_the_preconditioner_is_a_rotation_with_the_variances():
    features, _ = data(10)
    found = Preconditioner.of(features)
    mean, scale = standardisation(features)
    turned = ((features - mean) / scale) @ found.directions
    assert np.abs(found.directions.T @ found.directions - np.eye(9)).max() < 1e-5
    assert turned.var(0) == pytest.approx(found.variances, abs=1e-4)


def test_folded_is_the_same_head():
    features, possible = partial(11)
    head = LinearProblem(features, possible, 0.3, Preconditioner.of(features)).fit()
    by_hand = ((features - head.mean) / head.scale) @ head.weight + head.bias
    weight, bias = head.folded()
    assert weight.dtype == bias.dtype == np.float32
    assert np.abs(features @ weight + bias - by_hand).max() < 1e-4 * np.abs(by_hand).max()
    assert np.abs(head.logits(features) - by_hand).max() < 1e-4 * np.abs(by_hand).max()


def test_a_constant_feature_is_left_alone():
    features, labels = data(12)
    features[:, 4] = 3.5
    mean, scale = standardisation(features)
    assert (mean[4], scale[4]) == (3.5, 1.0)
    head = LinearProblem(features, one_hot(labels), 0.3, Preconditioner.of(features)).fit()
    assert np.isfinite(head.logits(features)).all()
    assert np.abs(head.weight[4]).max() < 1e-6


def test_the_same_fit_twice_has_the_same_bits():
    features, possible = partial(13)
    one, two = (LinearProblem(features, possible, 0.1, Preconditioner.of(features)).fit() for _ in range(2))
    assert one.weight.tobytes() == two.weight.tobytes()
    assert one.bias.tobytes() == two.bias.tobytes()


def test_a_row_without_a_possible_class_is_refused():
    features, labels = data(14)
    possible = one_hot(labels)
    with pytest.raises(ValueError, match="possible must have a row for each image"):
        LinearProblem(features, possible[:-1], 1.0, Preconditioner.of(features))
    possible[7] = False
    with pytest.raises(ValueError, match="at least one possible class"):
        LinearProblem(features, possible, 1.0, Preconditioner.of(features))


def test_the_optimum_of_a_steady_head_has_no_slope():
    """Central differences of the loss with the answer to disturbances, as defined, along 40 random directions."""
    features, possible = partial(7)
    rng = np.random.default_rng(8)
    disturbed = (
        rng.normal(size=features.shape) * features.std(0) * rng.uniform(0, 0.3, features.shape[1])
    ).astype(np.float32)
    problem = LinearProblem(
        features, possible, 0.2, Preconditioner.of(features), disturbances=disturbed, steadiness=30.0
    )
    head = problem.fit(iterations=2000, tolerance=1e-6)
    unit = disturbed.astype(np.float64) / head.scale
    unit /= np.sqrt((unit**2).mean())

    def moved(step):
        weight, bias = head.weight + step * direction, head.bias + step * sideways
        answer = ((unit @ weight.astype(np.float64)) ** 2).sum() / len(unit)
        there = LinearHead(head.mean, head.scale, weight, bias)
        return objective(there, features, possible, 0.2, 1.0) + 30.0 / (2 * 0.2) * answer

    for _ in range(40):
        direction, sideways = rng.normal(size=head.weight.shape), rng.normal(size=head.bias.shape)
        slope = (moved(1e-4) - moved(-1e-4)) / 2e-4
        curvature = (moved(1e-2) + moved(-1e-2) - 2 * moved(0)) / 1e-4
        assert curvature > 0
        assert abs(slope / curvature) < 1e-3, (slope, curvature)


def test_a_feature_that_cannot_be_trusted_is_not_read():
    """Two columns say the same and one is disturbed: the head reads the other, whatever the disturbance's size."""
    features, labels = data(9)
    doubled = np.concatenate([features, features[:, :1]], 1)
    disturbed = np.zeros_like(doubled)
    disturbed[:, 0] = np.random.default_rng(10).normal(size=len(doubled))
    preconditioner = Preconditioner.of(doubled)

    def head(factor, steadiness):
        problem = LinearProblem(
            doubled,
            one_hot(labels),
            0.5,
            preconditioner,
            disturbances=disturbed * np.float32(factor),
            steadiness=steadiness,
        )
        return problem.fit(iterations=2000, tolerance=1e-6).weight

    plain, steady = head(1, 0), head(1, 100)
    np.testing.assert_allclose(plain[0], plain[-1], atol=1e-3)
    assert np.abs(steady[0]).max() < 0.02 * np.abs(steady[-1]).max()
    np.testing.assert_allclose(head(50, 100), steady, atol=5e-3)


def test_disturbances_of_other_images_are_refused():
    features, labels = data()
    with pytest.raises(ValueError, match="disturbances"):
        LinearProblem(
            features,
            one_hot(labels),
            1.0,
            Preconditioner.of(features),
            disturbances=features[:-1],
            steadiness=1.0,
        )
