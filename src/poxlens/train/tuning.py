"""Hyperband over the classification layers and the augmentation (Campana 2024, section 4.3; Li et al. 2018).

Many configurations are drawn at random and trained for few epochs, the better part of them for longer. Optuna's
pruner deals configurations to brackets by the study's name and the trial's number, so the same seed and name
give the same course.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import optuna
from numpy.typing import NDArray

from poxlens.train.augmentation import KINDS, MOST, FlipType, Strengths
from poxlens.train.bank import FeatureBank
from poxlens.train.dense import DenseSettings, DenseTraining

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

FLIP_TYPES: tuple[FlipType, ...] = ("vertical", "horizontal", "both")


@dataclass(frozen=True)
class Space:
    """What is searched; the defaults are the paper's."""

    learning_rate: tuple[float, float] = (1e-6, 1e-3)  # drawn on a logarithmic scale
    layers: tuple[int, ...] = (1, 2, 3)
    units: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    dropout: tuple[float, float] = (0.0, 0.5)


@dataclass(frozen=True)
class Budget:
    """How much is tried."""

    configurations: int = 30
    epochs: int = 27  # that a configuration may have at most
    reduction: int = 3  # one in so many goes on after each rung
    patience: int = 5  # epochs without a better validation loss before training stops
    batch: int = 32


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried."""

    settings: DenseSettings
    strengths: Strengths | None  # None without augmentation
    accuracy: float  # on the validation part, the best of its epochs
    loss: float  # at that epoch, cross-entropy on the validation part
    epochs: int
    pruned: bool


@dataclass(frozen=True, eq=False)
class Part:
    """Images that are learnt from or validated on."""

    features: Floats  # [N, D] without augmentation
    truth: Ints  # [N]
    bank: FeatureBank | None = None  # their augmented views; with it, augmentation is tuned


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best configuration, trained."""

    best: Trial
    trials: tuple[Trial, ...]
    training: DenseTraining  # with the weights of the best epoch


def tune(
    train: Part,
    validation: Part,
    classes: int,
    *,
    space: Space,
    budget: Budget,
    seed: int,
    name: str,
    class_weights: tuple[float, ...] | None = None,
    done: Callable[[], None] | None = None,
) -> Tuned:
    """Try configurations and keep the one with the best validation accuracy, by loss where they tie.

    Args:
        train: what is learnt from; with a bank, augmentation is tuned too.
        validation: what configurations are compared on; never the test part.
        classes: how many.
        space: what is searched.
        budget: how much is tried.
        seed: of draws, weights and order.
        name: of the study, which decides the brackets.
        class_weights: importance of each class in the loss.
        done: called after each configuration.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.HyperbandPruner(
        min_resource=1, max_resource=budget.epochs, reduction_factor=budget.reduction
    )
    study = optuna.create_study(
        study_name=name, direction="maximize", sampler=optuna.samplers.RandomSampler(seed), pruner=pruner
    )
    trials: list[Trial] = []
    kept: list[tuple[Trial, DenseTraining]] = []

    def objective(asked: optuna.Trial) -> float:
        settings = _settings(asked, space)
        strengths = _strengths(asked) if train.bank else None
        training = DenseTraining(
            settings,
            train.features,
            classes,
            seed * 1_000 + asked.number,
            batch=budget.batch,
            class_weights=class_weights,
        )

        def hopeless(epoch: int, accuracy: float) -> bool:
            asked.report(accuracy, epoch)
            return asked.should_prune()

        trial = _train(
            training, train, validation, settings, strengths, budget, [seed, asked.number], hopeless
        )
        trials.append(trial)
        if not kept or _better(trial, kept[0][0]):
            training.slim()
            kept[:] = [(trial, training)]
        if done:
            done()
        if trial.pruned:
            raise optuna.TrialPruned
        return trial.accuracy

    study.optimize(objective, n_trials=budget.configurations)
    best, training = kept[0]
    return Tuned(best, tuple(trials), training)


def train_one(
    train: Part,
    validation: Part,
    classes: int,
    settings: DenseSettings,
    strengths: Strengths | None,
    *,
    budget: Budget,
    seed: int,
    class_weights: tuple[float, ...] | None = None,
) -> Tuned:
    """Train one given configuration, as a trial of `tune` that nothing prunes.

    Args:
        train: what is learnt from; needs a bank when there are strengths.
        validation: what decides when to stop, and which epoch is kept.
        classes: how many.
        settings: the configuration.
        strengths: of the augmentation; None for none.
        budget: its epochs, patience and batch.
        seed: of weights, order and draws.
        class_weights: importance of each class in the loss.
    """
    training = DenseTraining(
        settings, train.features, classes, seed * 1_000, batch=budget.batch, class_weights=class_weights
    )
    trial = _train(training, train, validation, settings, strengths, budget, [seed, 0], lambda _, __: False)
    return Tuned(trial, (trial,), training)


def _train(
    training: DenseTraining,
    train: Part,
    validation: Part,
    settings: DenseSettings,
    strengths: Strengths | None,
    budget: Budget,
    seed: list[int],
    hopeless: Callable[[int, float], bool],
) -> Trial:
    """Train to the end, to the stop or until hopeless; the weights of the best epoch stay in `training`."""
    random = np.random.default_rng(seed)
    best, state, waited, pruned = (-1.0, float("inf")), None, 0, False
    least, epoch = float("inf"), 0
    for epoch in range(1, budget.epochs + 1):
        drawn = train.bank.draw(strengths, random) if train.bank and strengths else train.features
        training.epoch(drawn, train.truth)
        accuracy, loss = score(training.probabilities(validation.features), validation.truth)
        if (accuracy, -loss) > (best[0], -best[1]):
            best, state = (accuracy, loss), training.state()
        waited = 0 if loss < least else waited + 1
        least = min(least, loss)
        pruned = hopeless(epoch, accuracy)
        if pruned or waited >= budget.patience:
            break
    if state is not None:
        training.restore(state)
    return Trial(settings, strengths, *best, epoch, pruned)


def score(probabilities: Floats, truth: Ints) -> tuple[float, float]:
    """Accuracy and cross-entropy of [N, C] probabilities."""
    right = float((probabilities.argmax(1) == truth).mean())
    own = probabilities[np.arange(len(truth)), truth]
    return right, float(-np.log(np.maximum(own, 1e-12)).mean())


def _better(one: Trial, other: Trial) -> bool:
    return (one.accuracy, -one.loss) > (other.accuracy, -other.loss)


def _settings(asked: optuna.Trial, space: Space) -> DenseSettings:
    rate = asked.suggest_float("learning_rate", *space.learning_rate, log=True)
    layers = asked.suggest_categorical("layers", space.layers)
    units = tuple(asked.suggest_categorical(f"units_{k}", space.units) for k in range(1, layers + 1))
    dropout = tuple(asked.suggest_float(f"dropout_{k}", *space.dropout) for k in range(1, layers + 1))
    return DenseSettings(rate, units, dropout)


def _strengths(asked: optuna.Trial) -> Strengths:
    amounts = {kind: asked.suggest_float(kind, 0.0, MOST) for kind in KINDS}
    flip: FlipType = asked.suggest_categorical("flip", FLIP_TYPES)  # type: ignore[assignment]
    return Strengths(**amounts, flip=flip)
