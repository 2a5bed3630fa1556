"""What an administrator does: accounts, devices, the clinic's choices, the audit log, erasing a person."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from poxlens.serve.clinic import audit
from poxlens.serve.clinic.access import accounts
from poxlens.serve.clinic.access.principal import Principal, allow
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.api.limits import limited
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.ids import new_token, plain_code
from poxlens.serve.clinic.instants import to_iso
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.service import service_of
from poxlens.serve.clinic.store.erasing import erase
from poxlens.serve.clinic.store.rates import Limit
from poxlens.serve.clinic.store.tables import Clinic, Device, User
from poxlens.serve.clinic.words import Line, Name

router = APIRouter(prefix="/v1/admin", tags=["administration"])
Administrator = Annotated[Principal, Depends(allow("administrator"))]
Fresh = Annotated[Principal, Depends(allow("administrator", fresh=True))]
"""An administrator who has typed their password in the last ten minutes."""
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
RoleName = Literal["administrator", "clinician"]
Email = Annotated[str, Field(max_length=254, pattern=r"^[!-~]+@[A-Za-z0-9.\-]+$")]
_CHANGE = faults(*SIGNED, 404, 409, 413, 415)

VERIFYING = Limit(10, 600.0)  # of one administrator: each goes through the whole log


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserIn(_Given):
    """An account to make."""

    name: Name = Field(min_length=1)
    roles: list[RoleName] = Field(min_length=1, max_length=2)
    email: Email | None = None
    on_duty: bool = Field(default=False, description="Gets a notice of urgent referrals and the digest.")
    escalation: bool = Field(
        default=False, description="Second line: is told when nobody has looked in time."
    )
    oidc_subject: Line | None = Field(
        default=None, min_length=3, max_length=255, description="`ISSUER SUBJECT` of OpenID Connect."
    )


class UserChange(_Given):
    """What changes; what is left out or null stays."""

    roles: list[RoleName] | None = Field(default=None, min_length=1, max_length=2)
    email: Email | None = None
    on_duty: bool | None = None
    escalation: bool | None = None
    oidc_subject: Line | None = Field(default=None, min_length=3, max_length=255)
    closed: bool | None = None


class UserOut(BaseModel):
    """An account."""

    id: str
    name: str
    roles: list[RoleName]
    email: str | None
    on_duty: bool
    escalation: bool
    openid: bool
    totp: bool
    closed: bool
    locked: bool
    created_at: str


class FirstPassword(BaseModel):
    """Shown once; to be changed at the first sign-in."""

    user: UserOut
    password: str


class DeviceIn(_Given):
    """A device to make."""

    name: Name = Field(min_length=1)
    days: int = Field(default=365, ge=1, le=3_650, description="After so many days its token ends.")


class DeviceOut(BaseModel):
    """A phone or a camera that may screen and refer."""

    id: str
    name: str
    created_at: str
    expires_at: str
    revoked: bool


class NewDevice(BaseModel):
    """Shown once."""

    device: DeviceOut
    token: str


class Secret(BaseModel):
    """Shown once."""

    secret: str


class AuditLine(BaseModel):
    """A line of the audit log."""

    number: int
    at: str
    actor: str
    action: str
    object: str
    detail: dict[str, Any]


class AuditCheck(BaseModel):
    """What a check of the whole log found; it is one log for all clinics of the server."""

    lines: int
    head: str = Field(description="The last hash; noted on paper, it proves later that nothing was cut off.")
    fault: str | None = Field(description="The first thing wrong; null where the log is whole.")


class EraseIn(_Given):
    """Whose data: by the reference the clinic knows the person by, or by one referral's code."""

    person: Line | None = Field(default=None, min_length=1, max_length=64)
    code: Line | None = Field(default=None, min_length=1, max_length=40)


class Erased(BaseModel):
    """What was deleted."""

    referrals: int
    photos: int


@router.get("/users", responses=faults(*SIGNED), summary="The clinic's accounts")
def users(request: Request, principal: Administrator) -> list[UserOut]:
    """Closed ones too."""
    service = service_of(request)
    with service.store.reading() as session:
        wanted = select(User).where(User.clinic_id == principal.clinic_id).order_by(User.name)
        found = session.scalars(wanted).all()
    return [_user(user, service.now()) for user in found]


@router.post("/users", status_code=201, responses=_CHANGE, summary="Make an account")
def add_user(body: UserIn, request: Request, principal: Fresh) -> FirstPassword:
    """Hand the first password over on paper."""
    service = service_of(request)
    wanted = accounts.NewUser(
        body.name, tuple(body.roles), body.email, body.on_duty, body.escalation, body.oidc_subject
    )
    user, password = accounts.add_user(service, principal.clinic_id, wanted, actor=principal.actor)
    return FirstPassword(user=_user(user, service.now()), password=password)


@router.patch("/users/{user}", responses=_CHANGE, summary="Change, close or open an account")
def change_user(user: Id, body: UserChange, request: Request, principal: Fresh) -> UserOut:
    """A change of roles ends the account's sessions."""
    service = service_of(request)
    changes = body.model_dump(exclude_none=True)
    closed = changes.pop("closed", None)
    with service.store.reading() as session:
        found = accounts.own_user(session, principal.clinic_id, user)
    if changes:
        found = accounts.change_user(service, principal.clinic_id, user, actor=principal.actor, **changes)
    if closed is not None:
        found = accounts.close_user(service, principal.clinic_id, user, actor=principal.actor, closed=closed)
    return _user(found, service.now())


@router.post("/users/{user}/reset", responses=_CHANGE, summary="A new first password")
def reset_user(user: Id, request: Request, principal: Fresh) -> FirstPassword:
    """Also takes the authenticator app away, and ends every session."""
    service = service_of(request)
    password = accounts.reset_user(service, principal.clinic_id, user, actor=principal.actor)
    with service.store.reading() as session:
        found = accounts.own_user(session, principal.clinic_id, user)
    return FirstPassword(user=_user(found, service.now()), password=password)


@router.get("/devices", responses=faults(*SIGNED), summary="The clinic's devices")
def devices(request: Request, principal: Administrator) -> list[DeviceOut]:
    """Revoked ones too."""
    with service_of(request).store.reading() as session:
        wanted = select(Device).where(Device.clinic_id == principal.clinic_id).order_by(Device.created_at)
        found = session.scalars(wanted).all()
    return [_device(device) for device in found]


@router.post("/devices", status_code=201, responses=_CHANGE, summary="Make a device")
def add_device(body: DeviceIn, request: Request, principal: Fresh) -> NewDevice:
    """The token is typed or scanned into the phone app."""
    device, token = accounts.add_device(
        service_of(request), principal.clinic_id, body.name, body.days, actor=principal.actor
    )
    return NewDevice(device=_device(device), token=token)


@router.post("/devices/{device}/revoke", responses=_CHANGE, summary="End a device's token")
def revoke_device(device: Id, request: Request, principal: Administrator) -> DeviceOut:
    """At once; referrals that it has filed stay."""
    service = service_of(request)
    return _device(accounts.revoke_device(service, principal.clinic_id, device, actor=principal.actor))


@router.get("/policy", responses=faults(*SIGNED), summary="The clinic's choices")
def policy(principal: Administrator) -> Policy:
    """Blind mode, second factor, retention, notices."""
    return principal.policy


@router.put("/policy", responses=_CHANGE, summary="Change the clinic's choices")
def change_policy(body: Policy, request: Request, principal: Fresh) -> Policy:
    """Shorter times to keep delete at the next housekeeping, within the hour."""
    service = service_of(request)
    before, after = principal.policy.model_dump(), body.model_dump()
    changed = ",".join(sorted(name for name in after if after[name] != before[name]))
    with service.store.writing() as session:
        session.get_one(Clinic, principal.clinic_id).policy = after
        service.log(
            session, principal.actor, "policy.changed", principal.clinic_id, f"clinic:{principal.clinic_id}",
            fields=changed,
        )  # fmt: skip
    return body


@router.post("/webhook-secret", responses=_CHANGE, summary="A new secret for the webhook")
def webhook_secret(request: Request, principal: Fresh) -> Secret:
    """What notices to `webhook_url` are signed with; shown once, the one before ends."""
    service, secret = service_of(request), new_token()
    sealed = service.keyring.seal_text(secret, f"webhook:{principal.clinic_id}")
    with service.store.writing() as session:
        session.get_one(Clinic, principal.clinic_id).webhook_secret_sealed = sealed
        where = f"clinic:{principal.clinic_id}"
        service.log(session, principal.actor, "webhook.secret", principal.clinic_id, where)
    return Secret(secret=secret)


@router.get("/audit", responses=faults(*SIGNED), summary="The clinic's audit log")
def audit_log(
    request: Request,
    principal: Administrator,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="Lines with a smaller number.")] = None,
    most: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditLine]:
    """Newest first."""
    with service_of(request).store.reading() as session:
        found = audit.entries(session, principal.clinic_id, before=before, most=most)
    return [
        AuditLine(
            number=entry.number, at=to_iso(entry.at) or "", actor=entry.actor, action=entry.action,
            object=entry.object, detail=audit.detail_of(entry),
        )
        for entry in found
    ]  # fmt: skip


@router.post("/audit/verify", responses=faults(*SIGNED, 429), summary="Check the audit log")
def verify_audit(request: Request, principal: Administrator) -> AuditCheck:
    """Goes through the whole log, as `poxlens clinic verify-log` does."""
    service = service_of(request)
    limited(service, f"verify:{principal.actor}", VERIFYING)
    with service.store.reading() as session:
        found = audit.verify(session, service.keyring.keys.audit)
    return AuditCheck(lines=found.lines, head=found.head, fault=found.fault)


@router.post("/erase", responses=_CHANGE, summary="Erase a person")
def erase_person(body: EraseIn, request: Request, principal: Fresh) -> Erased:
    """Deletes every referral of the person, or the one of a code, with photos, answers, notes and verdicts."""
    if (body.person is None) == (body.code is None):
        raise ApiError(422, "erase", "Give either person or code.")
    service = service_of(request)
    code = plain_code(body.code) if body.code is not None else None
    found = erase(service, principal.clinic_id, person=body.person, code=code, actor=principal.actor)
    return Erased(referrals=found.referrals, photos=found.photos)


def _user(user: User, now: float) -> UserOut:
    return UserOut(
        id=user.id,
        name=user.name,
        roles=user.roles.split(","),  # type: ignore[arg-type]  # pydantic reads the names
        email=user.email,
        on_duty=user.on_duty,
        escalation=user.escalation,
        openid=user.oidc_subject is not None,
        totp=user.totp_confirmed,
        closed=user.disabled_at is not None,
        locked=user.locked_until > now,
        created_at=to_iso(user.created_at) or "",
    )


def _device(device: Device) -> DeviceOut:
    return DeviceOut(
        id=device.id,
        name=device.name,
        created_at=to_iso(device.created_at) or "",
        expires_at=to_iso(device.expires_at) or "",
        revoked=device.revoked_at is not None,
    )
