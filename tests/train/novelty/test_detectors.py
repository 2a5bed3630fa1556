"""Each detector against pytorch-ood, scikit-learn or SciPy on the same embeddings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist, mahalanobis
from scipy.special import logsumexp
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from poxlens.train.novelty.energy import Energy
from poxlens.train.novelty.exposure import Exposure
from poxlens.train.novelty.mahalanobis import Mahalanobis
from poxlens.train.novelty.neighbours import Neighbours
from poxlens.train.novelty.padim import Padim
from poxlens.train.novelty.patchcore import PatchCore, coreset
from poxlens.train.novelty.seen import Known, Seen
from poxlens.train.novelty.softmax import MaximumSoftmax
from poxlens.train.novelty.subspace import Subspace
from poxlens.train.novelty.vim import VirtualLogit
from poxlens.train.torchvision_compat import import_torchvision

import_torchvision()
ood = pytest.importorskip(
    "pytorch_ood.detector", reason="pytorch-ood is not installed: detectors not compared"
)


def tensors(known):
    return torch.from_numpy(known.seen.features), torch.from_numpy(known.truth)


def close(found, expected, *, relative=1e-5):
    expected = np.asarray(expected, np.float64)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(found, expected, rtol=relative, atol=1e-5)


def test_softmax(known, tested):
    expected = 1 + ood.MaxSoftmax.score(torch.from_numpy(tested.logits)).numpy()
    close(MaximumSoftmax.fit(known).score(tested), expected)


def test_energy(known, tested):
    close(Energy.fit(known).score(tested), ood.EnergyBased.score(torch.from_numpy(tested.logits)).numpy())


def test_mahalanobis_as_pytorch_ood_has_it(known, tested):
    other = ood.Mahalanobis(None).fit_features(*tensors(known))
    # its covariance is a sum, not a mean, and its score is half of the square
    expected = 2 * len(known.truth) * other.predict_features(torch.from_numpy(tested.features)).numpy()
    close(Mahalanobis.fit(known, shrinkage=0.0).score(tested), expected, relative=1e-4)


def test_mahalanobis_as_scikit_learn_shrinks_it(known, tested):
    means = np.stack([known.seen.features[known.truth == k].mean(0) for k in range(4)])
    model = LedoitWolf(assume_centered=True).fit(known.seen.features.astype(float) - means[known.truth])
    expected = np.min([model.mahalanobis(tested.features - mean) for mean in means], axis=0)
    close(Mahalanobis.fit(known).score(tested), expected)
    alone = LedoitWolf().fit(known.seen.features.astype(float)).mahalanobis(tested.features)
    close(Mahalanobis.without_labels(known).score(tested), alone)


def test_relative_mahalanobis(known, tested):
    classes = EmpiricalCovariance(assume_centered=True)
    means = np.stack([known.seen.features[known.truth == k].mean(0) for k in range(4)])
    classes.fit(known.seen.features.astype(float) - means[known.truth])
    every = EmpiricalCovariance().fit(known.seen.features.astype(float))
    nearest = np.min([classes.mahalanobis(tested.features - mean) for mean in means], axis=0)
    close(
        Mahalanobis.relative(known, shrinkage=0.0).score(tested), nearest - every.mahalanobis(tested.features)
    )


def test_images_whose_class_is_not_sure_teach_no_class(known, tested):
    truth = known.truth.copy()
    truth[::5] = -1
    sure = truth >= 0
    part = Known(known.seen.rows(sure), truth[sure])
    found = Mahalanobis.fit(Known(known.seen, truth)).score(tested)
    np.testing.assert_allclose(found, Mahalanobis.fit(part).score(tested), rtol=1e-6)


@pytest.mark.parametrize("k", [1, 5])
def test_neighbours(known, tested, k):
    other = ood.KNN(None, k=k).fit_features(*tensors(known))
    close(Neighbours.fit(known, k=k).score(tested), other.predict_features(torch.from_numpy(tested.features)))
    unit = known.seen.features / np.linalg.norm(known.seen.features, axis=1, keepdims=True)
    asked = tested.features / np.linalg.norm(tested.features, axis=1, keepdims=True)
    brute = NearestNeighbors(n_neighbors=k).fit(unit).kneighbors(asked)[0][:, -1]
    close(Neighbours.fit(known, k=k).score(tested), brute)


def test_a_known_image_is_its_own_neighbour(known):
    np.testing.assert_allclose(Neighbours.fit(known, k=1).score(known.seen), 0, atol=1e-6)


def test_vim(known, tested):
    other = ood.ViM(None, d=4, w=torch.from_numpy(known.weight.T.copy()), b=torch.from_numpy(known.bias))
    other.fit_features(*tensors(known))
    expected = other.predict_features(torch.from_numpy(tested.features)).numpy()
    close(VirtualLogit.fit(known, size=4).score(tested), expected, relative=1e-4)


def test_vim_by_its_formula_in_doubles(known, tested):
    weight, bias = known.weight.astype(float), known.bias.astype(float)
    origin = -np.linalg.pinv(weight.T) @ bias
    _, vectors = np.linalg.eigh((known.seen.features - origin).T @ (known.seen.features - origin))
    null = vectors[:, : 12 - 4]
    residual = np.linalg.norm((known.seen.features - origin) @ null, axis=1)
    alpha = known.seen.logits.max(1).mean() / residual.mean()
    virtual = alpha * np.linalg.norm((tested.features - origin) @ null, axis=1)
    close(VirtualLogit.fit(known, size=4).score(tested), virtual - logsumexp(tested.logits, axis=1))


def test_residual_is_what_pca_leaves(known, tested):
    mean, scale = known.seen.features.mean(0), known.seen.features.std(0)
    standard = (known.seen.features - mean) / scale
    asked = (tested.features - mean) / scale
    model = PCA(5).fit(standard)
    left = np.square(asked - (asked @ model.components_.T) @ model.components_).sum(1)
    close(Subspace.fit(known.seen.features, 5).score(tested.features), left / np.square(asked).sum(1))


def test_padim(known, tested):
    values = known.seen.patches.reshape(-1, 5).astype(float)
    inverse = np.linalg.inv(np.cov(values.T) + 0.01 * np.eye(5))
    expected = [max(mahalanobis(p, values.mean(0), inverse) for p in image) for image in tested.patches]
    close(Padim.fit(known).score(tested), expected)


def test_padim_with_a_gaussian_for_each_place(known, tested):
    expected = np.zeros(len(tested.patches))
    for place in range(6):
        values = known.seen.patches[:, place].astype(float)
        inverse = np.linalg.inv(np.cov(values.T) + 0.01 * np.eye(5))
        here = [mahalanobis(p, values.mean(0), inverse) for p in tested.patches[:, place]]
        expected = np.maximum(expected, here)
    close(Padim.fit(known, aligned=True).score(tested), expected)


def test_patchcore_with_all_places(known, tested):
    bank = known.seen.patches.reshape(-1, 5)
    expected = [cdist(image, bank).min(1).max() for image in tested.patches]
    close(PatchCore.fit(known, size=len(bank)).score(tested), expected, relative=1e-4)


def test_a_coreset_takes_the_farthest_each_time():
    points = np.array([[0.0, 0], [1, 0], [10, 0], [10, 1], [0, 5]], np.float32)
    assert coreset(points, 4) == [0, 3, 4, 1]


def test_exposure_is_a_logistic_regression(known, tested):
    values = np.concatenate([known.seen.features, known.outliers.features]).astype(float)
    mean, scale = known.seen.features.mean(0), known.seen.features.std(0)
    labels = np.r_[np.zeros(200), np.ones(60)]
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=300).fit(
        (values - mean) / scale, labels
    )
    expected = model.decision_function((tested.features - mean) / scale)
    close(Exposure.fit(known, strength=0.1).score(tested), expected, relative=1e-3)


def test_without_what_it_needs_a_detector_says_so(known, tested):
    bare = Seen(tested.features)
    with pytest.raises(ValueError, match="logits"):
        Energy.fit(known).score(bare)
    with pytest.raises(ValueError, match="places"):
        Padim.fit(known).score(bare)
    with pytest.raises(ValueError, match="outliers"):
        Exposure.fit(Known(known.seen, known.truth))
    with pytest.raises(ValueError, match="head"):
        VirtualLogit.fit(Known(known.seen, known.truth))
