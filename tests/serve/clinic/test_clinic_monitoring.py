"""Monitoring: figures from referrals that are written down here, against counts by hand and scipy's intervals."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from scipy.stats import binomtest

from poxlens.bundle.manifest import Interval
from poxlens.serve.clinic.instants import DAY, HOUR
from poxlens.serve.clinic.monitoring import figures
from poxlens.serve.clinic.monitoring.cases import Case
from poxlens.serve.clinic.monitoring.shares import Share, worse

START = 1_790_000_000.0


def manifest(**shares: tuple[float, float, float]):
    named = [
        SimpleNamespace(name=name, group=group, interval=Interval(*shares[key], 400))
        for key, name, group in (
            ("refer", "refer", "all, mpox"),
            ("missed", "not_suspected", "all, mpox"),
            ("dark", "refer", "dark skin, mpox"),
            ("refused", "cannot_assess", "all"),
        )
        if key in shares
    ]
    return SimpleNamespace(evidence=SimpleNamespace(figures=named), gate=SimpleNamespace(novelty_limit=0.7))


def case(number: int, outcome: str, **given) -> Case:
    told = {
        "due_at": START + 4 * HOUR, "answered_at": None, "novelty": 0.3, "tone": "light", "quality_failed": False,
        "verdict": None, "pcr": None, **given,
    }  # fmt: skip
    return Case(id=f"{number:032x}", filed_at=START, outcome=outcome, **told)


def with_pcr(sick_referred: int, sick_missed: int, well_referred: int, tone: str = "light") -> list[Case]:
    rows = [("refer", "positive")] * sick_referred + [("not_suspected", "positive")] * sick_missed
    rows += [("refer", "negative")] * well_referred
    return [case(n, outcome, pcr=pcr, tone=tone) for n, (outcome, pcr) in enumerate(rows)]


def by_name(found, group="all"):
    return {one.name: one for one in found if one.group == group}


def test_sensitivity_and_predictive_value_with_their_intervals():
    cases = [*with_pcr(30, 10, 20), case(99, "refer"), case(98, "refer", pcr="inconclusive")]
    found = by_name(figures.accuracy(cases, manifest()))
    assert (found["sensitivity"].found.successes, found["sensitivity"].found.n) == (30, 40)
    assert (found["missed"].found.successes, found["missed"].found.n) == (10, 40)
    assert (found["ppv"].found.successes, found["ppv"].found.n) == (30, 50)
    for one in found.values():
        expected = binomtest(one.found.successes, one.found.n).proportion_ci(method="wilson")
        assert one.found.interval == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert one.warning is None


def test_a_warning_when_the_evidence_no_longer_fits_and_not_for_few_cases():
    told = manifest(refer=(0.8, 0.75, 0.85), missed=(0.04, 0.02, 0.06))
    found = by_name(figures.accuracy(with_pcr(15, 15, 0), told))
    assert found["sensitivity"].found.interval[1] < 0.75
    assert (
        found["sensitivity"].warning == "The model refers fewer people with mpox than its evidence says: all."
    )
    assert found["missed"].warning == "The model misses more mpox than its evidence says: all."
    few = by_name(figures.accuracy(with_pcr(2, 10, 0), told))
    assert few["sensitivity"].warning is None
    better = by_name(figures.accuracy(with_pcr(40, 0, 0), told))
    assert (better["sensitivity"].warning, better["missed"].warning) == (None, None)


def test_skin_tone_groups_have_their_own_evidence():
    cases = with_pcr(30, 0, 0, "light") + with_pcr(10, 20, 0, "dark")
    found = figures.accuracy(cases, manifest(dark=(0.8, 0.75, 0.85)))
    assert by_name(found, "light skin")["sensitivity"].found.value == 1.0
    assert by_name(found, "dark skin")["sensitivity"].warning is not None
    assert by_name(found, "all")["sensitivity"].found == Share(40, 60)


def test_drift_of_novelty_against_evidence_and_of_quality_against_the_time_before():
    told = manifest(refused=(0.07, 0.03, 0.12))
    usual = [case(n, "refer", novelty=0.9 if n < 7 else 0.3, quality_failed=n < 5) for n in range(100)]
    found = {one.name: one for one in figures.drift(usual, usual, told)}
    assert (found["novel"].found, found["novel"].warning) == (Share(7, 100), None)
    assert (found["quality"].found, found["quality"].warning) == (Share(5, 100), None)
    odd = [case(n, "refer", novelty=0.9 if n < 40 else 0.3, quality_failed=n < 30) for n in range(100)]
    found = {one.name: one for one in figures.drift(odd, usual, told)}
    assert found["novel"].warning.startswith("More photos than expected are unlike")
    assert found["quality"].warning.startswith("Photos are of poorer quality than before")
    assert {one.name: one.expected for one in figures.drift(odd, [], told)}["quality"] is None


def test_agreement_counts_only_where_both_say_something():
    pairs = [("refer", "suspected"), ("refer", "not_suspected"), ("not_suspected", "other_diagnosis")]
    pairs += [("uncertain", "suspected"), ("refer", "photo_unusable"), ("refer", "")]
    assert figures.agreement(pairs) == Share(2, 3)


def test_days_and_turn_around():
    cases = [
        case(1, "refer", answered_at=START + 1 * HOUR),
        case(2, "refer", answered_at=START + 3 * HOUR),
        case(3, "refer", answered_at=START + 10 * HOUR),
        case(4, "refer"),
    ]
    days = figures.days(cases, START - DAY, START + DAY)
    assert [(one.day, one.filed, one.answered) for one in days] == [
        ("2026-09-20", 0, 0),
        ("2026-09-21", 4, 2),
        ("2026-09-22", 0, 1),
    ]
    turn = figures.turn_around(cases, START + DAY)
    assert (turn.median, turn.in_time) == (3.0, Share(2, 4))
    assert turn.ninetieth == pytest.approx(8.6)
    assert figures.turn_around([], START).median is None


def test_worse_is_worse_only_where_intervals_do_not_meet():
    expected = Interval(0.8, 0.75, 0.85, 400)
    assert worse(Share(10, 40), expected, higher_is_better=True)
    assert not worse(Share(28, 40), expected, higher_is_better=True)
    assert worse(Share(40, 40), expected, higher_is_better=False)
    assert not worse(Share(0, 0), expected, higher_is_better=True)
    assert not worse(Share(0, 10), None, higher_is_better=True)


def test_the_page_gets_them_of_its_own_clinic(house):
    house.service.model.screener.bundle.manifest.gate = SimpleNamespace(novelty_limit=12.5)
    filed = [house.filed()["id"]]
    house.clock.pass_(1)
    filed.append(house.phone().post("/v1/referrals", json=house.referral(age=1.0)).json()["id"])
    nurse = house.signed_in("nurse")
    for one, result in zip(filed, ("positive", "negative"), strict=True):
        house.clock.pass_(HOUR)
        nurse = house.signed_in("nurse")
        nurse.post(f"/v1/worklist/{one}/verdict", json={"verdict": "suspected", "revision": 1})
        nurse.post(f"/v1/worklist/{one}/pcr", json={"result": result, "revision": 2})
    told = nurse.get("/v1/monitoring", params={"last_days": 7}).json()
    assert (told["referrals"], told["outcomes"], told["pcr"]) == (
        2,
        {"refer": 2},
        {"positive": 1, "negative": 1},
    )
    assert sum(one["filed"] for one in told["days"]) == 2
    assert told["agreement"]["value"] == 1.0
    ppv = next(one for one in told["accuracy"] if (one["name"], one["group"]) == ("ppv", "all"))
    assert (ppv["found"]["value"], ppv["found"]["n"]) == (0.5, 2)
    assert told["turn_around"]["median_hours"] == pytest.approx(1.5, abs=0.01)
    assert house.signed_in("stranger").get("/v1/monitoring").json()["referrals"] == 0
