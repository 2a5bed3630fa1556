"""The figures of the monitoring page, from the cases of a period."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from poxlens.bundle.manifest import Interval, Manifest
from poxlens.serve.clinic.instants import DAY, HOUR, day_of
from poxlens.serve.clinic.monitoring.cases import Case
from poxlens.serve.clinic.monitoring.shares import Share, evidence, share, worse

FEW = 20
"""Fewer cases than this give a figure but no warning: their interval meets nearly everything anyway."""


@dataclass(frozen=True)
class Figure:
    """One share, beside what the bundle's evidence says."""

    name: str
    text: str  # what it is, in words
    group: str  # "all", "light skin", "dark skin"
    found: Share
    expected: Interval | None
    warning: str | None


@dataclass(frozen=True)
class Day:
    """One UTC day."""

    day: str
    filed: int
    answered: int


@dataclass(frozen=True)
class TurnAround:
    """Hours from filing to the verdict."""

    median: float | None
    ninetieth: float | None  # nine of ten were answered sooner
    in_time: Share  # by their due time, of those answered or overdue


def days(cases: Sequence[Case], start: float, end: float) -> list[Day]:
    """Referrals filed and answered on each day of a period, days without any too."""
    filed = Counter(day_of(case.filed_at) for case in cases)
    answered = Counter(day_of(case.answered_at) for case in cases if case.answered_at is not None)
    count = int((end - start) // DAY) + 1
    names = sorted(
        {day_of(start + n * DAY) for n in range(count)} | ({day_of(end - 1)} if end > start else set())
    )
    return [Day(name, filed[name], answered[name]) for name in names]


def turn_around(cases: Sequence[Case], now: float) -> TurnAround:
    """How long people wait."""
    hours = sorted(
        (case.answered_at - case.filed_at) / HOUR for case in cases if case.answered_at is not None
    )
    judged = [case for case in cases if case.answered_at is not None or case.due_at < now]
    in_time = share(case.answered_at is not None and case.answered_at <= case.due_at for case in judged)
    if not hours:
        return TurnAround(None, None, in_time)
    ninetieth = statistics.quantiles(hours, n=10, method="inclusive")[-1] if len(hours) > 1 else hours[0]
    return TurnAround(statistics.median(hours), ninetieth, in_time)


def accuracy(cases: Sequence[Case], manifest: Manifest) -> list[Figure]:
    """What the PCR says of the model, for all and by skin tone."""
    found = []
    for group, belongs in _groups():
        tested = [case for case in cases if case.mpox is not None and belongs(case)]
        found += _by_pcr(tested, group, manifest)
    return found


def drift(cases: Sequence[Case], before: Sequence[Case], manifest: Manifest) -> list[Figure]:
    """Whether the photos are still like those that the model was tried on."""
    limit = manifest.gate.novelty_limit
    novel = share(case.novelty > limit for case in cases if case.novelty is not None)
    expected = evidence(manifest, "cannot_assess", "all")
    unlike = Figure(
        "novel", "Photos unlike anything that the model knows", "all", novel, expected,
        _warn(novel, expected, False, "More photos than expected are unlike those that the model was tried on."),
    )  # fmt: skip
    poor, poor_before = (share(case.quality_failed for case in some) for some in (cases, before))
    usual = _as_interval(poor_before)
    quality = Figure(
        "quality", "Referrals with a photo of poor quality; compared with the time before", "all", poor, usual,
        _warn(poor, usual, False, "Photos are of poorer quality than before: look at lens, light and instructions."),
    )  # fmt: skip
    return [unlike, quality]


def agreement(pairs: Sequence[tuple[str, str]]) -> Share:
    """How often model and clinician say the same, where both say something.

    Args:
        pairs: the model's outcome and the clinician's verdict.
    """
    told = {"refer": True, "not_suspected": False}
    said = {"suspected": True, "other_diagnosis": False, "not_suspected": False}
    return share(
        told[outcome] == said[verdict] for outcome, verdict in pairs if outcome in told and verdict in said
    )


def _by_pcr(tested: Sequence[Case], group: str, manifest: Manifest) -> list[Figure]:
    sick = [case for case in tested if case.mpox]
    sent = [case for case in tested if case.outcome == "refer"]
    cases = "all, mpox" if group == "all" else f"{group}, mpox"
    flagged = share(case.outcome == "refer" for case in sick)
    missed = share(case.outcome == "not_suspected" for case in sick)
    right = share(case.mpox is True for case in sent)
    expected, expected_missed = (evidence(manifest, name, cases) for name in ("refer", "not_suspected"))
    return [
        Figure(
            "sensitivity", "Of those with a positive PCR, referred by the model", group, flagged, expected,
            _warn(flagged, expected, True, f"The model refers fewer people with mpox than its evidence says: {group}."),
        ),
        Figure(
            "missed", "Of those with a positive PCR, called not suspected by the model", group, missed, expected_missed,
            _warn(missed, expected_missed, False, f"The model misses more mpox than its evidence says: {group}."),
        ),
        Figure(
            "ppv", "Of those referred by the model and tested, with a positive PCR", group, right, None, None,
        ),
    ]  # fmt: skip


def _groups() -> list[tuple[str, Callable[[Case], bool]]]:
    return [
        ("all", lambda _: True),
        ("light skin", lambda case: case.tone == "light"),
        ("dark skin", lambda case: case.tone == "dark"),
    ]


def _warn(found: Share, expected: Interval | None, higher_is_better: bool, text: str) -> str | None:
    if found.n < FEW or not worse(found, expected, higher_is_better=higher_is_better):
        return None
    return text


def _as_interval(before: Share) -> Interval | None:
    if before.n < FEW or before.value is None:
        return None
    low, high = before.interval
    return Interval(before.value, low, high, before.n)
