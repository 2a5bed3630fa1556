"""Signing in through OpenID Connect, against a small provider on this machine that signs real tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from poxlens.serve.clinic.settings import OpenId


class Provider:
    """Who signs in next is set by the test; what the token says can be spoilt."""

    def __init__(self) -> None:
        self.key, self.other = (
            RSAKey.generate_key(2048, {"kid": "k"}),
            RSAKey.generate_key(2048, {"kid": "k"}),
        )
        self.claims: dict[str, Any] = {"sub": "ann-1", "email": "Nurse@north.example", "email_verified": True}
        self.spoil: dict[str, Any] = {}
        self.header = {"alg": "RS256", "kid": "k"}
        self.signing = self.key
        self.asked: dict[str, str] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.now = 0.0

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/.well-known"):
                    own = provider.issuer
                    self._send(
                        {
                            "issuer": own,
                            "jwks_uri": f"{own}/keys",
                            "authorization_endpoint": f"{own}/authorize",
                            "token_endpoint": f"{own}/token",
                        }
                    )
                else:
                    self._send({"keys": [provider.key.as_dict(private=False)]})

            def do_POST(self) -> None:
                told = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                self._send(provider.token({name: value[0] for name, value in told.items()}))

            def _send(self, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(400 if "error" in told else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def authorize(self, address: str) -> tuple[str, str]:
        """What a browser does at the provider; code and state."""
        self.asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        assert self.asked["response_type"] == "code"
        assert self.asked["code_challenge_method"] == "S256"
        return "the-code", self.asked["state"]

    def token(self, told: dict[str, str]) -> dict[str, Any]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(told["code_verifier"].encode()).digest()).decode()
        if told["code"] != "the-code" or challenge.rstrip("=") != self.asked["code_challenge"]:
            return {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer, "aud": "poxlens", "nonce": self.asked["nonce"], "iat": int(self.now),
            "exp": int(self.now) + 300, **self.claims, **self.spoil,
        }  # fmt: skip
        token = jwt.encode(self.header, claims, self.signing, algorithms=["RS256", "HS256"])
        return {"access_token": "x", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider(house) -> Iterator[Provider]:
    made = Provider()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    openid = OpenId(issuer=made.issuer, client_id="poxlens", label="District login")
    house.service.settings = house.service.settings.model_copy(update={"openid": openid})
    made.now = house.clock()
    yield made
    made.server.shutdown()


def sign_in(house, provider) -> tuple[Any, Any]:
    """A browser's whole way; the browser and the last answer."""
    browser = house.client()
    browser.follow_redirects = False
    begun = browser.get("/v1/oidc/start")
    assert begun.status_code == 303
    code, state = provider.authorize(begun.headers["location"])
    return browser, browser.get("/v1/oidc/callback", params={"code": code, "state": state})


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_verified_address_is_bound_to_its_subject_the_first_time(house, provider):
    assert house.client().get("/v1/session/ways").json() == {"openid": "District login"}
    browser, answer = sign_in(house, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/clinic/")
    assert browser.get("/v1/session").json()["name"] == "nurse"
    # From now on the subject counts, not the address.
    provider.claims = {"sub": "ann-1", "email": "other@elsewhere.example", "email_verified": True}
    browser, _ = sign_in(house, provider)
    assert browser.get("/v1/session").json()["name"] == "nurse"
    provider.claims = {"sub": "somebody-else", "email": "nurse@north.example", "email_verified": True}
    assert code_of(sign_in(house, provider)[1]) == (403, "no_account")


def test_who_has_no_account_gets_none(house, provider):
    for claims in (
        {"sub": "x", "email": "nobody@north.example", "email_verified": True},
        {"sub": "x", "email": "nurse@north.example", "email_verified": False},
        {"sub": "x", "email": "nurse@north.example"},
        {"sub": "x"},
    ):
        provider.claims = claims
        assert code_of(sign_in(house, provider)[1]) == (403, "no_account")
    assert house.actions().count("signin.refused") == 4


@pytest.mark.parametrize(
    "spoil",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"nonce": "other"}, {"exp": 1}, {"sub": None}],
    ids=lambda one: next(iter(one)),
)
def test_a_token_that_does_not_fit_is_refused(house, provider, spoil):
    provider.spoil = spoil
    assert code_of(sign_in(house, provider)[1]) == (401, "openid_refused")


def test_a_token_of_another_key_is_refused(house, provider):
    provider.signing = provider.other
    assert code_of(sign_in(house, provider)[1]) == (401, "openid_refused")


def test_a_state_opens_once_in_the_browser_that_began(house, provider):
    browser = house.client()
    browser.follow_redirects = False
    code, state = provider.authorize(browser.get("/v1/oidc/start").headers["location"])
    thief = house.client()
    assert code_of(thief.get("/v1/oidc/callback", params={"code": code, "state": state})) == (
        401,
        "openid_refused",
    )
    assert code_of(browser.get("/v1/oidc/callback", params={"code": "wrong", "state": state}))[0] == 401
    # It was used up by that.
    assert code_of(browser.get("/v1/oidc/callback", params={"code": code, "state": state}))[0] == 401
    browser, late = house.client(), None
    browser.follow_redirects = False
    code, state = provider.authorize(browser.get("/v1/oidc/start").headers["location"])
    house.clock.pass_(601)
    late = browser.get("/v1/oidc/callback", params={"code": code, "state": state})
    assert code_of(late) == (401, "openid_refused")


def test_without_a_provider_there_is_no_such_way(house):
    assert house.client().get("/v1/oidc/start").status_code == 404
    assert house.client().get("/v1/session/ways").json() == {"openid": None}


def test_a_provider_that_is_away_is_told_so(house, provider):
    provider.server.shutdown()
    provider.server.server_close()
    assert code_of(house.client().get("/v1/oidc/start")) == (503, "openid")
