"""A clinic to look at: drawn photos, invented people, accounts whose passwords are printed, in a temporary folder."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from poxlens.data.phantom import draw, random_spec
from poxlens.screen.decision import Context
from poxlens.serve.clinic.access.accounts import NewUser, add_clinic, add_device, add_user
from poxlens.serve.clinic.access.principal import Principal
from poxlens.serve.clinic.fhir.from_decisions import limits_of, result_of
from poxlens.serve.clinic.instants import DAY, HOUR
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.referrals.filing import Wish, file, fingerprint
from poxlens.serve.clinic.referrals.reviewing import Said, add_pcr, give_verdict, open_referral
from poxlens.serve.clinic.referrals.states import Diagnosis, Pcr, Verdict
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.photos import prepare_photo

CLINIC, BLIND_CLINIC = "Phantom district clinic", "Phantom border post (blind mode)"
PASSWORD = "drawn-photos-only"
"""Of every account of a demonstration: nothing in it is real, and the server listens to this machine alone."""


@dataclass(frozen=True)
class Demo:
    """What is printed: which account is for what, and the token of the phone."""

    accounts: tuple[tuple[str, str], ...]  # name, what for
    token: str


def demo_settings(folder: Path) -> Settings:
    """A server's choices below a temporary folder."""
    return Settings(data=folder / "data", keys=folder / "keys" / "keys.json")


def fill(service: Service, *, people: int = 24, advance: Callable[[], None] = lambda: None) -> Demo:
    """Make the clinics, their people and their referrals.

    Args:
        service: an empty server.
        people: how many referrals.
        advance: called after each.
    """
    now = time.time()
    clinic = add_clinic(service, CLINIC, actor="command")
    blind = add_clinic(service, BLIND_CLINIC, actor="command", policy=Policy(blind=True))
    accounts = (
        (clinic, NewUser("nurse", ("clinician",), on_duty=True), "the worklist and the camera"),
        (clinic, NewUser("doctor", ("clinician",), escalation=True), "a colleague for second opinions"),
        (clinic, NewUser("admin", ("administrator", "clinician")), "accounts, devices, choices, monitoring"),
        (blind, NewUser("blind", ("administrator", "clinician")), "another clinic, in blind mode"),
    )  # fmt: skip
    made = {
        wanted.name: add_user(service, where, wanted, actor="command", password=PASSWORD)[0]
        for where, wanted, _ in accounts
    }
    device, token = add_device(service, clinic, "Phone of the ward", 365, actor="command")
    other, _ = add_device(service, blind, "Tablet at the border", 365, actor="command")
    phones = {
        clinic: Principal("device", device.id, device.name, clinic, frozenset({"device"}), Policy()),
        blind: Principal("device", other.id, other.name, blind, frozenset({"device"}), Policy(blind=True)),
    }
    nurse = Principal("user", made["nurse"].id, "nurse", clinic, frozenset({"clinician"}), Policy())
    luck = random.Random(5)
    for number in range(people):
        where = blind if number % 6 == 5 else clinic
        _person(service, phones[where], nurse if where == clinic else None, number, now, luck)
        advance()
    service.clock = time.time
    return Demo(tuple((wanted.name, what) for _, wanted, what in accounts), token)


def _person(
    service: Service, phone: Principal, nurse: Principal | None, number: int, now: float, luck: random.Random
) -> None:
    old = number % 3 != 0 and nurse is not None  # two of three have been answered, where somebody answers
    filed = now - (luck.uniform(1, 28) * DAY if old else luck.uniform(0.1, 20) * HOUR)
    service.clock = lambda: filed
    photos = [_drawn(100 + 7 * number + n) for n in range(1 + (number % 4 == 0))]
    decisions = [service.model.screener.screen(photo) for photo in photos]
    context = Context(
        fever=luck.random() < 0.4, risk_group=luck.random() < 0.2, age=float(luck.randint(1, 70))
    )
    manifest = service.model.screener.bundle.manifest
    result = result_of(decisions, context, filed - 600, manifest.target, limits_of(manifest))
    result = replace(result, answers={**result.answers, **_more(luck)})
    wish = Wish(
        result.identifier, fingerprint(result.identifier), result, [prepare_photo(one) for one in photos],
        photo_consent=True, training_consent=number % 2 == 0, person=f"demo {number:03d}",
    )  # fmt: skip
    filed_as = file(service, phone, wish)
    if old and nurse is not None:
        _answered(service, nurse, filed_as.id, filed, luck)


def _answered(service: Service, nurse: Principal, referral: str, filed: float, luck: random.Random) -> None:
    service.clock = lambda: filed + luck.uniform(0.3, 9) * HOUR
    seen = open_referral(service, nurse, referral)
    suspected = luck.random() < (0.8 if seen.outcome == "refer" else 0.25)
    said = (
        Said(Verdict.suspected, message="Please come to the clinic this week for a test.")
        if suspected
        else Said(Verdict.other_diagnosis, Diagnosis.chickenpox, message="This looks like chickenpox.")
        if luck.random() < 0.5
        else Said(Verdict.not_suspected)
    )
    done = give_verdict(service, nurse, referral, said, seen.revision)
    if suspected and luck.random() < 0.75:
        service.clock = lambda: filed + luck.uniform(1, 3) * DAY
        add_pcr(
            service, nurse, referral, Pcr.positive if luck.random() < 0.6 else Pcr.negative, done.revision
        )


def _more(luck: random.Random) -> dict[str, Any]:
    more: dict[str, Any] = {
        "pregnant": luck.random() < 0.1,
        "where": sorted(luck.sample(["face", "hands", "arms", "legs", "chest", "genitals"], 2)),
        "since": luck.choice(["1d", "4d", "7d", "14d"]),
    }
    return more


def _drawn(seed: int) -> bytes:
    with io.BytesIO() as stream:
        Image.fromarray(draw(random_spec(seed, size=448)).image).save(stream, "JPEG", quality=92)
        return stream.getvalue()
