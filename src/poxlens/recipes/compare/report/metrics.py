"""Every number of a report as JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from poxlens.evaluate.intervals import Estimate
from poxlens.evaluate.significance import Anova, Comparison, Test
from poxlens.recipes.compare.report.analysis import Analysis, Leader

FORMAT = "poxlens-report/1"


def metrics(found: Analysis) -> dict[str, Any]:
    """The report as one object; NaN is null, numbers have nine significant digits."""
    record, tested, tests = found.record, found.tested, found.comparisons
    told = {
        "format": FORMAT,
        "study": record.name,
        "predictions_sha256": tested.sha256,
        "manifest_sha256": record.facts.get("manifest_sha256"),
        "splits_sha256": record.facts.get("splits_sha256"),
        "warning": record.warning,
        "classes": {name: int((tested.truth == at).sum()) for at, name in enumerate(tested.classes)},
        "target": tested.target,
        "images": len(tested.files),
        "groups": len(np.unique(tested.group)),
        "repeats": tested.repeats,
        "folds": [len(np.unique(fold)) for fold in tested.fold],
        "resamples": found.resamples,
        "seed": record.seed,
        "best": tests.best,
        "incomplete": [
            {
                "network": one.network,
                "setting": one.setting,
                "missing": [list(place) for place in one.missing],
            }
            for one in tested.incomplete
        ],
        "models": [
            {
                "network": one.model.network,
                "setting": one.model.setting,
                "figures": {name: _estimate(value) for name, value in one.figures.items()},
                "recall": {name: _estimate(value) for name, value in one.recalls.items()},
                "folds": {
                    name: {
                        "mean": value.mean,
                        "sd": value.sd,
                        "folds": value.folds,
                        "of": value.of,
                        "values": one.folds[name].tolist(),
                    }
                    for name, value in one.spreads.items()
                },
                "confusion": one.confusion.tolist(),
                "calibration": _calibration(found, one.model.name),
                "skin_tone": _tones(found, one.model.name),
            }
            for one in found.pooled
        ],
        "tests": {
            "refused": tests.refused,
            "anova": {one.setting: _anova(one.anova) for one in tests.settings},
            "tukey": {one.setting: [_pair(pair) for pair in one.tukey] for one in tests.settings},
            "augmentation": {
                one.network: {
                    "without": one.without,
                    "with": one.with_it,
                    "tests": [_test(test) for test in one.tests],
                }
                for one in tests.augmentation
            },
            "pairs": [_pair(pair) for pair in tests.pairs],
            "against_best": {
                one.name: {name: _estimate(value) for name, value in one.differences.items()}
                for one in tests.against
            },
        },
        "leaders": [_leader(one) for one in found.leaders],
        "leave_one_out": [
            {
                "network": one.network,
                "setting": one.setting,
                "way": one.value,
                "figures": {name: _estimate(value) for name, value in one.figures.items()},
            }
            for one in found.left_out
        ],
        "learning": [
            {
                "network": one.network,
                "setting": one.setting,
                "images": one.size,
                "figures": {name: _estimate(value) for name, value in one.figures.items()},
            }
            for one in found.learning
        ],
    }
    plain: dict[str, Any] = _plain(told)
    return plain


def _calibration(found: Analysis, name: str) -> dict[str, Any] | None:
    one = found.calibrated.get(name)
    if one is None:
        return None
    return {
        "before": {key: _estimate(value) for key, value in one.before.items()},
        "after": {key: _estimate(value) for key, value in one.after.items()},
        "change": {key: _estimate(value) for key, value in one.change.items()},
        "temperatures": one.temperatures.tolist(),
    }


def _tones(found: Analysis, name: str) -> dict[str, Any]:
    one = found.tones[name]
    sides = {
        side: {
            "images": tone.n,
            "groups": tone.groups,
            "accuracy": _estimate(tone.accuracy),
            "accuracy_over_folds": {"mean": tone.folds.mean, "sd": tone.folds.sd, "folds": tone.folds.folds},
            "mean_recall_over_folds": {"mean": tone.recall_folds.mean, "sd": tone.recall_folds.sd},
        }
        for side, tone in (("light", one.light), ("dark", one.dark))
    }
    test = None if one.t_test is None else _test(one.t_test)
    return {**sides, "difference": _estimate(one.difference), "t_test": test, "verdict": one.verdict}


def _leader(one: Leader) -> dict[str, Any]:
    useful = one.useful
    return {
        "model": one.pooled.model.name,
        "net_benefit": [
            {"threshold": at, "model": _estimate(value), "everybody": _estimate(everybody)}
            for at, value, everybody in zip(useful.thresholds, useful.benefit, useful.everybody, strict=True)
        ],
        "prevalence": [
            {"prevalence": at, "ppv": _estimate(ppv), "npv": _estimate(npv)}
            for at, ppv, npv in zip(useful.prevalences, useful.ppv, useful.npv, strict=True)
        ],
    }


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "groups": one.cases,
        "too_few": one.too_few,
    }


def _test(one: Test) -> dict[str, Any]:
    return {"name": one.name, "statistic": one.statistic, "df": list(one.df), "p": one.p}


def _anova(one: Anova) -> dict[str, Any]:
    return {
        "anova": _test(one.anova),
        "epsilon": one.epsilon,
        "corrected_p": one.corrected_p,
        "sphericity": None if one.sphericity is None else _test(one.sphericity),
        "normality": {name: _test(test) for name, test in one.normality.items()},
    }


def _pair(one: Comparison) -> dict[str, Any]:
    return {
        "first": one.first,
        "second": one.second,
        "difference": one.difference,
        "low": one.low,
        "high": one.high,
        "p": one.p,
        "adjusted": one.adjusted,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value
