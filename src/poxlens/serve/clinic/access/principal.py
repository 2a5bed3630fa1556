"""Who is asking: a device by its token, or a person by the session of the browser; and what they may do."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Request, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access import sessions
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.ids import DEVICE_PREFIX, hashed
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.tables import Clinic, Device, Login, User

Role = Literal["device", "clinician", "administrator"]

COOKIE = "poxlens_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = ("GET", "HEAD", "OPTIONS")

_bearer = HTTPBearer(auto_error=False, description="The token of a device.", scheme_name="device")
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description=f"The session of a person; changes also need the header {CSRF_HEADER}.",
    scheme_name="session",
)

# Built once: every request of a phone asks it.
_DEVICE = (
    select(Device.id, Device.name, Device.clinic_id, Device.revoked_at, Device.expires_at, Clinic.policy)
    .join(Clinic, Clinic.id == Device.clinic_id)
    .where(Device.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True)
class Principal:
    """A device or a person that was recognised.

    Attributes:
        kind: which of the two.
        id: of the device or the account.
        name: as people call it.
        clinic_id: the one clinic whose data it may see.
        roles: what it may do.
        policy: of its clinic.
    """

    kind: Literal["device", "user"]
    id: str
    name: str
    clinic_id: str
    roles: frozenset[str]
    policy: Policy

    @property
    def actor(self) -> str:
        """As the audit log names it."""
        return f"{self.kind}:{self.id}"


def cookie_name(service: Service) -> str:
    """The cookie's name; through https the prefix makes browsers refuse it from anywhere else."""
    return f"__Host-{COOKIE}" if service.secure else COOKIE


def session_token(request: Request) -> str | None:
    """The session's token that a browser sent."""
    return request.cookies.get(cookie_name(service_of(request)))


def allow(*roles: Role, unfinished: bool = False, fresh: bool = False) -> Callable[..., Principal]:
    """A dependency that gives the principal where it has one of the roles.

    Args:
        roles: those that are allowed.
        unfinished: whether a sign-in that still lacks a new password or a second factor will do.
        fresh: whether a person must have typed their password in the last ten minutes: a screen that was left open
            for a moment is no way to a new account.
    """

    def principal(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
        _: Annotated[str | None, Security(_cookie)] = None,
    ) -> Principal:
        service = service_of(request)
        if "authorization" in request.headers:  # a wrong one is refused, whatever cookie comes with it
            found = _device(service, bearer.credentials if bearer else "")
        else:
            found = _person(request, service, unfinished, fresh)
        request.state.principal = found
        if not found.roles & set(roles):
            raise ApiError(403, "forbidden", "This account may not do that.")
        return found

    return principal


def allow_later(*roles: Role) -> Callable[..., Any]:
    """A dependency that gives a function that gives the principal, or refuses, as `allow` does.

    For a route that goes on in a thread anyway: changing to one more thread to look up a token costs half a
    millisecond. Whoever shows nothing at all is refused before the body is read.

    Args:
        roles: those that are allowed.
    """
    known = allow(*roles)

    async def later(
        request: Request,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
        _: Annotated[str | None, Security(_cookie)] = None,
    ) -> Callable[[], Principal]:
        if "authorization" not in request.headers and not session_token(request):
            raise _refused("signed_out", "Sign in first.")
        return lambda: known(request, bearer)

    return later


def unfinished_step(user: User, policy: Policy, method: str) -> str | None:
    """What a sign-in still lacks: `password`, `totp`, or None."""
    if user.must_change and method != "oidc":
        return "password"
    if policy.require_totp and not user.totp_confirmed and method != "oidc":
        return "totp"
    return None


def policy_of(session: Session, clinic_id: str) -> Policy:
    """The choices of a clinic."""
    return Policy.model_validate(session.get_one(Clinic, clinic_id).policy)


def _device(service: Service, token: str) -> Principal:
    with service.store.asking() as connection:
        device = connection.execute(_DEVICE, {"token_hash": hashed(token)}).first()
    if device is None or not token.startswith(DEVICE_PREFIX):
        raise _refused("token", "This device is not known here. Ask the clinic for a new token.")
    if device.revoked_at is not None or service.now() >= device.expires_at:
        raise _refused(
            "token_ended", "This device's token has ended. Ask the clinic for a new one.", device.clinic_id
        )
    policy = Policy.model_validate(device.policy)
    return Principal("device", device.id, device.name, device.clinic_id, frozenset({"device"}), policy)


def _person(request: Request, service: Service, unfinished: bool, fresh: bool) -> Principal:
    token = session_token(request)
    if not token:
        raise _refused("signed_out", "Sign in first.")
    now = service.now()
    with service.store.reading() as session:
        found = sessions.find(session, token, now, service.settings)
        if found is None:
            raise _refused("session_ended", "Your session has ended. Sign in again.")
        login, user = found
        policy = policy_of(session, user.clinic_id)
    if request.method not in _SAFE:
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(sent.encode(), sessions.csrf_token(token).encode()):
            raise ApiError(403, "csrf", "This request did not come from the page. Load the page again.")
    if not unfinished and unfinished_step(user, policy, login.method):
        raise ApiError(403, "finish_signin", "Finish signing in first: new password or authenticator app.")
    if fresh and now - login.confirmed_at > sessions.FRESH:
        raise ApiError(403, "confirm", "Type your password again: it is some time since you did.")
    if now - login.seen_at > sessions.TOUCH:
        _touch(service, login, now)
    return Principal("user", user.id, user.name, user.clinic_id, frozenset(user.roles.split(",")), policy)


def _touch(service: Service, login: Login, now: float) -> None:
    with service.store.writing() as session:
        session.execute(update(Login).where(Login.token_hash == login.token_hash).values(seen_at=now))


def _refused(code: str, message: str, clinic_id: str | None = None) -> ApiError:
    fault = ApiError(401, code, message, headers={"WWW-Authenticate": "Bearer"})
    fault.clinic_id = clinic_id
    return fault
