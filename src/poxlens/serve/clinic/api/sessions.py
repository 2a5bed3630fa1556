"""Signing in and out, and what people change about their own account."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from poxlens.serve.clinic.access import sessions, totp
from poxlens.serve.clinic.access.passwords import fault_of, hash_password
from poxlens.serve.clinic.access.principal import (
    Principal,
    allow,
    cookie_name,
    policy_of,
    session_token,
    unfinished_step,
)
from poxlens.serve.clinic.access.signing_in import check_password, confirm, sign_in
from poxlens.serve.clinic.access.telling import tell_person
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.instants import HOUR, to_iso
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.tables import Clinic, Login, User
from poxlens.serve.clinic.words import Line

router = APIRouter(prefix="/v1/session", tags=["signing in"])
Unfinished = Annotated[Principal, Depends(allow("clinician", "administrator", unfinished=True))]
Fresh = Annotated[Principal, Depends(allow("clinician", "administrator", unfinished=True, fresh=True))]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignInIn(_Given):
    """Name and password, and the code where the account has a second factor."""

    name: Line = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=128)
    code: Line | None = Field(
        default=None, max_length=20, description="Of the authenticator app, or a recovery code."
    )


class SessionOut(BaseModel):
    """Who is signed in."""

    name: str
    user_id: str
    clinic: str
    roles: list[Literal["administrator", "clinician"]]
    csrf: str = Field(description="Send it as X-CSRF-Token with every change.")
    unfinished: Literal["password", "totp"] | None = Field(
        description="What must be done before anything else: choose a password, or set up an authenticator app."
    )
    blind: bool
    totp: bool = Field(description="Whether the account has an authenticator app.")
    ends_at: str
    ends_at_latest: str


class PasswordIn(_Given):
    """A new password."""

    old: str = Field(min_length=1, max_length=128)
    new: str = Field(min_length=1, max_length=128, description="12 to 128 characters.")


class ConfirmIn(_Given):
    """Who one is, once more."""

    password: str = Field(min_length=1, max_length=128)
    code: Line | None = Field(default=None, max_length=20, description="As for signing in.")


class TotpOut(BaseModel):
    """What an authenticator app needs."""

    secret: str
    address: str = Field(description="otpauth: address, for a QR code.")


class TotpIn(_Given):
    """The first code of the app."""

    code: Line = Field(min_length=6, max_length=6)


class RecoveryOut(BaseModel):
    """Codes for the day on which the app is lost; shown once."""

    recovery_codes: list[str]


class Ways(BaseModel):
    """How one can sign in here."""

    openid: str | None = Field(
        description="The label of the button to /v1/oidc/start; null where there is none."
    )


@router.get("/ways", responses=faults(), summary="How one can sign in")
def ways(request: Request) -> Ways:
    """For the sign-in page."""
    openid = service_of(request).settings.openid
    return Ways(openid=openid.label if openid else None)


@router.post("", responses=faults(401, 413, 415, 429), summary="Sign in")
def begin(body: SignInIn, request: Request, response: Response) -> SessionOut:
    """Sets the session's cookie."""
    service = service_of(request)
    address = request.client.host if request.client else "?"
    signed = sign_in(service, body.name, body.password, body.code, address)
    set_cookie(service, response, signed.token)
    return _shown(service, signed.token)


@router.get("", responses=faults(*SIGNED), summary="Who is signed in")
def current(request: Request, _: Unfinished) -> SessionOut:
    """Also gives the token against requests from other sites."""
    return _shown(service_of(request), session_token(request) or "")


@router.delete("", status_code=204, responses=faults(*SIGNED), summary="Sign out")
def end(request: Request, response: Response, principal: Unfinished) -> None:
    """Ends this session."""
    service = service_of(request)
    with service.store.writing() as session:
        sessions.end(session, session_token(request) or "")
        service.log(session, principal.actor, "signout", principal.clinic_id, principal.actor)
    response.delete_cookie(
        cookie_name(service), path="/", secure=service.secure, httponly=True, samesite="lax"
    )


@router.post("/confirm", responses=faults(*SIGNED, 409, 413, 415, 429), summary="Type one's password again")
def confirm_again(body: ConfirmIn, request: Request, principal: Unfinished) -> SessionOut:
    """For the next ten minutes what was refused with `confirm` is allowed: accounts, tokens, choices, erasing."""
    service, token = service_of(request), session_token(request) or ""
    confirm(service, principal.id, token, body.password, body.code)
    return _shown(service, token)


@router.post("/password", responses=faults(*SIGNED, 413, 415, 429), summary="Change one's password")
def password(body: PasswordIn, request: Request, principal: Unfinished) -> SessionOut:
    """Ends every other session of the account."""
    service = service_of(request)
    token = session_token(request) or ""
    if not check_password(service, principal.id, body.old):
        raise ApiError(403, "wrong", "The old password is wrong.")
    fault = fault_of(body.new, principal.name) or (
        "The new password is the old one." if body.new == body.old else None
    )
    if fault:
        raise ApiError(422, "weak", fault)
    stored = hash_password(body.new)
    with service.store.writing() as session:
        user = session.get_one(User, principal.id)
        user.password_hash, user.must_change = stored, False
        sessions.end_all(session, user.id, but=token)
        sessions.confirm(session, token, service.now())
        tell_person(session, service, user, "password")
        service.log(session, principal.actor, "password.changed", principal.clinic_id, principal.actor)
    return _shown(service, token)


@router.post("/totp", responses=faults(*SIGNED, 409), summary="Begin to set up an authenticator app")
def begin_totp(request: Request, principal: Fresh) -> TotpOut:
    """It counts once `/v1/session/totp/confirm` has had a code of it."""
    service = service_of(request)
    secret = totp.new_secret()
    with service.store.writing() as session:
        user = session.get_one(User, principal.id)
        if user.totp_confirmed:
            raise ApiError(409, "set_up", "An authenticator app is set up already.")
        user.totp_sealed = service.keyring.seal_text(secret, f"totp:{user.id}")
    return TotpOut(secret=secret, address=totp.address(secret, principal.name))


@router.post("/totp/confirm", responses=faults(*SIGNED, 409, 413, 415), summary="Finish setting it up")
def confirm_totp(body: TotpIn, request: Request, principal: Unfinished) -> RecoveryOut:
    """Gives the recovery codes, once."""
    service = service_of(request)
    codes = totp.new_recovery_codes()
    with service.store.writing() as session:
        user = session.scalars(select(User).where(User.id == principal.id).with_for_update()).one()
        if user.totp_confirmed or user.totp_sealed is None:
            raise ApiError(409, "not_begun", "Begin with /v1/session/totp.")
        secret = service.keyring.open_text(user.totp_sealed, f"totp:{user.id}")
        step = totp.step_of(secret, body.code, service.now(), user.totp_step)
        if step is None:
            raise ApiError(409, "wrong_code", "The code is wrong. Look whether the phone's clock is right.")
        user.totp_confirmed, user.totp_step = True, step
        user.recovery = [totp.recovery_hash(code) for code in codes]
        tell_person(session, service, user, "totp")
        service.log(session, principal.actor, "totp.set_up", principal.clinic_id, principal.actor)
    return RecoveryOut(recovery_codes=codes)


def set_cookie(service: Service, response: Response, token: str) -> None:
    """Give the session's token to the browser, where no script can read it."""
    response.set_cookie(
        cookie_name(service), token, path="/", secure=service.secure, httponly=True, samesite="lax",
        max_age=int(service.settings.session_hours * HOUR),
    )  # fmt: skip


def _shown(service: Service, token: str) -> SessionOut:
    with service.store.reading() as session:
        found = sessions.find(session, token, service.now(), service.settings)
        if found is None:
            raise ApiError(401, "session_ended", "Your session has ended. Sign in again.")
        login, user = found
        policy = policy_of(session, user.clinic_id)
        clinic = session.get_one(Clinic, user.clinic_id).name
    return SessionOut(
        name=user.name,
        user_id=user.id,
        clinic=clinic,
        roles=user.roles.split(","),  # type: ignore[arg-type]  # pydantic reads the names
        csrf=sessions.csrf_token(token),
        unfinished=unfinished_step(user, policy, login.method),  # type: ignore[arg-type]
        blind=policy.blind,
        totp=user.totp_confirmed,
        ends_at=_iso(sessions.expiry(login, service.settings)),
        ends_at_latest=_iso(_latest(service, login)),
    )


def _latest(service: Service, login: Login) -> float:
    return login.created_at + service.settings.session_hours * HOUR


def _iso(at: float) -> str:
    return to_iso(at) or ""
