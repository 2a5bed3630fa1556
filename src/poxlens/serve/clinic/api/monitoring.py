"""Monitoring: how clinic and model do, with intervals, and a plain warning where the evidence no longer fits."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from poxlens.bundle.manifest import Interval
from poxlens.serve.clinic.access.principal import Principal, allow
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.instants import DAY, to_iso
from poxlens.serve.clinic.monitoring import figures
from poxlens.serve.clinic.monitoring.cases import blind_opinions, cases_between
from poxlens.serve.clinic.monitoring.figures import Figure
from poxlens.serve.clinic.monitoring.shares import Share
from poxlens.serve.clinic.service import service_of

router = APIRouter(prefix="/v1/monitoring", tags=["monitoring"])
Looker = Annotated[Principal, Depends(allow("clinician", "administrator"))]

CAVEATS = (
    "Only people who were referred and tested by PCR enter sensitivity and predictive value. Who is not tested is "
    "missing, so that sensitivity looks better than it is where mainly suspected people are tested.",
    "Skin tone is an estimate from the photo; light moves it.",
    "A screening aid, not a diagnosis; PCR decides.",
)


class Ratio(BaseModel):
    """A share with Wilson's 95 % interval; value is null of nothing."""

    value: float | None
    low: float
    high: float
    n: int


class Expected(BaseModel):
    """What the bundle's evidence, or the time before, says."""

    value: float
    low: float
    high: float
    n: int


class FigureOut(BaseModel):
    """A figure beside what was to be expected."""

    name: str
    text: str
    group: str
    found: Ratio
    expected: Expected | None
    warning: str | None = Field(
        description="Where the two intervals do not meet, and there are at least 20 cases."
    )


class DayOut(BaseModel):
    """One UTC day."""

    day: str
    filed: int
    answered: int


class TurnAroundOut(BaseModel):
    """Hours from filing to the verdict."""

    median_hours: float | None
    ninetieth_hours: float | None
    in_time: Ratio


class MonitoringOut(BaseModel):
    """A period of the clinic."""

    start: str
    end: str
    bundle: str
    referrals: int
    outcomes: dict[str, int]
    verdicts: dict[str, int]
    pcr: dict[str, int]
    days: list[DayOut]
    turn_around: TurnAroundOut
    agreement: Ratio = Field(description="Model and clinician say the same, where both say something.")
    agreement_blind: Ratio = Field(
        description="The same, of opinions noted before the model's could be seen: the one to trust."
    )
    accuracy: list[FigureOut]
    drift: list[FigureOut]
    warnings: list[str]
    caveats: list[str]


@router.get("", responses=faults(*SIGNED), summary="How the clinic and the model do")
def monitoring(
    request: Request,
    principal: Looker,
    last_days: Annotated[int, Query(ge=1, le=366, description="Days up to now.")] = 28,
) -> MonitoringOut:
    """No data of single persons."""
    service = service_of(request)
    now = service.now()
    start, end = now - last_days * DAY, now + 1.0
    manifest = service.model.screener.bundle.manifest
    with service.store.reading() as session:
        cases = cases_between(session, principal.clinic_id, start, end)
        before = cases_between(session, principal.clinic_id, start - last_days * DAY, start)
        blind = blind_opinions(session, principal.clinic_id, start, end)
    turn = figures.turn_around(cases, now)
    accuracy = figures.accuracy(cases, manifest)
    drift = figures.drift(cases, before, manifest)
    return MonitoringOut(
        start=to_iso(start) or "",
        end=to_iso(now) or "",
        bundle=service.model.screener.bundle.label,
        referrals=len(cases),
        outcomes=dict(Counter(case.outcome for case in cases)),
        verdicts=dict(Counter(case.verdict for case in cases if case.verdict)),
        pcr=dict(Counter(case.pcr for case in cases if case.pcr)),
        days=[
            DayOut(day=one.day, filed=one.filed, answered=one.answered)
            for one in figures.days(cases, start, now)
        ],
        turn_around=TurnAroundOut(
            median_hours=turn.median, ninetieth_hours=turn.ninetieth, in_time=_ratio(turn.in_time)
        ),
        agreement=_ratio(figures.agreement([(case.outcome, case.verdict or "") for case in cases])),
        agreement_blind=_ratio(
            figures.agreement([(case.outcome, blind[case.id]) for case in cases if case.id in blind])
        ),
        accuracy=[_figure(one) for one in accuracy],
        drift=[_figure(one) for one in drift],
        warnings=[one.warning for one in (*accuracy, *drift) if one.warning is not None],
        caveats=list(CAVEATS),
    )


def _ratio(found: Share) -> Ratio:
    low, high = found.interval
    return Ratio(value=found.value, low=low, high=high, n=found.n)


def _figure(one: Figure) -> FigureOut:
    return FigureOut(
        name=one.name, text=one.text, group=one.group, found=_ratio(one.found), expected=_expected(one.expected),
        warning=one.warning,
    )  # fmt: skip


def _expected(one: Interval | None) -> Expected | None:
    return None if one is None else Expected(value=one.value, low=one.low, high=one.high, n=one.n)
