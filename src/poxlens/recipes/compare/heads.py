"""One head on one fold: choose its hyper-parameters on the validation part, test it once.

`dense` is the paper's (Hyperband, early stopping; the weights of the best validation epoch). The cheap heads are
refitted on training and validation part together once their one or two parameters are chosen; their probabilities have
the temperature that suits the validation part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from poxlens.evaluate.calibration import fit_temperature, softmax
from poxlens.recipes.compare.study import Head, Tuning
from poxlens.train.augmentation import Strengths
from poxlens.train.dense import DenseSettings
from poxlens.train.heads import standardisation
from poxlens.train.tuning import Budget, Part, Space, Trial, score, train_one, tune

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)  # C of logistic regression on standardised features
_SVM = tuple((c, gamma) for c in (0.3, 1.0, 3.0, 10.0) for gamma in (0.25, 0.5, 1.0))  # gamma in 1 / D
_LEAST = -104.0  # logarithm of the smallest positive number of 32 bits
_ABSENT = -30.0  # logit of a class that was not there to learn


@dataclass(frozen=True, eq=False)
class Tested:
    """What a head said of the test part, and how it was chosen."""

    probabilities: Floats  # [N, C]
    chosen: dict[str, Any]  # hyper-parameters, as JSON has them
    trials: tuple[dict[str, Any], ...]  # everything that was tried, with validation accuracy and loss


Fitted = Callable[[Floats], Doubles]
"""A cheap head: [N, D] standardised features -> [N, C] logits, up to their scale."""

Fit = Callable[[Floats, Ints, Any, int, str | None], Fitted]
"""Standardised features, truth, hyper-parameters, number of classes, class weight of scikit-learn -> the head."""


def run_head(
    head: Head,
    train: Part,
    validation: Part,
    test: Floats,
    classes: int,
    tuning: Tuning,
    *,
    seed: int,
    name: str,
    fixed: Mapping[str, Any] | None = None,
    auxiliary: int = 0,
) -> Tested:
    """Choose, fit and test one head on features.

    Args:
        head: which; not "finetune", which learns from images.
        train: what is learnt from.
        validation: what hyper-parameters are chosen on.
        test: [N, D] features of the test part.
        classes: how many.
        tuning: the budget of the dense head.
        seed: of everything random.
        name: of the fold and head, decides Hyperband's brackets.
        fixed: `Tested.chosen` of elsewhere: nothing is chosen but when to stop, and the temperature.
        auxiliary: classes beyond `classes` that `train` holds as well; they are learnt, and their probability is
            dealt to the others in proportion.
    """
    if head == "dense":
        return _dense(train, validation, test, classes, tuning, seed, name, fixed)
    fit, grid = _CHEAP[head]
    if fixed:
        grid = (fixed["setting"],)
    weight = "balanced" if tuning.class_weights else None
    return _cheap(_answering(fit, classes, auxiliary), grid, train, validation, test, classes, weight)


def _answering(fit: Fit, classes: int, auxiliary: int) -> Fit:
    """A head of more classes whose logits are of the first ones: their softmax is the renormalised probability."""
    if not auxiliary:
        return fit

    def fitted(features: Floats, truth: Ints, setting: Any, _: int, weight: str | None) -> Fitted:
        whole = fit(features, truth, setting, classes + auxiliary, weight)
        return lambda some: whole(some)[:, :classes]

    return fitted


def weights_of(truth: Ints, classes: int) -> tuple[float, ...]:
    """[C], the inverse of each class's share, 1 on average over the images."""
    counts = np.bincount(truth, minlength=classes)
    return tuple(float(value) for value in len(truth) / (classes * np.maximum(counts, 1)))


def _dense(
    train: Part,
    validation: Part,
    test: Floats,
    classes: int,
    tuning: Tuning,
    seed: int,
    name: str,
    fixed: Mapping[str, Any] | None,
) -> Tested:
    weights = weights_of(train.truth, classes) if tuning.class_weights else None
    budget = Budget(tuning.configurations, tuning.epochs, patience=tuning.patience, batch=tuning.batch)
    if fixed:
        settings = DenseSettings(fixed["learning_rate"], tuple(fixed["units"]), tuple(fixed["dropout"]))
        strengths = Strengths(**fixed["augmentation"]) if fixed["augmentation"] else None
        found = train_one(
            train, validation, classes, settings, strengths, budget=budget, seed=seed, class_weights=weights
        )
    else:
        found = tune(
            train,
            validation,
            classes,
            space=Space(),
            budget=budget,
            seed=seed,
            name=name,
            class_weights=weights,
        )
    return Tested(
        found.training.probabilities(test), _told(found.best), tuple(_told(one) for one in found.trials)
    )


def _told(trial: Trial) -> dict[str, Any]:
    return {
        **asdict(trial.settings),
        "augmentation": asdict(trial.strengths) if trial.strengths else None,
        "accuracy": trial.accuracy,
        "loss": trial.loss,
        "epochs": trial.epochs,
        "pruned": trial.pruned,
    }


def _cheap(
    fit: Fit,
    grid: Iterable[Any],
    train: Part,
    validation: Part,
    test: Floats,
    classes: int,
    weight: str | None,
) -> Tested:
    mean, scale = standardisation(train.features)
    inside, outside = (train.features - mean) / scale, (validation.features - mean) / scale
    trials: list[dict[str, Any]] = []
    for setting in grid:
        logits = fit(inside, train.truth, setting, classes, weight)(outside)
        temperature = fit_temperature(logits, validation.truth)
        right, loss = score(_probabilities(logits, temperature), validation.truth)
        trials.append({"setting": setting, "temperature": temperature, "accuracy": right, "loss": loss})
    best = min(trials, key=lambda one: float(one["loss"]))  # smoother than accuracy on a hundred images
    both = np.concatenate([train.features, validation.features])
    mean, scale = standardisation(both)
    truth = np.concatenate([train.truth, validation.truth])
    last = fit((both - mean) / scale, truth, best["setting"], classes, weight)
    return Tested(_probabilities(last((test - mean) / scale), best["temperature"]), best, tuple(trials))


def _probabilities(logits: Doubles, temperature: float) -> Floats:
    return softmax(logits, temperature).astype(np.float32)


def _logistic(features: Floats, truth: Ints, strength: float, classes: int, weight: str | None) -> Fitted:
    model = LogisticRegression(C=strength, max_iter=300, class_weight=weight).fit(features, truth)

    def logits(some: Floats) -> Doubles:
        with np.errstate(divide="ignore"):  # a probability below what 32 bits hold is 0
            told = model.predict_log_proba(some)
        return _spread(np.maximum(told, _LEAST), model.classes_, classes)

    return logits


def _svm(features: Floats, truth: Ints, setting: Sequence[float], classes: int, weight: str | None) -> Fitted:
    c, gamma = setting
    # Each class against the others: the margins of scikit-learn's multi-class SVM are votes, which rank badly.
    # The kernel as one product of matrices: a twentieth of libsvm's time, which goes through it row by row.
    kernel = _rbf(features, features, gamma)
    present = np.unique(truth)
    asked = present[1:] if len(present) == 2 else present
    models = [SVC(C=c, kernel="precomputed", class_weight=weight).fit(kernel, truth == one) for one in asked]

    def margins(some: Floats) -> Doubles:
        between = _rbf(some, features, gamma)
        found = np.stack([model.decision_function(between) for model in models], 1)
        return _spread(np.concatenate([-found, found], 1) if len(present) == 2 else found, present, classes)

    return margins


def _rbf(some: Floats, others: Floats, gamma: float) -> Doubles:
    """[M, N], exp of -gamma / D times the squared distances of [M, D] and [N, D] rows."""
    one, other = some.astype(np.float64), others.astype(np.float64)
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    found: Doubles = np.exp(-gamma / some.shape[1] * np.maximum(squares, 0.0))
    return found


def _prototypes(features: Floats, truth: Ints, setting: None, classes: int, weight: str | None) -> Fitted:
    del setting, weight  # the temperature is all there is to choose, and each class counts once as it is
    present = np.unique(truth)
    centres = _unit(np.stack([features[truth == one].mean(0) for one in present]))
    return lambda some: _spread(_unit(some) @ centres.T, present, classes)


def _unit(rows: Floats) -> Floats:
    found: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found


def _spread(logits: NDArray[Any], present: NDArray[Any], classes: int) -> Doubles:
    """[N, C] from the columns of the classes that were there to learn."""
    whole = np.full((len(logits), classes), _ABSENT)
    whole[:, present] = logits
    return whole


_CHEAP: dict[Head, tuple[Fit, Iterable[Any]]] = {
    "logistic": (_logistic, _STRENGTHS),
    "svm": (_svm, _SVM),
    "prototypes": (_prototypes, (None,)),
}
