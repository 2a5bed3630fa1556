"""Everything a report tells, computed from the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poxlens.evaluate.bands import Band, precision_recall_band, roc_band
from poxlens.evaluate.fairness import ToneComparison, compare_tones
from poxlens.evaluate.intervals import RESAMPLES
from poxlens.recipes.compare.report.calibrated import Calibrated, calibrate
from poxlens.recipes.compare.report.comparisons import Comparisons, best_of, compare_models
from poxlens.recipes.compare.report.pooled import Pooled, pool
from poxlens.recipes.compare.report.reading import Model, Tested, read_tested
from poxlens.recipes.compare.report.record import Record, read_record
from poxlens.recipes.compare.report.series import Learnt, Point, read_learning, read_leaving_one_out
from poxlens.recipes.compare.report.trials import Search, read_searches
from poxlens.recipes.compare.report.usefulness import Useful, weigh
from poxlens.recipes.default import Step, silent

DRAWN = 6  # networks whose curves are drawn, the most accurate ones; tables have all


@dataclass(frozen=True, eq=False)
class Leader:
    """The best setting of one network, with what only leaders are drawn and tabled for."""

    pooled: Pooled
    roc: Band
    precision_recall: Band
    useful: Useful


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything."""

    record: Record
    tested: Tested
    pooled: tuple[Pooled, ...]
    comparisons: Comparisons
    tones: Mapping[str, ToneComparison]  # model -> on light and dark skin
    calibrated: Mapping[str, Calibrated]  # model -> before and after; empty with one fold
    leaders: tuple[Leader, ...]  # best first
    searches: tuple[Search, ...]
    learning: tuple[Learnt, ...]
    left_out: tuple[Point, ...]  # leave-one-out
    incomplete: tuple[str, ...]  # what lacks predictions and is left out of every table, in words
    resamples: int

    @property
    def best(self) -> Pooled:
        """The most accurate model."""
        return self.leaders[0].pooled


def analyse(run: Path, *, resamples: int = RESAMPLES, step: Step = silent) -> Analysis:
    """Compute everything.

    Args:
        run: the run folder of a study.
        resamples: of each bootstrap.
        step: shows progress.

    Raises:
        ReportError: the folder is not one of a study, or a table in it is not as it should be.
    """
    record = read_record(run)
    tested = read_tested(run / "predictions.csv", record.target, record.places)
    seed = record.seed
    with step("figures", len(tested.models)) as tick:
        pooled = []
        tones, calibrated = {}, {}
        for model in tested.models:
            pooled.append(pool(tested, model, resamples=resamples, seed=seed))
            tones[model.name] = _tones(tested, model, resamples, seed)
            after = calibrate(tested, model, resamples=resamples, seed=seed)
            if after is not None:
                calibrated[model.name] = after
            tick(1)
    with step("comparisons", 1) as tick:
        comparisons = compare_models(tested, pooled, resamples=resamples, seed=seed)
        tick(1)
    first = _first(tuple(pooled))
    with step("curves", len(first)) as tick:
        leaders = []
        for one in first:
            leaders.append(_leader(tested, one, calibrated, resamples, seed))
            tick(1)
    learning, fewer = read_learning(run / "learning.csv", tested, resamples=resamples, seed=seed)
    left_out, absent = read_leaving_one_out(run / "leave_one_out.csv", tested, resamples=resamples, seed=seed)
    return Analysis(
        record=record,
        tested=tested,
        pooled=tuple(pooled),
        comparisons=comparisons,
        tones=tones,
        calibrated=calibrated,
        leaders=tuple(leaders),
        searches=read_searches(run / "units", tested),
        learning=learning,
        left_out=left_out,
        incomplete=(*(one.told for one in tested.incomplete), *fewer, *absent),
        resamples=resamples,
    )


def _first(pooled: tuple[Pooled, ...]) -> list[Pooled]:
    """The best setting of each network, best first, `DRAWN` of them."""
    left = list({one.model.network for one in pooled})
    best = [best_of([one for one in pooled if one.model.network == network]) for network in sorted(left)]
    ranked: list[Pooled] = []
    while best and len(ranked) < DRAWN:
        ranked.append(best_of(best))
        best.remove(ranked[-1])
    return ranked


def _tones(tested: Tested, model: Model, resamples: int, seed: int) -> ToneComparison:
    return compare_tones(
        tested.truth,
        list(model.decided),
        list(tested.fold),
        tested.tone.tolist(),
        tested.group,
        classes=len(tested.classes),
        target=tested.place,
        resamples=resamples,
        seed=seed,
    )


def _leader(
    tested: Tested, one: Pooled, calibrated: Mapping[str, Calibrated], resamples: int, seed: int
) -> Leader:
    model = one.model
    scores = list(model.probabilities[:, :, tested.place])
    draws = min(resamples, 1000)
    after = calibrated[model.name].probabilities if model.name in calibrated else model.probabilities
    return Leader(
        pooled=one,
        roc=roc_band(scores, tested.positive, tested.group, draws=draws, seed=seed),
        precision_recall=precision_recall_band(scores, tested.positive, tested.group, draws=draws, seed=seed),
        useful=weigh(tested, model, np.asarray(after), resamples=draws, seed=seed),
    )
