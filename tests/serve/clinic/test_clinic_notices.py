"""Notices: to a real mail server on this machine, retried, once, without a word about the patient."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from poxlens.serve.clinic.housekeeping import Housekeeper, channels_of, keep_house
from poxlens.serve.clinic.instants import DAY, HOUR, MINUTE
from poxlens.serve.clinic.notice.outbox import GIVE_UP, PAUSES, Letter, SendError, deliver, forget
from poxlens.serve.clinic.notice.reminders import remind
from poxlens.serve.clinic.notice.writing import FOOT
from poxlens.serve.clinic.settings import Mail
from poxlens.serve.clinic.store.tables import Clinic, Notice


class Mailbox:
    """Keeps what the mail server was handed; refuses for a while when told to."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.refuse = False

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return "451 4.3.0 Try later"
        self.messages.append(envelope)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Controller]]:
    box = Mailbox()
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        port = asking.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, controller
    controller.stop()


@pytest.fixture
def mailing(house, mailbox):
    """The server with a mail server, and its channels."""
    mail = Mail(host="127.0.0.1", port=mailbox[1].port, security="none", sender="poxlens@clinic.example")
    house.service.settings = house.service.settings.model_copy(update={"mail": mail})
    return house, mailbox[0], channels_of(house.service)


def text(envelope) -> str:
    return (
        email.message_from_bytes(envelope.content, policy=email.policy.default)
        .get_content()
        .replace("\n", " ")
    )


def outbox(house) -> list[Notice]:
    with house.service.store.reading() as session:
        return list(session.scalars(select(Notice).order_by(Notice.created_at, Notice.id)))


def test_an_urgent_referral_is_mailed_to_who_is_on_duty(mailing):
    house, box, channels = mailing
    filed = house.filed(person="REGISTER-17", age=61.0)
    assert deliver(house.service, channels) == 1
    (envelope,) = box.messages
    assert envelope.rcpt_tos == ["nurse@north.example"]
    told = envelope.content.decode()
    assert "Subject: New referral: urgent" in told
    assert "Auto-Submitted: auto-generated" in told
    assert FOOT in text(envelope)
    for personal in ("REGISTER-17", filed["id"], filed["code"], "61", "mpox", "refer."):
        assert personal not in text(envelope)
    assert deliver(house.service, channels) == 0
    assert len(box.messages) == 1


def test_a_referral_that_is_not_urgent_waits_for_the_digest(mailing, macules):
    house, box, channels = mailing
    house.photo = macules  # the fake does not suspect it
    remind(house.service)  # the first digest of an empty queue: nothing is sent
    house.filed()
    assert deliver(house.service, channels) == 0
    house.clock.pass_(12 * HOUR)
    remind(house.service)
    remind(house.service)
    assert deliver(house.service, channels) == 1
    assert "Referrals waiting: 1 routine. Not looked at in the time they should have been: 0." in text(
        box.messages[0]
    )


def test_notices_of_blind_mode_are_the_same_for_every_outcome(mailing, policy, pustules, macules):
    house, box, channels = mailing
    policy(blind=True)
    remind(house.service)
    for house.photo in (pustules, macules):  # the fake suspects the first alone
        house.filed()
    assert deliver(house.service, channels) == 2
    assert len({text(one) for one in box.messages}) == 1
    assert "urgent" not in text(box.messages[0])
    house.clock.pass_(12 * HOUR)
    remind(house.service)
    deliver(house.service, channels)
    told = "Referrals waiting: 2. Not looked at in the time they should have been: 2."
    assert [told in text(one) for one in box.messages[2:]].count(True) == 1


def test_a_mail_server_that_refuses_is_tried_again_with_longer_pauses(mailing):
    house, box, channels = mailing
    house.filed()
    box.refuse = True
    waits = []
    for _ in range(len(PAUSES) + 1):
        assert deliver(house.service, channels) == 0
        notice = outbox(house)[0]
        waits.append(notice.next_at - house.clock())
        house.clock.at = notice.next_at - 0.5
        assert deliver(house.service, channels) == 0
        assert outbox(house)[0].attempts == len(waits)  # not yet
        house.clock.at = notice.next_at
    assert waits == [*PAUSES, PAUSES[-1]]
    assert outbox(house)[0].last_error == "mail server answered 451"
    box.refuse = False
    assert deliver(house.service, channels) == 1
    assert outbox(house)[0].sent_at == house.clock()
    house.clock.pass_(31 * DAY)
    forget(house.service)
    assert outbox(house) == []


def test_a_mail_server_that_stays_away_is_given_up(house):
    house.service.settings = house.service.settings.model_copy(
        update={"mail": Mail(host="127.0.0.1", port=1, security="none", sender="a@b.example", timeout=1)}
    )
    channels = channels_of(house.service)
    house.filed()
    deliver(house.service, channels)
    assert outbox(house)[0].last_error == "mail server: ConnectionRefusedError"
    house.clock.pass_(GIVE_UP + 1)
    deliver(house.service, channels)
    assert outbox(house)[0].given_up_at == house.clock()
    house.clock.pass_(DAY)
    assert deliver(house.service, channels) == 0
    assert outbox(house)[0].attempts == 2


def test_two_workers_send_one_letter(each_house):
    house = each_house
    house.filed()
    inside, go, sent = threading.Event(), threading.Event(), []

    def slow(letter: Letter) -> None:
        inside.set()
        go.wait(10)
        sent.append(letter.id)

    first = threading.Thread(target=deliver, args=(house.service, {"email": slow}))
    first.start()
    assert inside.wait(10)
    assert deliver(house.service, {"email": lambda letter: sent.append(letter.id)}) == 0
    go.set()
    first.join()
    assert len(sent) == 1
    # A worker that died in the middle: its lease ends.
    house.phone().post("/v1/referrals", json=house.referral())

    def dies(_: Letter) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        deliver(house.service, {"email": dies})
    assert deliver(house.service, {"email": lambda letter: sent.append(letter.id)}) == 0
    house.clock.pass_(5 * MINUTE)
    assert deliver(house.service, {"email": lambda letter: sent.append(letter.id)}) == 1


def test_what_nobody_opens_in_time_goes_to_the_second_line_once(mailing):
    house, box, channels = mailing
    admin = house.signed_in("admin")
    admin.patch(f"/v1/admin/users/{house.ids['doctor']}", json={"escalation": True})
    seen, _ = house.filed(), house.filed()
    deliver(house.service, channels)
    house.signed_in("nurse").get(f"/v1/worklist/{seen['id']}")
    house.clock.pass_(4 * HOUR + 1)
    box.messages.clear()
    keep_house(house.service, channels)
    keep_house(house.service, channels)
    house.clock.pass_(2 * MINUTE)
    keep_house(house.service, channels)
    late = [one for one in box.messages if "nobody has opened" in text(one)]
    assert sorted(one.rcpt_tos[0] for one in late) == ["doctor@north.example", "nurse@north.example"]
    assert "in the time they should have been: 1." in text(late[0])
    assert house.actions().count("escalated") == 1


def test_a_question_goes_to_the_colleague_asked(mailing):
    house, box, channels = mailing
    filed = house.filed()
    deliver(house.service, channels)
    box.messages.clear()
    nurse = house.signed_in("nurse")
    asked = {"revision": 1, "note": "Is this varicella?", "colleague": house.ids["doctor"]}
    assert (
        nurse.post(f"/v1/worklist/{filed['id']}/second-opinion", json=asked).json()["state"]
        == "second_opinion"
    )
    assert deliver(house.service, channels) == 1
    assert box.messages[0].rcpt_tos == ["doctor@north.example"]
    assert "varicella" not in box.messages[0].content.decode()


class _Hook(BaseHTTPRequestHandler):
    received: list[tuple[dict[str, str], bytes]] = []  # noqa: RUF012 - one test's

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204 if len(self.received) > 1 else 500)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_webhook_is_signed_and_retried(house, policy):
    hook = HTTPServer(("127.0.0.1", 0), _Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    policy(webhook_url=f"http://127.0.0.1:{hook.server_port}/hook")
    secret = house.signed_in("admin").post("/v1/admin/webhook-secret").json()["secret"]
    with house.service.store.reading() as session:
        assert secret.encode() not in (
            session.get_one(Clinic, house.ids["north"]).webhook_secret_sealed or b""
        )
    house.filed()
    channels = channels_of(house.service)
    assert deliver(house.service, channels) == 0
    house.clock.pass_(PAUSES[0])
    assert deliver(house.service, channels) == 1
    hook.shutdown()
    (_, first), (headers, second) = _Hook.received
    assert first == second
    told = json.loads(second)
    assert sorted(told) == ["at", "id", "kind", "subject", "text"]
    assert told["kind"] == "referral"
    expected = hmac.new(secret.encode(), second, hashlib.sha256).hexdigest()
    assert headers["x-poxlens-signature"] == f"sha256={expected}"


def test_housekeeping_goes_on_after_a_fault(house, monkeypatch):
    seen = threading.Event()
    rounds = []

    def broken(*_: object) -> None:
        rounds.append(1)
        if len(rounds) > 2:
            seen.set()
        raise SendError("fault")

    monkeypatch.setattr("poxlens.serve.clinic.housekeeping.keep_house", broken)
    monkeypatch.setattr("poxlens.serve.clinic.housekeeping._TICK", 0.01)
    keeper = Housekeeper(house.service)
    keeper.start()
    assert seen.wait(10)
    keeper.stop()
