"""The two addresses of signing in through OpenID Connect."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from poxlens.serve.clinic.api.answers import faults
from poxlens.serve.clinic.api.limits import limited
from poxlens.serve.clinic.api.sessions import set_cookie
from poxlens.serve.clinic.faults import ApiError, not_found
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.rates import Limit

if TYPE_CHECKING:
    from poxlens.serve.clinic.access.oidc import Provider

router = APIRouter(prefix="/v1/oidc", tags=["signing in"])
_COOKIE = "poxlens_oidc"
CALLBACK = "/v1/oidc/callback"
_TRIES = Limit(60, 900.0)


@router.get(
    "/start",
    status_code=303,
    response_class=RedirectResponse,
    responses=faults(404, 429),
    summary="Sign in through the organisation",
)
def start(request: Request) -> RedirectResponse:
    """To be opened by the browser; leads to the provider."""
    service, provider = _provider(request)
    limited(service, f"oidc:{request.client.host if request.client else '?'}", _TRIES)
    from poxlens.serve.clinic.access import (
        oidc,  # its libraries take a third of a second, which few servers need
    )

    begun = oidc.begin(service, provider, _redirect(request, service))
    answer = RedirectResponse(begun.address, status_code=303)
    # Only the browser that began may finish: else a stranger could sign somebody in as himself.
    answer.set_cookie(
        _COOKIE,
        begun.state,
        max_age=600,
        path="/v1/oidc",
        httponly=True,
        secure=service.secure,
        samesite="lax",
    )
    return answer


@router.get(
    "/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=faults(401, 403, 404),
    summary="Where the provider sends the browser back to",
)
def callback(
    request: Request,
    code: Annotated[str, Query(max_length=4_096)] = "",
    state: Annotated[str, Query(max_length=256)] = "",
) -> RedirectResponse:
    """Sets the session's cookie and leads to the worklist."""
    service, provider = _provider(request)
    begun = request.cookies.get(_COOKIE, "")
    if not code or not state or not hmac.compare_digest(begun.encode(), state.encode()):
        raise ApiError(401, "openid_refused", "Signing in did not work. Try again from the beginning.")
    from poxlens.serve.clinic.access import oidc

    token = oidc.finish(service, provider, _redirect(request, service), code, state)
    answer = RedirectResponse("/clinic/", status_code=303)
    set_cookie(service, answer, token)
    answer.delete_cookie(_COOKIE, path="/v1/oidc")
    return answer


def _provider(request: Request) -> tuple[Service, Provider]:
    service = service_of(request)
    if service.settings.openid is None:
        raise not_found("way to sign in")
    from poxlens.serve.clinic.access.oidc import Provider

    if not hasattr(request.app.state, "provider"):
        request.app.state.provider = Provider(service.settings.openid)
    provider: Provider = request.app.state.provider
    return service, provider


def _redirect(request: Request, service: Service) -> str:
    base = service.settings.public_url or f"{request.url.scheme}://{request.url.netloc}"
    return base + CALLBACK
