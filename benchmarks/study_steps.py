"""What docs/studies.md shows of each study of results/: models, targets, and steps whose gain is computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LITE, SMALL = "efficientnet-lite0", "mobilenet-v3-small"
LEVELS = "efficientnet-lite0@levels"
FOUR = "mobilenet-v3-small+mobilenet-v2+efficientnet-lite0+efficientnet-lite2"
MEAN = "mean-of-four"
THREE_LEVELS = "mobilenet-v3-small@levels+mobilenet-v2@levels+efficientnet-lite0@levels"
SINGLE = (SMALL, "mobilenet-v2", LITE, "efficientnet-lite2", "resnet-18")


@dataclass(frozen=True)
class Step:
    """One change, everything else equal."""

    name: str
    after: str  # network and setting
    before: str


@dataclass(frozen=True)
class Target:
    """A figure that the project aims at, of the model that was meant to reach it."""

    figure: str
    at_least: float
    model: str


@dataclass(frozen=True)
class Case:
    """What is shown of one study."""

    figures: tuple[str, ...]
    networks: tuple[str, ...]
    settings: tuple[str, ...]
    targets: tuple[Target, ...] = ()
    steps: tuple[Step, ...] = ()
    paper: tuple[
        str, ...
    ] = ()  # columns of the paper's table, in its order; none when it stands beside nothing
    binary: bool = False


LARGE = "mobilenet-v3-large-aerial"
_ALL = "svm+views+strict+auxiliary"
_DENSE = ("dense", "dense+augmentation", "logistic", "svm")
_PHONE = Case(
    ("accuracy", "macro F1", "AUROC"),
    (SMALL, LARGE, LEVELS),
    ("dense", "logistic"),
    steps=(
        Step("dense layers for a linear one, MobileNetV3-Small", f"{SMALL} dense", f"{SMALL} logistic"),
        Step(
            "the shipped design for MobileNetV3-Small and dense layers",
            f"{LEVELS} logistic",
            f"{SMALL} dense",
        ),
    ),
)

CASES: Mapping[str, Case] = {
    "mcsi-like": Case(
        ("accuracy", "macro F1", "AUROC"),
        SINGLE,
        _DENSE,
        paper=("accuracy", "mean recall", "one-vs-rest specificity", "macro F1"),
    ),
    "mcsi-like-binary": Case(
        ("accuracy", "macro F1", "AUROC"),
        SINGLE,
        _DENSE,
        paper=("accuracy", "mean recall", "recall of the target"),
        binary=True,
    ),
    "msld": Case(
        ("accuracy", "AUROC"),
        (SMALL, "mobilenet-v2", LITE, "efficientnet-lite2", LEVELS, FOUR, THREE_LEVELS, MEAN),
        (*_DENSE, "svm+views", "svm+views+strict", _ALL, "logistic+views+strict+auxiliary"),
        targets=(
            Target("accuracy", 0.88, f"{THREE_LEVELS} {_ALL}"),
            Target("AUROC", 0.94, f"{THREE_LEVELS} {_ALL}"),
        ),
        steps=(
            Step("SVM for logistic regression", f"{SMALL} svm", f"{SMALL} logistic"),
            Step("EfficientNet-Lite0 for MobileNetV3-Small", f"{LITE} svm", f"{SMALL} svm"),
            Step("fourteen views averaged", f"{LITE} svm+views", f"{LITE} svm"),
            Step(
                "MSID's rashes to learn from, strict filter", f"{LITE} svm+views+strict", f"{LITE} svm+views"
            ),
            Step("healthy skin and hfmd as auxiliary classes", f"{LITE} {_ALL}", f"{LITE} svm+views+strict"),
            Step("earlier levels of the network", f"{LEVELS} {_ALL}", f"{LITE} {_ALL}"),
            Step("three networks with levels side by side", f"{THREE_LEVELS} {_ALL}", f"{LEVELS} {_ALL}"),
            Step("four networks' last maps instead", f"{FOUR} {_ALL}", f"{THREE_LEVELS} {_ALL}"),
            Step("four networks' probabilities averaged instead", f"{MEAN} {_ALL}", f"{FOUR} {_ALL}"),
            Step(
                "logistic regression for the SVM",
                f"{THREE_LEVELS} logistic+views+strict+auxiliary",
                f"{THREE_LEVELS} {_ALL}",
            ),
            Step("all steps together", f"{THREE_LEVELS} {_ALL}", f"{SMALL} logistic"),
            Step("random for the strict filter", f"{LITE} svm+views+random", f"{LITE} svm+views+strict"),
            Step("old for the strict filter", f"{LITE} svm+views+old", f"{LITE} svm+views+strict"),
        ),
    ),
    "msid": Case(
        ("macro F1", "accuracy", "AUROC"),
        (SMALL, "mobilenet-v2", LITE, "efficientnet-lite2", LEVELS, FOUR, THREE_LEVELS, MEAN),
        (*_DENSE, "logistic+views", "svm+views"),
        targets=(Target("macro F1", 0.89, f"{THREE_LEVELS} svm+views"),),
        steps=(
            Step("SVM for logistic regression", f"{SMALL} svm", f"{SMALL} logistic"),
            Step("EfficientNet-Lite0 for MobileNetV3-Small", f"{LITE} svm", f"{SMALL} svm"),
            Step("fourteen views averaged", f"{LITE} svm+views", f"{LITE} svm"),
            Step("earlier levels of the network", f"{LEVELS} svm+views", f"{LITE} svm+views"),
            Step(
                "three networks with levels side by side", f"{THREE_LEVELS} svm+views", f"{LEVELS} svm+views"
            ),
            Step("four networks' last maps instead", f"{FOUR} svm+views", f"{THREE_LEVELS} svm+views"),
            Step("four networks' probabilities averaged instead", f"{MEAN} svm+views", f"{FOUR} svm+views"),
            Step(
                "logistic regression for the SVM",
                f"{THREE_LEVELS} logistic+views",
                f"{THREE_LEVELS} svm+views",
            ),
            Step("all steps together", f"{THREE_LEVELS} svm+views", f"{SMALL} logistic"),
        ),
    ),
    "phone-msld": _PHONE,
    "phone-msid": _PHONE,
}
