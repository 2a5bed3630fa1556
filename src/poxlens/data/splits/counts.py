"""What each fold holds: images, groups, classes, skin tones, and how far that is from even."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from poxlens.data.splits.splits import Splits
from poxlens.data.tones import TONES


@dataclass(frozen=True)
class FoldCounts:
    """The test part of one fold."""

    n: int
    groups: int
    classes: dict[str, int]  # every class of the table, 0 where the fold has none
    tones: dict[str, int]  # each of TONES
    crossing_groups: int  # groups that stand on the training side as well
    crossing_images: int  # test images of those groups


@dataclass(frozen=True)
class Deviation:
    """The (fold, class) whose count is furthest from an even one."""

    repeat: int
    fold: int
    label: str
    count: int
    even: float  # images that an even deal would give

    @property
    def share(self) -> float:
        """|count - even| / even."""
        return abs(self.count - self.even) / self.even


def count_fold(splits: Splits, repeat: int, fold: int) -> FoldCounts:
    """The counts of one fold's test part."""
    rows = splits.outer[repeat][fold].tolist()
    label, tone = Counter(splits.label[row] for row in rows), Counter(splits.tone[row] for row in rows)
    held = Counter(int(splits.group[row]) for row in rows)
    crossing = [held[int(group)] for group in splits.crossing(repeat, fold)]
    return FoldCounts(
        n=len(rows),
        groups=len(held),
        classes={name: label[name] for name in splits.labels},
        tones={name: tone[name] for name in TONES},
        crossing_groups=len(crossing),
        crossing_images=sum(crossing),
    )


def largest_deviation(splits: Splits) -> Deviation | None:
    """Over all folds and classes of a k-fold; None for the other kinds, whose folds are as they are."""
    if splits.plan.kind != "k-fold":
        return None
    even = {name: count / splits.plan.folds for name, count in Counter(splits.label).items()}
    found = [
        Deviation(repeat, fold, name, count, even[name])
        for repeat, fold in splits
        for name, count in count_fold(splits, repeat, fold).classes.items()
    ]
    return max(found, key=lambda one: one.share)
