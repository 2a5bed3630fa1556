"""Logs as JSON lines on stderr. A line holds ids and codes; addresses of people, names and bodies never."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from pydantic_core import to_json

from poxlens.serve.clinic.instants import to_iso

NAME = "poxlens.serve.clinic"
_FIELDS = "poxlens_fields"


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; of a fault its kind and place, not its text, which could quote a request."""
        line = {"at": to_iso(record.created), "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, _FIELDS, {})
        if record.exc_info and record.exc_info[0] is not None:
            line["fault"] = record.exc_info[0].__name__
            line["place"] = _place(record)
        return to_json(line, fallback=str).decode()


def set_up(stream: TextIO | None = None) -> None:
    """Send what the server logs, and uvicorn's warnings, to stderr as JSON lines.

    A terminal gets warnings alone: a line for each request would push the first password out of sight.
    """
    told = stream or sys.stderr
    handler = logging.StreamHandler(told)
    handler.setFormatter(JsonLines())
    for name, level in (
        (NAME, logging.WARNING if told.isatty() else logging.INFO),
        ("uvicorn", logging.WARNING),
        ("uvicorn.error", logging.WARNING),
    ):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def tell(
    event: str, level: int = logging.INFO, *, fault: BaseException | None = None, **fields: object
) -> None:
    """Log one line.

    Args:
        event: what happened, a few words.
        level: of logging.
        fault: an exception, of which kind and place are told.
        fields: more; never personal data.
    """
    logging.getLogger(NAME).log(level, event, extra={_FIELDS: fields}, exc_info=fault)


def _place(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
