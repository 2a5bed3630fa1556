"""What an audit says: one finding for each thing that would make figures lie, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SEVERITIES: dict[str, str] = {
    "leak": "what is tested stands in training too: figures of these folds are wrong",
    "fault": "wrong in the data, to be mended before anything is trained",
    "warning": "figures may measure something else than the disease",
    "note": "worth knowing",
}
"""Severity -> what it means, the gravest first."""


@dataclass(frozen=True)
class Item:
    """One thing a finding is about: a file, a pair of files, or a class."""

    name: str  # a file as written in the table, or a class or a source
    detail: str = ""  # what was found on it, plain words
    other: str = ""  # the second file of a pair


@dataclass(frozen=True)
class Finding:
    """One fault of a data set."""

    code: str  # "leak.person", "files.unreadable", ...
    severity: str  # one of SEVERITIES
    title: str  # what was found, with its count
    advice: str  # a sentence: what it does to figures and what to do
    items: tuple[Item, ...] = ()
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {', '.join(SEVERITIES)}, not {self.severity!r}")


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by severity; within one, in the order given."""
    order = list(SEVERITIES)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def reaches(findings: Iterable[Finding], severity: str) -> bool:
    """Whether any finding is as grave as `severity`, or graver."""
    order = list(SEVERITIES)
    return any(order.index(finding.severity) <= order.index(severity) for finding in findings)


def some(names: Iterable[str], most: int = 3) -> str:
    """The first names as plain words: "a, b, c and 4 more"."""
    listed = list(names)
    told = ", ".join(listed[:most])
    return f"{told} and {len(listed) - most} more" if len(listed) > most else told


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 file", "1,204 files"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
