"""Who may do what: every try at what is not one's own is refused, and told of in the audit log."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from poxlens.serve.clinic import audit
from poxlens.serve.clinic.access import accounts, passwords, totp
from poxlens.serve.clinic.store.tables import AuditEntry, Device, Login, User

PASSWORD = "three words of a test"


def refusals(house) -> list[tuple[str, str]]:
    with house.service.store.reading() as session:
        found = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "refused").order_by(AuditEntry.number)
        )
        return [(one.actor.partition(":")[0], json.loads(one.detail)["code"]) for one in found]


def fault(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


PEOPLE_ONLY = [
    ("GET", "/v1/worklist"),
    ("GET", "/v1/worklist/counts"),
    ("GET", "/v1/worklist/{id}"),
    ("GET", "/v1/worklist/{id}/photos/1"),
    ("GET", "/v1/worklist/{id}/photos/1/explanation"),
    ("GET", "/v1/worklist/{id}/fhir"),
    ("POST", "/v1/worklist/{id}/verdict"),
    ("GET", "/v1/monitoring"),
    ("GET", "/v1/admin/users"),
    ("GET", "/v1/admin/devices"),
    ("GET", "/v1/admin/audit"),
    ("GET", "/v1/session"),
]


@pytest.mark.parametrize(("method", "path"), PEOPLE_ONLY)
def test_a_device_sees_nothing_of_the_clinic(house, method, path):
    filed = house.filed()
    body = {"verdict": "not_suspected", "revision": 1} if method == "POST" else None
    answer = house.phone().request(method, path.format(id=filed["id"]), json=body)
    assert fault(answer) == (403, "forbidden")
    assert refusals(house) == [("device", "forbidden")]


def test_one_clinic_finds_nothing_of_another(house):
    filed = house.filed(person="17")
    stranger = house.signed_in("stranger")
    own = f"/v1/worklist/{filed['id']}"
    assert stranger.get("/v1/worklist").json()["items"] == []
    assert stranger.get("/v1/worklist", params={"code": filed["code"]}).json()["items"] == []
    assert stranger.get("/v1/worklist", params={"person": "17"}).json()["items"] == []
    for path in ("", "/photos/1", "/photos/1/explanation", "/fhir"):
        assert fault(stranger.get(own + path)) == (404, "not_found")
    said = {"verdict": "not_suspected", "revision": 1}
    assert fault(stranger.post(f"{own}/verdict", json=said)) == (404, "not_found")
    assert fault(stranger.post(f"{own}/opinion", json={"verdict": "suspected"})) == (404, "not_found")
    assert fault(stranger.post(f"{own}/pcr", json={"result": "positive", "revision": 1})) == (
        404,
        "not_found",
    )
    assert fault(stranger.post(f"{own}/claim", json={"claim": True})) == (404, "not_found")
    second = {"revision": 1, "colleague": house.ids["nurse"]}
    assert fault(stranger.post(f"{own}/second-opinion", json=second)) == (404, "not_found")
    # Every one of the nine tries at the referral is in the log of the clinic that tried.
    assert refusals(house) == [("user", "not_found")] * 9
    # An id that nobody has is no attempt at anything, and answered in the same words.
    unknown = stranger.get(f"/v1/worklist/{'0' * 32}")
    assert unknown.json() == stranger.get(own).json()
    assert len(refusals(house)) == 10


def test_one_clinics_administrator_cannot_touch_anothers_accounts(house):
    stranger = house.signed_in("stranger")
    assert [one["name"] for one in stranger.get("/v1/admin/users").json()] == ["stranger"]
    assert [one["name"] for one in stranger.get("/v1/admin/devices").json()] == ["other phone"]
    nurse, phone = house.ids["nurse"], house.ids["phone"]
    assert fault(stranger.patch(f"/v1/admin/users/{nurse}", json={"closed": True}))[0] == 404
    assert fault(stranger.post(f"/v1/admin/users/{nurse}/reset"))[0] == 404
    assert fault(stranger.post(f"/v1/admin/devices/{phone}/revoke"))[0] == 404
    house.filed(person="17")
    assert fault(stranger.post("/v1/admin/erase", json={"person": "17"}))[0] == 404
    assert not any("north" in str(line) for line in stranger.get("/v1/admin/audit").json())
    house.filed()  # the phone still works


def test_a_clinician_is_no_administrator_and_the_other_way_round(house):
    nurse, admin = house.signed_in("nurse"), house.signed_in("admin")
    assert fault(nurse.get("/v1/admin/users")) == (403, "forbidden")
    assert fault(nurse.post("/v1/admin/devices", json={"name": "mine"})) == (403, "forbidden")
    assert fault(admin.get("/v1/worklist")) == (403, "forbidden")
    assert len(refusals(house)) == 3


@pytest.mark.parametrize(
    "token",
    [
        "",
        "poxd_",
        "poxd_" + "A" * 43,
        "A" * 48,
        "Bearer",
        "poxd_' OR 1=1 --",
    ],
)
def test_a_forged_token_is_refused_and_told_of(house, token):
    client = house.client()
    client.headers["Authorization"] = f"Bearer {token}"
    assert fault(client.post("/v1/referrals", json=house.referral())) == (401, "token")
    assert refusals(house) == [("anyone", "token")]


def test_a_wrong_token_is_refused_even_beside_a_good_session(house):
    nurse = house.signed_in("nurse")
    assert fault(nurse.get("/v1/worklist", headers={"Authorization": "Basic bnVyc2U6eA=="})) == (401, "token")


def test_a_revoked_and_an_old_token_are_refused_and_told_of(house):
    admin = house.signed_in("admin")
    made = admin.post("/v1/admin/devices", json={"name": "stolen", "days": 1}).json()
    client = house.client()
    client.headers["Authorization"] = f"Bearer {made['token']}"
    assert client.post("/v1/referrals", json=house.referral()).status_code == 201
    house.clock.pass_(86_400)
    assert fault(client.post("/v1/referrals", json=house.referral())) == (401, "token_ended")
    phone = house.phone()
    admin = house.signed_in("admin")
    assert admin.post(f"/v1/admin/devices/{house.ids['phone']}/revoke").json()["revoked"] is True
    assert fault(phone.post("/v1/referrals", json=house.referral())) == (401, "token_ended")
    assert refusals(house) == [("anyone", "token_ended")] * 2
    with house.service.store.reading() as session:
        stored = session.scalars(select(Device.token_hash)).all()
    assert made["token"] not in stored
    assert all(len(one) == 64 for one in stored)


def test_a_session_ends_without_use_and_at_its_latest(house):
    nurse = house.signed_in("nurse")
    for _ in range(3):
        house.clock.pass_(29 * 60)
        assert nurse.get("/v1/worklist").status_code == 200
    house.clock.pass_(30 * 60)
    assert fault(nurse.get("/v1/worklist")) == (401, "session_ended")
    nurse = house.signed_in("nurse")
    for _ in range(25):
        house.clock.pass_(29 * 60)
        answer = nurse.get("/v1/worklist")
    assert fault(answer) == (401, "session_ended")  # twelve hours are over


def test_signing_out_ends_the_session_for_whoever_copied_the_cookie(house):
    nurse = house.signed_in("nurse")
    thief = house.client()
    thief.cookies = nurse.cookies.copy() if hasattr(nurse.cookies, "copy") else dict(nurse.cookies)
    assert thief.get("/v1/worklist").status_code == 200
    assert nurse.delete("/v1/session").status_code == 204
    assert fault(thief.get("/v1/worklist")) == (401, "session_ended")
    with house.service.store.reading() as session:
        assert session.scalars(select(Login)).all() == []


def test_a_change_needs_the_token_that_only_the_page_has(house):
    filed = house.filed()
    nurse = house.signed_in("nurse")
    path, said = f"/v1/worklist/{filed['id']}/verdict", {"verdict": "not_suspected", "revision": 1}
    good = nurse.headers.pop("X-CSRF-Token")
    assert fault(nurse.post(path, json=said)) == (403, "csrf")
    other = house.signed_in("doctor").headers["X-CSRF-Token"]
    assert fault(nurse.post(path, json=said, headers={"X-CSRF-Token": other})) == (403, "csrf")
    foreign = {"X-CSRF-Token": good, "Origin": "https://evil.example"}
    assert fault(nurse.post(path, json=said, headers=foreign)) == (403, "origin")
    assert nurse.post(path, json=said, headers={"X-CSRF-Token": good}).status_code == 200
    assert refusals(house) == [("anyone", "csrf")] * 2


def test_the_cookie_cannot_be_read_by_a_script_and_has_its_prefix_with_tls(house):
    signed = house.client().post("/v1/session", json={"name": "nurse", "password": PASSWORD})
    cookie = signed.headers["set-cookie"]
    assert cookie.startswith("poxlens_session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    house.service.secure = True
    cookie = (
        house.client().post("/v1/session", json={"name": "nurse", "password": PASSWORD}).headers["set-cookie"]
    )
    assert cookie.startswith("__Host-poxlens_session=")
    assert "Secure" in cookie.split("; ")


def test_an_account_is_locked_for_longer_and_longer(house):
    client = house.client()

    def sign_in(password):
        return client.post("/v1/session", json={"name": "nurse", "password": password})

    for _ in range(5):
        assert fault(sign_in("wrong")) == (401, "wrong")
    # Locked: the right password does not open it, and nothing tells that it was right.
    locked = sign_in(PASSWORD)
    assert fault(locked) == (429, "locked")
    assert locked.headers["retry-after"] == "61"
    house.clock.pass_(61)
    assert fault(sign_in("wrong")) == (401, "wrong")
    house.clock.pass_(61)
    assert fault(sign_in(PASSWORD)) == (429, "locked")  # two minutes now
    house.clock.pass_(60)
    assert sign_in(PASSWORD).status_code == 200
    assert house.actions().count("signin.refused") == 6


def test_names_cannot_be_tried_out(house):
    client = house.client()
    known = client.post("/v1/session", json={"name": "nurse", "password": "wrong"})
    unknown = client.post("/v1/session", json={"name": "nobody", "password": "wrong"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    for _ in range(60):
        answer = client.post("/v1/session", json={"name": "nobody", "password": "x"})
        if answer.status_code == 429:
            break
    assert fault(answer) == (429, "locked")


def test_a_closed_account_and_its_sessions_end_at_once(house):
    nurse, admin = house.signed_in("nurse"), house.signed_in("admin")
    closed = admin.patch(f"/v1/admin/users/{house.ids['nurse']}", json={"closed": True})
    assert closed.json()["closed"] is True
    assert fault(nurse.get("/v1/worklist"))[0] == 401
    again = house.client().post("/v1/session", json={"name": "nurse", "password": PASSWORD})
    assert fault(again) == (401, "wrong")


def test_the_last_administrator_stays(house):
    stranger = house.signed_in("stranger")
    own = f"/v1/admin/users/{house.ids['stranger']}"
    assert fault(stranger.patch(own, json={"closed": True})) == (409, "last_administrator")
    assert fault(stranger.patch(own, json={"roles": ["clinician"]})) == (409, "last_administrator")
    assert stranger.get("/v1/admin/users").status_code == 200


def test_a_first_password_must_be_changed_before_anything_else(house):
    admin = house.signed_in("admin")
    made = admin.post("/v1/admin/users", json={"name": "new one", "roles": ["clinician"]}).json()
    client = house.client()
    signed = client.post("/v1/session", json={"name": "new one", "password": made["password"]}).json()
    assert signed["unfinished"] == "password"
    client.headers["X-CSRF-Token"] = signed["csrf"]
    assert fault(client.get("/v1/worklist")) == (403, "finish_signin")
    change = lambda new, old=made["password"]: client.post(  # noqa: E731
        "/v1/session/password", json={"old": old, "new": new}
    )
    assert fault(change("short")) == (422, "weak")
    assert fault(change("aaaaaaaaaaaaaaaa")) == (422, "weak")
    assert fault(change("new one is my name")) == (422, "weak")
    assert fault(change(made["password"])) == (422, "weak")
    assert fault(change("quiet river stone", "wrong")) == (403, "wrong")
    assert change("quiet river stone").json()["unfinished"] is None
    assert client.get("/v1/worklist").status_code == 200


def test_a_second_factor_opens_once_and_recovery_codes_too(house, policy):
    policy(require_totp=True)
    nurse = house.signed_in("nurse")
    assert nurse.get("/v1/session").json()["unfinished"] == "totp"
    assert fault(nurse.get("/v1/worklist")) == (403, "finish_signin")
    begun = nurse.post("/v1/session/totp").json()
    assert begun["address"].startswith("otpauth://totp/poxlens%20clinic:nurse?secret=")
    code = lambda: totp.pyotp.TOTP(begun["secret"]).at(int(house.clock()))  # noqa: E731
    assert fault(nurse.post("/v1/session/totp/confirm", json={"code": "000000"})) == (409, "wrong_code")
    recovery = nurse.post("/v1/session/totp/confirm", json={"code": code()}).json()["recovery_codes"]
    assert len(set(recovery)) == 8
    assert nurse.get("/v1/worklist").status_code == 200

    client = house.client()
    sign_in = lambda given: client.post(  # noqa: E731
        "/v1/session", json={"name": "nurse", "password": PASSWORD, "code": given}
    )
    assert fault(sign_in(None)) == (401, "code_needed")
    assert fault(sign_in(code())) == (401, "wrong_code")  # it was used to set up
    house.clock.pass_(30)
    assert sign_in(code()).status_code == 200
    assert fault(sign_in(code())) == (401, "wrong_code")
    assert sign_in(recovery[3].lower()).status_code == 200
    assert fault(sign_in(recovery[3])) == (401, "wrong_code")
    with house.service.store.reading() as session:
        user = session.get_one(User, house.ids["nurse"])
    assert begun["secret"].encode() not in (user.totp_sealed or b"")
    assert recovery[0] not in user.recovery


def test_passwords_are_argon2id_and_equal_ones_differ():
    first, second = passwords.hash_password("quiet river stone"), passwords.hash_password("quiet river stone")
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert first != second
    assert passwords.verify_password(first, "quiet river stone")
    assert not passwords.verify_password(first, "quiet river stones")
    assert not passwords.verify_password(None, "quiet river stone")
    made = {passwords.new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.fault_of(one, "nurse") is None for one in made)


def test_a_reset_takes_everything_old_away(house):
    nurse, admin = house.signed_in("nurse"), house.signed_in("admin")
    first = admin.post(f"/v1/admin/users/{house.ids['nurse']}/reset").json()["password"]
    assert fault(nurse.get("/v1/worklist"))[0] == 401
    client = house.client()
    assert client.post("/v1/session", json={"name": "nurse", "password": PASSWORD}).status_code == 401
    assert (
        client.post("/v1/session", json={"name": "nurse", "password": first}).json()["unfinished"]
        == "password"
    )


def test_the_log_tells_when_a_line_is_changed_taken_out_or_cut_off(house):
    house.filed()
    house.signed_in("nurse").get("/v1/worklist")
    service = house.service
    key = service.keyring.keys.audit
    with service.store.reading() as session:
        sound = audit.verify(session, key)
        assert sound.fault is None
        assert sound.lines > 8
        assert audit.verify(session, b"x" * 32).fault == "line 1 was changed, or the key is another one"
    # A person with the database file, past the triggers:
    connection = service.store.engine.raw_connection()
    for statement, expected in (
        ("UPDATE audit SET actor = 'user:somebody' WHERE number = 3", "line 3 was changed"),
        ("DELETE FROM audit WHERE number = 5", "line 5 is missing"),
        ("DELETE FROM audit WHERE number >= 7", "lines after 6 are missing"),
    ):
        connection.execute("BEGIN")
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute(statement)
        session = _session_on(connection)
        assert expected in (audit.verify(session, key).fault or "")
        session.close()
        connection.execute("ROLLBACK")
    connection.close()


def _session_on(connection):
    """A session that sees what a raw connection has not committed."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: _Unclosed(connection), poolclass=StaticPool)
    return Session(engine)


class _Unclosed:
    """The raw connection, which a session may not begin, end or close."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def close(self):
        pass

    def rollback(self):
        pass

    def commit(self):
        pass


def test_a_log_that_was_cut_and_patched_is_known_by_a_head_noted_before(house):
    service = house.service
    key = service.keyring.keys.audit
    with service.store.reading() as session:
        noted = audit.verify(session, key).head
    house.filed()
    with service.store.reading() as session:
        assert audit.verify(session, key, noted=noted).fault is None
        assert "cut off or replaced" in (audit.verify(session, key, noted="a" * 64).fault or "")


def test_no_statement_changes_the_log_while_its_triggers_are_there(house):
    from sqlalchemy.exc import IntegrityError

    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(IntegrityError, match="append-only"), house.service.store.writing() as session:
            session.execute(text(statement))


def test_a_flood_of_refusals_does_not_fill_the_log(house):
    client = house.client()
    client.headers["Authorization"] = "Bearer poxd_nothing"
    for _ in range(80):
        assert client.get("/v1/worklist").status_code == 401
    assert len(refusals(house)) == 60


def test_roles_are_not_taken_from_a_request(house):
    nurse = house.signed_in("nurse")
    own = f"/v1/admin/users/{house.ids['nurse']}"
    assert fault(nurse.patch(own, json={"roles": ["administrator"]})) == (403, "forbidden")
    assert accounts.ROLES == ("clinician", "administrator")


def test_an_administrator_checks_the_log_from_the_page(house):
    house.filed()
    admin = house.signed_in("admin")
    told = admin.post("/v1/admin/audit/verify").json()
    with house.service.store.reading() as session:
        found = audit.verify(session, house.service.keyring.keys.audit)
    assert (told["lines"], told["head"], told["fault"]) == (found.lines, found.head, None)
    assert fault(house.signed_in("nurse").post("/v1/admin/audit/verify")) == (403, "forbidden")
