"""Nested, grouped cross-validation over several sources, and leave-one-source-out.

A source that holds the target class is tested by itself: its images are dealt to folds by group, and for each
fold a head learns from everything else that neither belongs to a tested group nor is a suspect of a tested
image. All other sources are tested together in the same way. The penalty is chosen inside each training
part, again by grouped folds (Varma and Simon 2006, on why).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from poxlens.errors import TrainingError
from poxlens.recipes.grouping import Grouping
from poxlens.train.heads import LinearHead, LinearProblem, Preconditioner

_INNER_ITERATIONS = 50  # of L-BFGS when penalties are compared: the loss then moves in its fourth digit

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Table:
    """Everything that a head is learnt from and tested on: N samples."""

    learnt: Floats  # [N, D], features as heads learn them (mean of the image and its mirror image)
    tested: Floats  # [N, D], features as a runtime computes them (the image alone)
    possible: Bools  # [N, C]
    stratum: NDArray[np.str_]  # [N], what folds are balanced over
    source: NDArray[np.str_]  # [N]
    weight: Floats  # [N], importance in learning
    grouping: Grouping
    target_sources: tuple[str, ...]  # sources that hold the target class
    disturbed: Floats | None = None  # [N, D], what eight bits add to `tested`, where heads are to stand it

    @property
    def learnable(self) -> Bools:
        """[N], samples that a head may learn from."""
        return np.asarray(self.possible.any(1), bool)

    @cached_property
    def preconditioner(self) -> Preconditioner:
        """Of all samples: it speeds every fit and changes none, and takes half a minute for three networks."""
        with threadpool_limits(1):  # the same bits whatever the number of cores
            return Preconditioner.of(self.learnt)

    def blocks(self) -> list[tuple[str, Bools]]:
        """Name and rows [N] of what is tested together."""
        rest = ~np.isin(self.source, self.target_sources) & self.learnable
        single = [(name, (self.source == name) & self.learnable) for name in self.target_sources]
        return [*single, ("other sources", rest)] if rest.any() else single


@dataclass(frozen=True)
class Plan:
    """How the head is chosen and tested."""

    strengths: tuple[float, ...] = (0.003, 0.01, 0.03)
    steadiness: float = 0.0  # weight of the answer to disturbances, `poxlens.train.heads.LinearProblem`
    repeats: int = 5
    folds: int = 5
    inner_folds: int = 3
    seed: int = 0
    jobs: int = 2


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions for images that were not learnt from, nor any image like them."""

    logits: Floats  # [R, N, C], NaN where a sample was not tested
    fold: NDArray[np.int16]  # [R, N], -1 where not tested
    strength: Floats  # [R, N], the penalty chosen for the head that tested a sample

    @property
    def tested(self) -> Bools:
        """[N], samples with a prediction in every repeat."""
        return np.asarray(np.isfinite(self.logits[:, :, 0]).all(0), bool)


Filter = Callable[[Bools], Bools]
Done = Callable[[], None]


def out_of_fold(
    table: Table,
    plan: Plan,
    *,
    keep: Filter | None = None,
    only: Sequence[str] = (),
    done: Done | None = None,
) -> OutOfFold:
    """Predictions of every learnable sample by heads that never saw it or anything like it.

    Args:
        table: the samples.
        plan: repeats, folds, penalties.
        keep: [N] tested -> [N] that may be learnt from; the strict filter of the grouping when None.
        only: names of blocks to test; all when empty.
        done: called after each outer fold.

    Raises:
        TrainingError: when a stratum has too few groups for the folds.
    """
    keep = keep or table.grouping.strict
    tasks: list[tuple[int, int, Bools]] = []
    for repeat in range(plan.repeats):
        for block, (name, rows) in enumerate(table.blocks()):
            if not only or name in only:
                seed = plan.seed + 1000 * repeat + block
                tasks += [(repeat, k, test) for k, test in enumerate(deal(table, rows, plan.folds, seed))]
    count, classes = table.possible.shape
    logits = np.full((plan.repeats, count, classes), np.nan, np.float32)
    fold = np.full((plan.repeats, count), -1, np.int16)
    strength = np.full((plan.repeats, count), np.nan, np.float32)
    preconditioner = table.preconditioner
    found = Parallel(n_jobs=plan.jobs, return_as="generator")(
        delayed(_test)(table, plan, preconditioner, test, keep(test) & table.learnable)
        for _, _, test in tasks
    )
    for (repeat, k, test), (predicted, chosen) in zip(tasks, found, strict=True):
        logits[repeat, test], fold[repeat, test], strength[repeat, test] = predicted, k, chosen
        if done:
            done()
    return OutOfFold(logits, fold, strength)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A source tested by a head that never saw it."""

    logits: Floats  # [N, C], NaN but for the source's samples
    images: int  # of the target that the head learnt from
    groups: int  # that these images stand in


def leave_source_out(table: Table, plan: Plan, source: str, target: int) -> LeftOut:
    """Test one source by a head that learnt from all others.

    Suspects of the left-out images are left out of training as well. Sources that share photos may leave few of
    the target; those then weigh as much, against the rest, as the target does in the whole table: a head that
    expects the target to be rare would call it rare in the source too, which the shipped head does not.

    Args:
        table: the samples.
        plan: penalties.
        source: which to leave out.
        target: number of the class that is screened for.

    Raises:
        TrainingError: when nothing of the target is left to learn from.
    """
    test = (table.source == source) & table.learnable
    train = table.grouping.strict(test) & table.learnable & (table.source != source)
    positive = table.possible[:, target]
    kept = train & positive
    if not kept.any():
        raise TrainingError(
            f'without "{source}" and what may show the same skin, no image of the target is left to learn from: '
            "give images of it from at least two independent sources"
        )
    rest = train & ~positive
    wanted = table.weight[table.learnable & positive].sum() / table.weight[table.learnable & ~positive].sum()
    factor = wanted * table.weight[rest].sum() / table.weight[kept].sum()
    weighted = replace(
        table, weight=np.where(positive, table.weight * factor, table.weight).astype(np.float32)
    )
    logits = np.full(table.possible.shape, np.nan, np.float32)
    logits[test], _ = _test(weighted, plan, table.preconditioner, test, train)
    return LeftOut(logits, int(kept.sum()), len(np.unique(table.grouping.group[kept])))


def choose_and_fit(
    table: Table, plan: Plan, preconditioner: Preconditioner, train: Bools
) -> tuple[LinearHead, float]:
    """The head with the penalty of least out-of-fold log loss inside `train` [N], and that penalty."""
    part = _part(table, train)
    middle = sorted(plan.strengths)[len(plan.strengths) // 2]
    problem = LinearProblem(
        part.learnt,
        part.possible,
        middle,
        preconditioner,
        part.weight,
        disturbances=part.disturbed,
        steadiness=plan.steadiness,
    )
    losses = dict.fromkeys(plan.strengths, 0.0)
    if len(losses) > 1:
        everything = np.ones(len(part.learnt), bool)
        for test in deal(part, everything, plan.inner_folds, plan.seed, merge=True):
            rows = part.grouping.strict(test)
            for strength in losses:
                head = problem.fit(rows, strength=strength, iterations=_INNER_ITERATIONS)
                losses[strength] += float(
                    part.weight[test] @ loss(head.logits(part.tested[test]), part.possible[test])
                )
    best = min(plan.strengths, key=lambda strength: losses[strength])
    return problem.fit(strength=best), best


def loss(logits: Floats, possible: Bools) -> Floats:
    """[N] log loss of [N, C] logits: -log of the probability of the classes that are possible."""
    shifted = logits - logits.max(1, keepdims=True)
    exponent = np.exp(shifted)
    inside = (exponent * possible).sum(1)
    value: Floats = np.log(exponent.sum(1)) - np.log(np.maximum(inside, np.float32(1e-30)))
    return value


def deal(table: Table, rows: Bools, folds: int, seed: int, *, merge: bool = False) -> list[Bools]:
    """Test parts [N] of a stratified split of `rows` [N] that keeps groups whole.

    Args:
        table: the samples.
        rows: which to deal.
        folds: how many parts.
        seed: of the deal.
        merge: deal a stratum with fewer groups than folds as part of the largest one, where the strict filter
            has left too little of it, instead of refusing.

    Raises:
        TrainingError: when a stratum has fewer groups than folds; with `merge`, when all have.
    """
    index = np.flatnonzero(rows)
    stratum, group = table.stratum[index], table.grouping.group[index]
    groups = {str(name): len(np.unique(group[stratum == name])) for name in np.unique(stratum)}
    small = [name for name, count in groups.items() if count < folds]
    if not groups or len(small) == len(groups) or (small and not merge):
        name = small[0] if small else "no image"
        raise TrainingError(
            f'"{name}" has {groups.get(name, 0)} independent groups of images, too few for {folds} folds: '
            "give more images of it, merge it with another label or use fewer folds"
        )
    stratum = np.where(np.isin(stratum, small), max(groups, key=lambda name: groups[name]), stratum)
    parts = []
    for _, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(index, stratum, group):
        chosen = np.zeros(len(rows), bool)
        chosen[index[test]] = True
        parts.append(chosen)
    return parts


def _test(
    table: Table, plan: Plan, preconditioner: Preconditioner, test: Bools, train: Bools
) -> tuple[Floats, float]:
    with threadpool_limits(1):  # two processes with two threads each would wait for each other
        head, strength = choose_and_fit(table, plan, preconditioner, train)
        return head.logits(table.tested[test]), strength


def _part(table: Table, rows: Bools) -> Table:
    grouping = table.grouping
    square = np.ix_(rows, rows)
    return replace(
        table,
        learnt=table.learnt[rows],
        tested=table.tested[rows],
        possible=table.possible[rows],
        stratum=table.stratum[rows],
        source=table.source[rows],
        weight=table.weight[rows],
        disturbed=None if table.disturbed is None else table.disturbed[rows],
        grouping=Grouping(
            grouping.group[rows],
            grouping.suspect[square],
            grouping.alike[square],
            grouping.loose[square],
        ),
    )
