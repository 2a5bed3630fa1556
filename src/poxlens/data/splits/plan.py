"""How a table is to be split: what is asked for, and kept in the splits file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poxlens.errors import SplitError

Kind = Literal["k-fold", "leave-one-group-out", "official"]
Inner = Literal["none", "k-fold", "validation", "official"]
Stratify = Literal["label", "label+tone"]


@dataclass(frozen=True)
class Plan:
    """All that decides a split, beside the table and its groups.

    Raises SplitError when two of them do not go together.
    """

    kind: Kind = "k-fold"
    folds: int = 10  # of the outer level; Campana 2024, section 4.2. Unused by the other kinds
    repeats: int = 1
    inner: Inner = "validation"  # how each development part is divided to choose on; "official": as shipped
    inner_folds: int = 4  # when inner is "k-fold"
    validation: float = 0.25  # share of each development part, when inner is "validation"; Campana 2024
    stratify: Stratify = "label"
    grouped: bool = (
        True  # False: images are dealt one by one, groups stand on both sides, figures are too high
    )
    allow_uneven: bool = False  # accept a group that makes folds very uneven
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no sense, by name."""
        for name, low, high in (("folds", 2, 1000), ("repeats", 1, 1000), ("inner_folds", 2, 100)):
            if not low <= getattr(self, name) <= high:
                raise SplitError(f"{name} must be {low} to {high}, not {getattr(self, name)}")
        if not 0.05 <= self.validation <= 0.5:
            raise SplitError(f"validation must be a share of 0.05 to 0.5, not {self.validation:g}")
        if not 0 <= self.seed < 2**32:
            raise SplitError(f"seed must be 0 to 4294967295, not {self.seed}")
        if self.kind != "k-fold" and self.repeats > 1:
            raise SplitError(f"{self.kind} is the same every time: repeats must be 1, not {self.repeats}")
        if self.kind != "k-fold" and not self.grouped:
            raise SplitError(f"an ungrouped (plain) split is a k-fold, not {self.kind}")
        if self.inner == "official" and self.kind != "official":
            raise SplitError(f"a {self.kind} split ships no validation part of its own")
