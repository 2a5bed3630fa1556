"""Notices by e-mail, through the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate

from poxlens.serve.clinic.notice.outbox import Letter, Send, SendError
from poxlens.serve.clinic.settings import Mail


def by_mail(settings: Mail) -> Send:
    """A channel that sends e-mails; one connection a letter, as there are few."""

    def send(letter: Letter) -> None:
        try:
            with _connected(settings) as server:
                server.send_message(_message(settings, letter))
        except smtplib.SMTPResponseException as fault:
            raise SendError(f"mail server answered {fault.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as fault:
            raise SendError(f"mail server: {type(fault).__name__}") from None

    return send


def _connected(settings: Mail) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=settings.timeout, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
        if settings.security == "starttls":
            server.starttls(context=context)
    if settings.user is not None and settings.password_file is not None:
        server.login(settings.user, settings.password_file.read_text("utf-8").splitlines()[0])
    return server


def _message(settings: Mail, letter: Letter) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = settings.sender, letter.target
    message["Subject"] = letter.subject
    message["Date"] = formatdate(letter.created_at)
    # The same letter tried again is the same message: mail programs show it once.
    message["Message-ID"] = f"<{letter.id}@{settings.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    message.set_content(letter.body)
    return message
