"""Splits: groups of images that stay whole, dealt to folds once and written to a file that cannot change unseen."""

from poxlens.data.splits.counts import Deviation, FoldCounts, count_fold, largest_deviation
from poxlens.data.splits.make import make_splits
from poxlens.data.splits.official import Official, read_official
from poxlens.data.splits.plan import Plan
from poxlens.data.splits.record import FORMAT, schema_text
from poxlens.data.splits.splits import Splits
from poxlens.data.splits.store import read_splits, write_splits
from poxlens.data.splits.units import Groups, find_groups, read_groups

__all__ = [
    "FORMAT",
    "Deviation",
    "FoldCounts",
    "Groups",
    "Official",
    "Plan",
    "Splits",
    "count_fold",
    "find_groups",
    "largest_deviation",
    "make_splits",
    "read_groups",
    "read_official",
    "read_splits",
    "schema_text",
    "write_splits",
]
