"""From a table, its groups and a plan to a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from poxlens.data.manifest import Manifest
from poxlens.data.splits.balance import Tally, deal
from poxlens.data.splits.checks import require_classes, require_groups, require_no_giant
from poxlens.data.splits.official import Official
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.splits import Rows, Splits
from poxlens.data.splits.units import Groups, find_groups
from poxlens.errors import SplitError

_OUTER, _INNER = 0, 1  # streams of one seed
_MOST_CELLS = 30_000_000  # rows listed in one file; a table that needs more has too many folds of inner parts

Division = tuple[
    tuple[Rows, ...], tuple[Rows, ...], tuple[str, ...]
]  # test rows, unused rows, names of folds


def make_splits(
    manifest: Manifest,
    plan: Plan | None = None,
    *,
    groups: Groups | None = None,
    tone: Sequence[str] | None = None,
    official: Sequence[Official] = (),
    groups_sha256: str = "",
    official_sha256: str = "",
    version: str = "",
) -> Splits:
    """Split a table.

    The same table, groups, plan and version give the same split; the order of the table's rows does not matter,
    the names of its files do.

    Args:
        manifest: the table.
        plan: what is asked for; ten folds with a quarter of each development part to validate on when None.
        groups: of `find_groups`; those of the table alone when None.
        tone: [N] of poxlens.data.tones.TONES, counted per fold and, with stratify "label+tone", balanced.
        official: of `read_official`, for a plan of that kind.
        groups_sha256: of the list that the groups came from, for the record.
        official_sha256: of the official list, for the record.
        version: of poxlens, for the record.

    Raises:
        SplitError: a class that cannot be spread, a group too large, too many rows to list.
    """
    plan = plan or Plan()
    groups = groups or find_groups(manifest)
    if (plan.kind == "official") != bool(official):
        raise SplitError("an official split needs its list, and only an official split has one")
    dealer = _Dealer(manifest, plan, groups, tone)
    divisions = _divide(dealer, plan, official)
    cells = sum(len(manifest.rows) * len(names) for _, _, names in divisions)
    if plan.inner in ("k-fold", "validation") and cells > _MOST_CELLS:
        raise SplitError(
            f"{cells:,} rows of inner parts would have to be listed ({len(manifest.rows)} images): ask for fewer folds"
            " or repeats, or for no inner level."
        )
    inner = tuple(
        tuple(_inside(dealer, divisions, official, at, fold) for fold in range(len(division[0])))
        for at, division in enumerate(divisions)
    )
    return Splits(
        plan=plan,
        files=tuple(row.file for row in manifest.rows),
        label=tuple(row.label for row in manifest.rows),
        tone=tuple(tone) if tone is not None else ("unknown",) * len(manifest.rows),
        group=groups.of,
        group_names=groups.names,
        outer=tuple(division[0] for division in divisions),
        inner=inner,
        unused=tuple(division[1] for division in divisions),
        names=tuple(division[2] for division in divisions),
        manifest_sha256=manifest.sha256,
        groups_sha256=groups_sha256,
        official_sha256=official_sha256,
        version=version,
    )


class _Dealer:
    """Deals rows of one table by one plan."""

    def __init__(self, manifest: Manifest, plan: Plan, groups: Groups, tone: Sequence[str] | None) -> None:
        self.plan, self.groups = plan, groups
        self.label = np.array([row.label for row in manifest.rows])
        # A group of one file each, numbered as groups are: by file name.
        by_file = np.argsort(np.argsort([row.file for row in manifest.rows], kind="stable"))
        self.unit = groups.of if plan.grouped else by_file.astype(np.int64)
        self.every = np.arange(len(self.label))
        columns = [self.label == name for name in np.unique(self.label)]
        self.classes = len(columns)
        columns.append(np.ones(len(self.label), bool))
        if plan.stratify == "label+tone":
            if tone is None:
                raise SplitError('stratify "label+tone" needs the skin tone of every image')
            both = np.char.add(np.char.add(self.label, "\0"), np.asarray(tone, dtype=str))
            columns += [both == name for name in np.unique(both)]
        self.columns = np.stack(columns, axis=1).astype(np.int64)  # [N, S]

    def equal(self, rows: Rows, folds: int, stream: Sequence[int], where: str = "") -> list[Rows]:
        """`rows` in parts of equal size, every class in each."""
        label, unit = self.label[rows], self.unit[rows]
        require_groups(label, unit, folds, where)
        if self.plan.grouped and not self.plan.allow_uneven:
            require_no_giant(label, unit, self.groups.names, folds, where)
        return self._deal(rows, np.full(folds, 1.0 / folds), stream, where)

    def two(self, rows: Rows, share: float, stream: Sequence[int], where: str) -> Rows:
        """About `share` of `rows`, with every class in it and in the rest."""
        require_groups(self.label[rows], self.unit[rows], 2, where)
        return self._deal(rows, np.array([share, 1.0 - share]), stream, where)[0]

    def _deal(self, rows: Rows, shares: NDArray[np.float64], stream: Sequence[int], where: str) -> list[Rows]:
        _, unit = np.unique(self.unit[rows], return_inverse=True)
        counts = np.zeros((int(unit.max()) + 1, self.columns.shape[1]), np.int64)
        np.add.at(counts, unit, self.columns[rows])
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.plan.seed, *stream])))
        part = deal(Tally(counts, self.classes), shares, rng)[unit]
        parts = [rows[part == one] for one in range(len(shares))]
        for number, held in enumerate(parts, start=1):
            require_classes(
                self.label, held, np.setdiff1d(rows, held), f"{where}fold {number} of {len(shares)}"
            )
        return parts


def _divide(dealer: _Dealer, plan: Plan, official: Sequence[Official]) -> list[Division]:
    empty = np.empty(0, np.int64)
    if plan.kind == "official":
        return [_shipped(dealer, official)]
    if plan.kind == "leave-one-group-out":
        return [_left_out(dealer)]
    found = []
    for repeat in range(plan.repeats):
        tests = dealer.equal(dealer.every, plan.folds, [_OUTER, repeat])
        names = tuple(str(fold) for fold in range(1, plan.folds + 1))
        found.append((tuple(tests), (empty,) * plan.folds, names))
    return found


def _left_out(dealer: _Dealer) -> Division:
    names = dealer.groups.names
    if len(names) < 2:
        raise SplitError(f'all images belong to one group, "{names[0]}": there is nothing to leave out')
    order = np.argsort(dealer.groups.of, kind="stable")
    tests = np.split(order, np.cumsum(np.bincount(dealer.groups.of))[:-1])
    for name in np.unique(dealer.label):
        holders = np.unique(dealer.groups.of[dealer.label == name])
        if len(holders) == 1:
            raise SplitError(
                f'class "{name}" has one group, "{names[int(holders[0])]}": without it nothing of the class is left to'
                " learn from. Merge the class with another or leave its rows out of the table."
            )
    return tuple(tests), (np.empty(0, np.int64),) * len(names), names


def _shipped(dealer: _Dealer, official: Sequence[Official]) -> Division:
    tests, unused, names = [], [], []
    for number, one in enumerate(official, start=1):
        test = np.sort(np.array(one.parts["test"], np.int64))
        learnt = np.sort(np.array(one.parts["train"] + one.parts["val"], np.int64))
        name = one.name or ("official" if len(official) == 1 else str(number))
        require_classes(dealer.label, test, learnt, f'official split "{name}"')
        tests.append(test)
        unused.append(np.setdiff1d(dealer.every, np.concatenate([test, learnt])))
        names.append(name)
    return tuple(tests), tuple(unused), tuple(names)


def _inside(
    dealer: _Dealer, divisions: Sequence[Division], official: Sequence[Official], repeat: int, fold: int
) -> tuple[Rows, ...]:
    plan = dealer.plan
    if plan.inner == "none":
        return ()
    if plan.inner == "official":
        rows = np.sort(np.array(official[fold].parts["val"], np.int64))
        return (rows,) if len(rows) else ()
    tests, unused, names = divisions[repeat]
    free = np.setdiff1d(dealer.every, np.concatenate([tests[fold], unused[fold]]))
    where = f'inner level of fold "{names[fold]}": '
    if plan.inner == "validation":
        return (dealer.two(free, plan.validation, [_INNER, repeat, fold], where),)
    return tuple(dealer.equal(free, plan.inner_folds, [_INNER, repeat, fold], where))
