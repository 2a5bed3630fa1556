"""What the server does by itself: sends notices, reminds, deletes what is too old. One worker at a time does each."""

from __future__ import annotations

import logging
import threading

from poxlens.errors import PoxlensError
from poxlens.serve.clinic.access import sessions
from poxlens.serve.clinic.instants import HOUR, MINUTE
from poxlens.serve.clinic.notice import outbox
from poxlens.serve.clinic.notice.mail import by_mail
from poxlens.serve.clinic.notice.outbox import Send
from poxlens.serve.clinic.notice.reminders import remind
from poxlens.serve.clinic.notice.webhook import by_webhook
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store import leases, rates
from poxlens.serve.clinic.store.erasing import delete_expired
from poxlens.serve.clinic.telemetry.logs import tell

_TICK = 5.0  # seconds


def channels_of(service: Service) -> dict[str, Send]:
    """The ways by which notices go out here."""
    found = {"webhook": by_webhook(service)}
    if service.settings.mail is not None:
        found["email"] = by_mail(service.settings.mail)
    return found


def keep_house(service: Service, channels: dict[str, Send]) -> None:
    """One round: notices each time, the rest when it is due."""
    outbox.deliver(service, channels)
    if _due(service, "reminders", MINUTE):
        remind(service)
        _done(service, "reminders")
    if _due(service, "deleting", HOUR):
        delete_expired(service)
        outbox.forget(service)
        with service.store.writing() as session:
            sessions.forget(session, service.now(), service.settings)
            rates.forget(session, service.now())
        _done(service, "deleting")


class Housekeeper:
    """A thread that keeps house until it is told to stop.

    Args:
        service: the server.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the round that is under way."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        channels = channels_of(self._service)
        while not self._stop.wait(_TICK):
            try:
                keep_house(self._service, channels)
            except PoxlensError as fault:
                tell("housekeeping has to wait", logging.WARNING, why=str(fault))
            except Exception as fault:  # a thread that ended would end all notices, unseen
                tell("housekeeping failed", logging.ERROR, fault=fault)


def _due(service: Service, name: str, every: float) -> bool:
    """Whether this worker is to do a job now; most rounds find that it is not, without writing."""
    with service.store.writing() as session:
        return leases.take(session, name, service.now(), every=every)


def _done(service: Service, name: str) -> None:
    with service.store.writing() as session:
        leases.done(session, name, service.now())
