"""One step on the images: out of fold in every repeat, and on a source left out, with figures and paired gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.steps.logistic import fitted
from benchmarks.steps.ridge import Ridge, alone
from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.metrics import accuracy, macro_f1, sensitivity, specificity
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import Floats, Statistic
from poxlens.recipes.evidence import over_repeats
from poxlens.recipes.protocol import Table, deal

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

FIGURES = (
    "MSLD accuracy",
    "MSLD AUROC",
    "MSID macro F1",
    "MSLD unseen, AUROC",
    "MSLD unseen, rule-out sensitivity",
    "MSLD unseen, rule-out specificity",
    "MSID unseen, AUROC",
    "MSID unseen, rule-out sensitivity",
    "MSID unseen, rule-out specificity",
)
_RULE_OUT = 0.95  # sensitivity out of fold, in each source
_RASHES = ("mpox", "chickenpox", "measles")


@dataclass(frozen=True, eq=False)
class Judge:
    """The images, their folds and what is asked of predictions; N samples that can be learnt from."""

    table: Table
    classes: tuple[str, ...]
    whole: Bools  # [N], a whole photo and not a patch of one
    sources: tuple[str, str]  # MSLD and MSID
    seed: int
    repeats: int
    folds: int = 5

    def run(self, kernel: Doubles, weights: Doubles, penalty: float) -> dict[str, Statistic]:
        """The figures of ridge regression with a kernel, by the names in FIGURES."""
        targets = self.table.possible / self.table.possible.sum(1, keepdims=True)
        model = Ridge.of(kernel, targets, weights, penalty)

        def without(test: Bools) -> Doubles:
            out = np.flatnonzero(~self.table.grouping.strict(test))
            return model.without(out)[test[out]]

        def on(weighted: Doubles, train: Rows, test: Rows) -> Doubles:
            return alone(kernel, targets, weighted, penalty, train, test)

        return self._judged(without, on, weights)

    def run_logistic(self, kernel: Doubles, weights: Doubles) -> dict[str, Statistic]:
        """The figures of logistic regression with a kernel."""
        possible = self.table.possible

        def without(test: Bools) -> Doubles:
            train = np.flatnonzero(self.table.grouping.strict(test))
            return fitted(kernel, possible, weights, train, np.flatnonzero(test))

        def on(weighted: Doubles, train: Rows, test: Rows) -> Doubles:
            return fitted(kernel, possible, weighted, train, test)

        return self._judged(without, on, weights)

    def _judged(
        self,
        without: Callable[[Bools], Doubles],
        on: Callable[[Doubles, Rows, Rows], Doubles],
        weights: Doubles,
    ) -> dict[str, Statistic]:
        """From a function of test images [N] to their probabilities, and one of weights, train and test rows."""
        tested = {name: self._out_of_fold(without, name) for name in self.sources}
        found = self.in_sources(tested)
        limit = min(self._rule_out(tested[name], name) for name in self.sources)
        for name in self.sources:
            found |= self._unseen(on, weights, name, limit)
        return found

    def in_sources(self, tested: Mapping[str, Doubles]) -> dict[str, Statistic]:
        """Figures out of fold from probabilities [R, N, C] by source."""
        msld, msid = self.sources
        rashes = self._rows(msld) & self.table.possible[:, self._places(_RASHES)].any(1)
        told = [self._among_rashes(one) for one in tested[msld]]
        positive = self._mpox[rashes]
        right = [accuracy(positive.astype(int), (p[rashes] > 0.5).astype(int)) for p in told]
        ranked = [auroc(p[rashes], positive) for p in told]
        chosen = self._rows(msid) & self.whole & (self.table.possible.sum(1) == 1)
        held = np.flatnonzero(self.table.possible[chosen].any(0))
        truth = np.searchsorted(held, self.table.possible[chosen].argmax(1))
        several = [macro_f1(truth, p[chosen][:, held].argmax(1), len(held)) for p in tested[msid]]
        return {
            FIGURES[0]: spread(over_repeats(right), rashes),
            FIGURES[1]: spread(over_repeats(ranked), rashes),
            FIGURES[2]: spread(over_repeats(several), chosen),
        }

    def _out_of_fold(self, without: Callable[[Bools], Doubles], name: str) -> Doubles:
        found = np.full((self.repeats, *self.table.possible.shape), np.nan)
        block = [block for block, _ in self.table.blocks()].index(name)
        for repeat in range(self.repeats):
            seed = self.seed + 1000 * repeat + block  # as in recipes.protocol
            for test in deal(self.table, self._rows(name), self.folds, seed):
                found[repeat, test] = without(test)
        return found

    def _unseen(
        self, on: Callable[[Doubles, Rows, Rows], Doubles], weights: Doubles, name: str, limit: float
    ) -> dict[str, Statistic]:
        """What is left of the target weighs as much against the rest as it did, as in recipes.protocol."""
        test = self._rows(name)
        train = np.flatnonzero(self.table.grouping.strict(test) & ~test)
        mpox = self._mpox
        share = weights[mpox].sum() / weights[~mpox].sum()
        factor = share * weights[train][~mpox[train]].sum() / weights[train][mpox[train]].sum()
        weighted = np.where(mpox, weights * factor, weights)
        said = on(weighted, train, np.flatnonzero(test))
        probability = said[:, self._place] / said.sum(1)
        positive = mpox[test]
        title = name.upper()
        return {
            f"{title} unseen, AUROC": spread(auroc(probability, positive), test),
            f"{title} unseen, rule-out sensitivity": spread(
                sensitivity(positive, probability >= limit), test
            ),
            f"{title} unseen, rule-out specificity": spread(
                specificity(positive, probability >= limit), test
            ),
        }

    def _rule_out(self, probabilities: Doubles, name: str) -> float:
        rows = self._rows(name) & self._mpox
        said = probabilities[:, rows, self._place] / probabilities[:, rows].sum(2)
        return float(np.quantile(said, 1 - _RULE_OUT))

    def _among_rashes(self, probabilities: Doubles) -> Doubles:
        found: Doubles = probabilities[:, self._place] / probabilities[:, self._places(_RASHES)].sum(1)
        return found

    def _rows(self, name: str) -> Bools:
        return np.asarray(self.table.source == name, bool)

    def _places(self, names: tuple[str, ...]) -> list[int]:
        return [self.classes.index(name) for name in names]

    @property
    def _place(self) -> int:
        return self.classes.index("mpox")

    @property
    def _mpox(self) -> Bools:
        return np.asarray(self.table.possible[:, self._place], bool)


def spread(figure: Statistic, among: Bools) -> Statistic:
    """A figure of the rows `among` [N] as one of all N, so that figures of different rows share their resamples."""

    def over(weights: Floats) -> Floats:
        return figure.over(weights[:, among])

    def whole(part: Bools) -> Bools:
        found = np.zeros(len(among), bool)
        found[among] = part
        return found

    return Statistic(over, whole(figure.rows), tuple(whole(side) for side in figure.sides))


def gain(new: Statistic, old: Statistic) -> Statistic:
    """The difference of two figures of the same rows, in each resample."""
    return Statistic(lambda weights: new.over(weights) - old.over(weights), new.rows, new.sides)


def intervals(figures: Mapping[str, Statistic], group: NDArray[np.int64], seed: int) -> dict[str, Estimate]:
    """Each figure with its interval over groups."""
    return estimate(figures, group, seed=seed)
