"""The application: the page, the images of the proposals, and `POST /api/decisions`, behind the guard."""

from __future__ import annotations

import json
import logging
import shlex
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from poxlens.data.curate.proposals import checked_box
from poxlens.errors import CurationError, PoxlensError
from poxlens.serve.guard import Guard, Hosts
from poxlens.serve.review.pictures import Pictures
from poxlens.serve.review.session import ConflictError, DecisionError, SaveError, Session, to_json
from poxlens.serve.static_pages import INSUFFICIENT_STORAGE, add_faults, add_files

log = logging.getLogger("poxlens.serve.review")

MAX_BODY = 65_536
"""Bytes of one decision; none has more than a few hundred."""

_STYLE, _SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.css": ("app.css", _STYLE),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/review.css": ("review.css", _STYLE),
    **{
        f"/{name}.js": (f"{name}.js", _SCRIPT)
        for name in ("build", "main", "keys", "panels", "pictures", "queue", "saving", "square", "stage")
    },
}
_FAULTS: dict[type[PoxlensError], tuple[int, str]] = {
    ConflictError: (409, "conflict"),
    DecisionError: (400, "decision"),
    SaveError: (INSUFFICIENT_STORAGE, "not_saved"),
    CurationError: (INSUFFICIENT_STORAGE, "not_saved"),
}


def create_review(session: Session, *, only: str = "", hosts: Hosts | None = None) -> Guard:
    """The ASGI application of one folder of proposals.

    Args:
        session: with the proposals and where decisions go.
        only: what the page shows at first: "", "undecided", "crop", "none" or "class:LABEL".
        hosts: which Host headers are served; None for the names of the local machine.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pictures = Pictures(session.proposals, session.root)

    @app.get("/api/review")
    def review() -> JSONResponse:  # of thousands of images: FastAPI would go through each value first
        return JSONResponse({**describe(session), "only": only, **_known(session)})

    @app.get("/api/changes")
    def changes(since: int = 0) -> dict[str, Any]:
        return session.look(since)

    @app.post("/api/decisions")
    async def decide(request: Request) -> dict[str, Any]:
        wish = _wish(await request.body())
        return await run_in_threadpool(
            session.record,
            wish["index"],
            wish["action"],
            wish["box"],
            revision=wish["revision"],
            since=wish["since"],
        )

    @app.get("/picture/{index}")
    def picture(index: int) -> Response:
        return Response(pictures.picture(_existing(session, index)), media_type="image/jpeg")

    @app.get("/thumb/{index}")
    def thumb(index: int) -> Response:
        return Response(pictures.thumb(_existing(session, index)), media_type="image/jpeg")

    @app.get("/crop/{index}")
    def crop(index: int, box: Annotated[list[int], Query()]) -> Response:
        proposal = session.proposals[_existing(session, index)]
        try:
            square = checked_box(box, proposal.width, proposal.height)
        except ValueError as fault:
            raise DecisionError(f"{proposal.file}: {fault}.") from fault
        return Response(pictures.crop(index, square), media_type="image/jpeg")

    add_files(app, "poxlens.serve.review", _FILES)
    add_faults(app, log, _FAULTS)
    return Guard(app, hosts=hosts or Hosts(), max_body=MAX_BODY)


def describe(session: Session) -> dict[str, Any]:
    """What does not change while a folder is under review, as JSON values."""
    return {
        "next": next_command(session),
        "by": session.by,
        "least_side": session.least_side,
        "items": [
            {
                "file": one.file,
                "label": one.label,
                "width": one.width,
                "height": one.height,
                "verdict": one.verdict,
                "box": one.box,
                "reason": one.reason,
                "sentence": one.sentence,
                "skin_share": one.skin_share,
                "notes": one.notes,
            }
            for one in session.proposals
        ],
    }


def next_command(session: Session) -> str:
    """What cuts the decided crops out; TABLE is the one the proposals were made from, which they do not name."""
    folder, root = (shlex.quote(str(path)) for path in (session.folder, session.root))
    return f"poxlens data curate TABLE --root {root} --out {folder} --apply crops"


def _known(session: Session) -> dict[str, Any]:
    # Lines first: what is written between the two is told again by the next answer, never missed.
    known = session.look(10**9)
    decided = [to_json(index, one) for index, one in enumerate(session.standing()) if one.revision]
    return {**known, "changed": decided}


def _existing(session: Session, index: int) -> int:
    if not 0 <= index < len(session.proposals):
        raise DecisionError(f"There is no image {index} in these proposals.")
    return index


def _wish(body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
        found = {name: wish[name] for name in ("index", "action", "box", "revision", "since")}
    except (ValueError, KeyError, TypeError) as fault:
        raise DecisionError("This is not a decision.") from fault
    if not isinstance(found["action"], str) or any(
        type(found[name]) is not int for name in ("index", "revision", "since")
    ):
        raise DecisionError("This is not a decision.")
    return found
