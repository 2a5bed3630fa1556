"""What is kept: on both databases the same, encrypted, once, deleted in time, and back from a backup."""

from __future__ import annotations

import json
import zipfile

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from poxlens.serve.clinic import audit
from poxlens.serve.clinic.instants import DAY, HOUR
from poxlens.serve.clinic.opening import open_store
from poxlens.serve.clinic.referrals.queue import counts
from poxlens.serve.clinic.settings import Settings, SettingsError, read_settings
from poxlens.serve.clinic.store import leases, migrate, rates
from poxlens.serve.clinic.store.backup import BackupError, back_up, restore
from poxlens.serve.clinic.store.database import Store, StoreError
from poxlens.serve.clinic.store.erasing import Gone, delete_expired
from poxlens.serve.clinic.store.keyfile import Keys, KeysError, read_keys, write_keys
from poxlens.serve.clinic.store.keyring import Keyring
from poxlens.serve.clinic.store.migrate import is_current, upgrade
from poxlens.serve.clinic.store.rotation import forget_old_keys, rotate
from poxlens.serve.clinic.store.tables import AuditEntry, Base, Note, Photo, Referral, User


def test_the_migrations_make_what_the_tables_say(each_house):
    store = each_house.service.store
    assert is_current(store)
    upgrade(store)  # nothing happens
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_database_of_the_first_version_is_brought_up(database, tmp_path):
    store = Store(database or f"sqlite:///{tmp_path}/old.sqlite")
    with store.writer.connect() as connection, connection.begin():
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO clinics VALUES ('c', 'north', 0, '{}', NULL)"))
        for number, (state, answers) in enumerate(
            [("new", "{}"), ("closed", '{"age": 6.5, "where": ["eyes"]}'), ("closed", '{"pregnant": true}')]
        ):
            connection.execute(
                text(
                    "INSERT INTO referrals (id, clinic_id, source, idempotency_key, fingerprint, code_hash, filed_at,"
                    " due_at, urgency, outcome, quality_failed, bundle, result, answers, photo_consent,"
                    " training_consent, photo_count, state, waiting, revision, claimed_until) VALUES (:id, 'c', 's',"
                    " :id, 'f', :id, 1000, 2000, 'soon', 'refer', false, 'b', '{}', :answers, false, false, 0, :state,"
                    " true, 1, 0)"
                ),
                {"id": f"r{number}", "answers": answers, "state": state},
            )
    upgrade(store)
    assert is_current(store)
    with store.reading() as session:
        due = session.execute(text("SELECT blind_due_at FROM referrals ORDER BY id")).scalars().all()
        assert due == [1000 + 4 * HOUR, 1000 + HOUR, 1000 + 2 * HOUR]
        assert counts(session, "c") == {"new": 1, "second_opinion": 0, "awaiting_pcr": 0, "closed": 2}
    store.close()


def test_a_database_of_a_newer_version_is_refused(each_house):
    store = each_house.service.store
    with store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version of poxlens"):
        upgrade(store)
    assert not is_current(store)


def test_a_whole_life_on_each_database(each_house):
    house = each_house
    filed = house.filed(person="17", age=30.0)
    again = house.phone().post("/v1/referrals", json=house.referral(person="18"))
    assert again.status_code == 201
    nurse = house.signed_in("nurse")
    first = nurse.get("/v1/worklist", params={"most": 1}).json()
    rest = nurse.get("/v1/worklist", params={"after": first["next"]}).json()
    assert rest["next"] is None
    assert {first["items"][0]["id"], rest["items"][0]["id"]} == {filed["id"], again.json()["id"]}
    assert [one["id"] for one in nurse.get("/v1/worklist", params={"person": "17"}).json()["items"]] == [
        filed["id"]
    ]
    said = {
        "verdict": "other_diagnosis",
        "diagnosis": "chickenpox",
        "revision": 1,
        "note": "itches",
        "message": "Rest.",
    }
    answered = nurse.post(f"/v1/worklist/{filed['id']}/verdict", json=said).json()
    assert (answered["state"], answered["message"], answered["notes"][0]["text"]) == (
        "closed",
        "Rest.",
        "itches",
    )
    assert nurse.get(f"/v1/worklist/{filed['id']}/photos/1").content[:2] == b"\xff\xd8"
    with house.service.store.reading() as session:
        assert audit.verify(session, house.service.keyring.keys.audit).fault is None


def test_nothing_readable_lies_on_the_disk(house):
    filed = house.filed(person="PERSON-REFERENCE-17")
    nurse = house.signed_in("nurse")
    said = {
        "verdict": "suspected",
        "revision": 1,
        "note": "NOTE-FOR-COLLEAGUES",
        "message": "MESSAGE-TO-PATIENT",
    }
    assert nurse.post(f"/v1/worklist/{filed['id']}/verdict", json=said).status_code == 200
    kept = nurse.get(f"/v1/worklist/{filed['id']}/photos/1").content
    told = b"".join(path.read_bytes() for path in house.service.settings.data.rglob("*") if path.is_file())
    assert len(told) > len(kept)
    for secret in (kept[100:400], b"PERSON-REFERENCE-17", b"NOTE-FOR-COLLEAGUES", b"MESSAGE-TO-PATIENT"):
        assert secret not in told
    for token in house.tokens.values():
        assert token.encode() not in told
    assert filed["code"].replace("-", "").encode() not in told


def test_a_photo_moved_to_another_referral_does_not_open(house):
    first, second = house.filed(person="1"), house.phone().post("/v1/referrals", json=house.referral()).json()
    with house.service.store.writing() as session:
        photos = {one.referral_id: one for one in session.scalars(select(Photo))}
        mine, other = photos[first["id"]], photos[second["id"]]
        mine.sealed, mine.wrapped_key = other.sealed, other.wrapped_key
    answer = house.signed_in("nurse").get(f"/v1/worklist/{first['id']}/photos/1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "failed")


def test_old_photos_and_old_referrals_go(each_house):
    house = each_house
    admin = house.signed_in("admin")
    choices = {**admin.get("/v1/admin/policy").json(), "photo_days": 10, "referral_days": 20}
    assert admin.put("/v1/admin/policy", json=choices).json()["photo_days"] == 10
    filed = house.filed()
    house.clock.pass_(9 * DAY)
    assert delete_expired(house.service) == Gone(0, 0)
    house.clock.pass_(2 * DAY)
    assert delete_expired(house.service) == Gone(0, 1)
    answer = house.signed_in("nurse").get(f"/v1/worklist/{filed['id']}/photos/1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "deleted")
    house.clock.pass_(10 * DAY)
    assert delete_expired(house.service) == Gone(1, 0)
    assert house.client().post("/v1/status", json={"code": filed["code"]}).status_code == 404


def test_a_person_is_erased_and_nobody_else(each_house):
    house = each_house
    for person in ("17", "17 ", "18"):
        filed = house.phone().post("/v1/referrals", json=house.referral(person=person)).json()
    nurse, admin = house.signed_in("nurse"), house.signed_in("admin")
    for item in nurse.get("/v1/worklist").json()["items"]:
        nurse.post(f"/v1/worklist/{item['id']}/opinion", json={"verdict": "suspected", "note": "x"})
    assert admin.post("/v1/admin/erase", json={"person": "17"}).json() == {"referrals": 2, "photos": 2}
    assert admin.post("/v1/admin/erase", json={"person": "17"}).status_code == 404
    left = nurse.get("/v1/worklist").json()["items"]
    assert [one["id"] for one in left] == [filed["id"]]
    with house.service.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Note)) == 1
        told = session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "erased")).one()
    assert json.loads(told) == {"photos": 2, "referrals": 2}
    assert admin.post("/v1/admin/erase", json={"code": filed["code"]}).json() == {"referrals": 1, "photos": 1}


def test_a_backup_comes_back_on_the_other_database_too(each_house, tmp_path):
    house = each_house
    filed = house.filed(person="17")
    nurse = house.signed_in("nurse")
    said = {"verdict": "suspected", "revision": 1, "message": "Come."}
    nurse.post(f"/v1/worklist/{filed['id']}/verdict", json=said)
    service, out = house.service, tmp_path / "copy" / "backup.zip"
    made = back_up(service.store, service.keyring, out, house.clock())
    assert (made.rows["referrals"], made.rows["photos"], made.rows["users"]) == (1, 1, 5)
    assert not list(out.parent.glob(".*"))
    with zipfile.ZipFile(out) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert not any(name.startswith("sessions") for name in archive.namelist())
    assert b"nurse" not in everything
    with pytest.raises(BackupError, match="exists already"):
        back_up(service.store, service.keyring, out, house.clock())

    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade(fresh)
    assert restore(fresh, Keyring(service.settings.keys), out) == made
    with fresh.reading() as session:
        assert session.scalars(select(Referral)).one().id == filed["id"]
        assert audit.verify(session, service.keyring.keys.audit, noted=made.audit_head).fault is None
    house.service.store = fresh
    again = house.signed_in("nurse")
    assert again.get(f"/v1/worklist/{filed['id']}").json()["message"] == "Come."
    assert again.get(f"/v1/worklist/{filed['id']}/photos/1").status_code == 200
    with pytest.raises(BackupError, match="has a clinic already"):
        restore(fresh, service.keyring, out)
    fresh.close()


def test_a_damaged_backup_or_other_keys_change_nothing(house, tmp_path):
    house.filed()
    service, out = house.service, tmp_path / "backup.zip"
    back_up(service.store, service.keyring, out, house.clock())
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[:-1] + bytes([data[-1] ^ 1]) if name.startswith("photos/") else data)
    write_keys(tmp_path / "other" / "keys.json", Keys.fresh())
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    upgrade(fresh)
    for path, keys, why in (
        (damaged, service.settings.keys, "damaged"),
        (out, tmp_path / "other" / "keys.json", "keys do not open it"),
        (service.settings.keys, service.settings.keys, "cannot be read as a backup"),
    ):
        with pytest.raises(BackupError, match=why):
            restore(fresh, Keyring(keys), path)
        with fresh.reading() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 0
    restore(fresh, service.keyring, out)
    fresh.close()


def test_keys_rotate_while_a_server_runs(each_house):
    house = each_house
    first = house.filed(person="17")
    nurse = house.signed_in("nurse")
    said = {"verdict": "suspected", "revision": 1, "note": "n", "message": "m"}
    nurse.post(f"/v1/worklist/{first['id']}/verdict", json=said)
    # The command is another process with a keyring of its own.
    path = house.service.settings.keys
    done = rotate(house.service.store, Keyring(path))
    assert (done.key_id, done.photos, done.texts) == ("k2", 1, 3)
    assert sorted(read_keys(path).sealing) == ["k1", "k2"]
    detail = nurse.get(f"/v1/worklist/{first['id']}").json()
    assert (detail["person"], detail["message"], detail["notes"][0]["text"]) == ("17", "m", "n")
    assert nurse.get(f"/v1/worklist/{first['id']}/photos/1").status_code == 200
    house.phone().post("/v1/referrals", json=house.referral())
    with house.service.store.reading() as session:
        assert set(session.scalars(select(Photo.key_id))) == {"k2"}
    assert forget_old_keys(house.service.store, Keyring(path)) == {"k1"}
    assert sorted(read_keys(path).sealing) == ["k2"]
    assert nurse.get(f"/v1/worklist/{first['id']}/photos/1").status_code == 200


def test_data_without_their_keys_are_not_opened_with_new_ones(house):
    settings = house.service.settings
    settings.keys.unlink()
    with pytest.raises(KeysError, match="the keys are missing, but there are data"):
        open_store(settings)
    assert not settings.keys.exists()


def test_keys_that_others_can_read_are_refused(tmp_path):
    path = tmp_path / "keys.json"
    write_keys(path, Keys.fresh())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        read_keys(path)


def test_keys_never_lie_with_the_data(tmp_path):
    with pytest.raises(SettingsError, match="lies in the data folder"):
        read_settings(tmp_path, keys=tmp_path / "sub" / "keys.json")
    (tmp_path / "clinic.toml").write_text("idle_minutes = 5\nnonsense = 1\n")
    with pytest.raises(SettingsError, match="nonsense"):
        read_settings(tmp_path)
    (tmp_path / "clinic.toml").write_text('idle_minutes = 5\n[mail]\nhost = "mail"\nsender = "a@b.example"\n')
    told = read_settings(tmp_path, database=None, public_url="https://clinic.example")
    assert (told.idle_minutes, told.mail.port, told.public_url) == (5, 587, "https://clinic.example")
    with pytest.raises(StoreError, match="mysql is not served"):
        Store("mysql://x/y")


def test_rates_and_leases_count_for_all_workers_together(each_house):
    store = each_house.service.store
    other = Store(each_house.service.settings.database_url)  # another worker
    limit, waits = rates.Limit(3, 60.0), []
    for number in range(5):
        with (store if number % 2 else other).writing() as session:
            waits.append(rates.count(session, "bucket", limit, 100.0 + number))
    assert waits == [0.0, 0.0, 0.0, 57.0, 56.0]
    with store.writing() as session:
        assert rates.count(session, "bucket", limit, 160.0) == 0.0
    with store.writing() as session:
        assert leases.take(session, "job", 1_000.0, every=60.0)
    with other.writing() as session:
        assert not leases.take(session, "job", 1_001.0, every=60.0)  # at work
    with other.writing() as session:
        assert leases.take(session, "job", 1_121.0, every=60.0)  # its worker died
        leases.done(session, "job", 1_130.0)
    with store.writing() as session:
        assert not leases.take(session, "job", 1_189.0, every=60.0)
        assert leases.take(session, "job", 1_190.0, every=60.0)
    other.close()


def test_what_is_committed_is_synced_to_the_disk(house):
    with house.service.store.reading() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1


def test_the_settings_of_postgresql_keep_what_is_committed(postgres, tmp_path):
    store = Store(postgres.database("settings"))
    with store.reading() as session:
        assert session.scalar(text("SHOW synchronous_commit")) == "on"
        assert session.scalar(text("SHOW fsync")) == "on"
    store.close()
    assert Settings(data=tmp_path, keys=tmp_path).database_url.endswith("clinic.db")
