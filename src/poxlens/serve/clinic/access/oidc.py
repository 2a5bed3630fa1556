"""Signing in through an organisation's own accounts: OpenID Connect, authorization code with PKCE, state and nonce.

An account is never made by signing in: an administrator has made it, with the provider's subject or with the e-mail
address, which the provider must have verified and which is bound to the subject the first time.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access import sessions
from poxlens.serve.clinic.faults import ApiError, busy
from poxlens.serve.clinic.ids import hashed, new_token
from poxlens.serve.clinic.instants import HOUR, MINUTE
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import OpenId
from poxlens.serve.clinic.store.tables import OidcLogin, User

_PATIENCE = 10 * MINUTE  # seconds to sign in at the provider
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # never "none", never one with a shared secret
_TIMEOUT = 10.0
_LEEWAY = 60  # seconds by which clocks may differ


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what it must bring back."""

    address: str
    state: str


class Provider:
    """The provider of the settings; what it publishes is asked for once an hour.

    Args:
        settings: of the provider.
    """

    def __init__(self, settings: OpenId) -> None:
        self.settings = settings
        self._turn = threading.Lock()
        self._known: tuple[float, dict[str, Any], KeySet] | None = None

    def published(self, now: float) -> tuple[dict[str, Any], KeySet]:
        """Its addresses and its keys.

        Raises:
            ApiError: 503 when it does not answer.
        """
        with self._turn:
            if self._known is None or now - self._known[0] > HOUR:
                address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
                told = _json(address)
                if told.get("issuer") != self.settings.issuer:
                    raise busy("The sign-in of your organisation is not set up rightly.", code="openid")
                self._known = (now, told, KeySet.import_key_set(_json(str(told["jwks_uri"]))))  # type: ignore[arg-type]
            return self._known[1], self._known[2]

    def client(self, redirect: str) -> OAuth2Client:
        """What talks to it."""
        path = self.settings.client_secret_file
        secret = path.read_text("utf-8").splitlines()[0] if path is not None else None
        return OAuth2Client(
            self.settings.client_id,
            secret,
            redirect_uri=redirect,
            scope="openid email",
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=_TIMEOUT,
        )


def begin(service: Service, provider: Provider, redirect: str) -> Begun:
    """Begin to sign in.

    Raises:
        ApiError: 503 when the provider does not answer.
    """
    told, _ = provider.published(service.now())
    state, nonce, verifier = new_token(), new_token(), secrets.token_urlsafe(48)
    address, _ = provider.client(redirect).create_authorization_url(
        told["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
    )
    with service.store.writing() as session:
        session.add(
            OidcLogin(
                state_hash=hashed(state), nonce=nonce, verifier=verifier, expires_at=service.now() + _PATIENCE
            )
        )
    return Begun(str(address), state)


def finish(service: Service, provider: Provider, redirect: str, code: str, state: str) -> str:
    """Finish it.

    Returns:
        The token of the new session.

    Raises:
        ApiError: 401 when anything does not fit; 403 when nobody has made an account for the person.
    """
    login = _once(service, state)
    claims = _claims(service, provider, redirect, code, login)
    with service.store.writing() as session:
        user = _user(session, f"{claims['iss']} {claims['sub']}", claims)
        if user is not None:
            service.log(
                session, f"user:{user.id}", "signin", user.clinic_id, f"user:{user.id}", method="oidc"
            )
            return sessions.begin(session, user, "oidc", service.now())
        service.log(session, "anyone", "signin.refused", None, "openid: no account")
    raise ApiError(403, "no_account", "There is no account for you here. Ask the clinic's administrator.")


def _once(service: Service, state: str) -> OidcLogin:
    with service.store.writing() as session:
        login = session.get(OidcLogin, hashed(state), with_for_update=True)
        if login is not None:
            session.delete(login)  # a state opens once
    if login is None or login.expires_at < service.now():
        raise _refused()
    return login


def _claims(
    service: Service, provider: Provider, redirect: str, code: str, login: OidcLogin
) -> dict[str, Any]:
    told, keys = provider.published(service.now())
    try:
        with provider.client(redirect) as client:
            answer = client.fetch_token(told["token_endpoint"], code=code, code_verifier=login.verifier)
        token = jwt.decode(answer["id_token"], keys, algorithms=_ALGORITHMS)
        now = int(service.now())
        jwt.JWTClaimsRegistry(
            now=lambda: now,
            leeway=_LEEWAY,
            iss={"essential": True, "value": provider.settings.issuer},
            aud={"essential": True, "value": provider.settings.client_id},
            nonce={"essential": True, "value": login.nonce},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(token.claims)
    except httpx.HTTPError:
        raise busy("The sign-in of your organisation does not answer.", code="openid", seconds=10) from None
    except (OAuthError, JoseError, KeyError, ValueError):
        raise _refused() from None
    return dict(token.claims)


def _user(session: Session, subject: str, claims: dict[str, Any]) -> User | None:
    open_account = User.disabled_at.is_(None)
    found = session.scalars(select(User).where(User.oidc_subject == subject, open_account)).first()
    if found is not None:
        return found
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    wanted = select(User).where(
        func.lower(User.email) == email.lower(), User.oidc_subject.is_(None), open_account
    )
    same = session.scalars(wanted.limit(2)).all()
    if len(same) != 1:
        return None
    same[0].oidc_subject = subject
    return same[0]


def _json(address: str) -> dict[str, Any]:
    try:
        answer = httpx.get(address, timeout=_TIMEOUT, follow_redirects=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        raise busy("The sign-in of your organisation does not answer.", code="openid", seconds=10) from None
    return found


def _refused() -> ApiError:
    return ApiError(401, "openid_refused", "Signing in did not work. Try again from the beginning.")
