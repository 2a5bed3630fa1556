"""The application: the page, the images, `POST /api/answers`, behind the guard; its look is that of the review."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from poxlens.errors import AnnotationError, PoxlensError
from poxlens.serve.annotate.session import AnswerError, Labelling, MovedOnError, UnsavedError
from poxlens.serve.guard import Guard, Hosts
from poxlens.serve.review.pictures import Pictures
from poxlens.serve.static_pages import INSUFFICIENT_STORAGE, add_faults, add_files

log = logging.getLogger("poxlens.serve.annotate")

MAX_BODY = 65_536
"""Bytes of one answer; none has more than a few hundred."""

_STYLE, _SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
_SHARED = {
    "/app.css": ("app.css", _STYLE),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/review.css": ("review.css", _STYLE),
    **{f"/{name}.js": (f"{name}.js", _SCRIPT) for name in ("build", "pictures", "queue", "saving")},
}
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/annotate.css": ("annotate.css", _STYLE),
    **{f"/{name}.js": (f"{name}.js", _SCRIPT) for name in ("main", "keyboard", "sheet", "choice")},
}
_FAULTS: dict[type[PoxlensError], tuple[int, str]] = {
    MovedOnError: (409, "conflict"),
    AnswerError: (400, "answer"),
    UnsavedError: (INSUFFICIENT_STORAGE, "not_saved"),
    AnnotationError: (INSUFFICIENT_STORAGE, "not_saved"),
}


def create_annotate(session: Labelling, *, hosts: Hosts | None = None) -> Guard:
    """The ASGI application of one run.

    Args:
        session: with the images and where labels go.
        hosts: which Host headers are served; None for the names of the local machine.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    pictures = Pictures(session.items, session.root)

    @app.get("/api/annotate")
    def annotate() -> JSONResponse:  # of thousands of images: FastAPI would go through each value first
        return JSONResponse({**describe(session), **session.look()})

    @app.get("/api/states")
    def states() -> JSONResponse:
        return JSONResponse(session.look())

    @app.post("/api/answers")
    async def answer(request: Request) -> dict[str, Any]:
        wish = _wish(await request.body())
        if "undo" in wish:
            return await run_in_threadpool(session.undo, wish["undo"])
        return await run_in_threadpool(
            session.answer, wish["index"], wish["label"], wish["value"], revision=wish["revision"]
        )

    @app.get("/picture/{index}")
    def picture(index: int) -> Response:
        return Response(pictures.picture(_existing(session, index)), media_type="image/jpeg")

    @app.get("/thumb/{index}")
    def thumb(index: int) -> Response:
        return Response(pictures.thumb(_existing(session, index)), media_type="image/jpeg")

    add_files(app, "poxlens.serve.review", _SHARED)
    add_files(app, "poxlens.serve.annotate", _FILES)
    add_faults(app, log, _FAULTS)
    return Guard(app, hosts=hosts or Hosts(), max_body=MAX_BODY)


def describe(session: Labelling) -> dict[str, Any]:
    """What does not change while images are labelled, as JSON values: no class, nothing a model said."""
    return {
        "title": session.scheme.title,
        "notice": session.scheme.notice,
        "out": str(session.out),
        "labels": [
            {
                "name": label.name,
                "title": label.title,
                "values": [{"name": one.name, "key": one.key, "says": one.says} for one in label.value],
            }
            for label in session.scheme.label
        ],
        "items": [{"file": one.file, "asked": one.asked, "hint": dict(one.hint)} for one in session.items],
    }


def _existing(session: Labelling, index: int) -> int:
    if not 0 <= index < len(session.items):
        raise AnswerError(f"There is no image {index} here.")
    return index


def _wish(body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
        kinds = (
            {"undo": int} if "undo" in wish else {"index": int, "label": str, "value": str, "revision": int}
        )
        found = {name: wish[name] for name in kinds}
    except (ValueError, KeyError, TypeError) as fault:
        raise AnswerError("This is not an answer.") from fault
    if any(type(found[name]) is not kind for name, kind in kinds.items()):
        raise AnswerError("This is not an answer.")
    return found
