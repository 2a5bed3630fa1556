"""`poxlens clinic`: accounts, devices, keys, backup, erasing, the audit log, from the command line."""

from __future__ import annotations

import json

import pytest

from poxlens.cli.main import main
from poxlens.serve.clinic.opening import first_account, open_store
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings


@pytest.fixture
def where(tmp_path):
    """A clinic that was started once; the options that name it."""
    settings = Settings(data=tmp_path / "data", keys=tmp_path / "k" / "keys.json")
    service = Service(settings, *open_store(settings), None)
    assert first_account(service) is not None
    assert first_account(service) is None
    service.store.close()
    return ["--data", str(settings.data), "--keys", str(settings.keys)]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    code = main(["clinic", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def told(capsys, *arguments: str):
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_accounts(capsys, where):
    made = told(capsys, "add-user", "ann", "--role", "clinician", "--email", "ann@x.example", *where)
    assert made["name"] == "ann"
    code, _, err = run(capsys, "add-user", "ann", "--role", "clinician", *where)
    assert (code, err) == (1, "poxlens: This name is taken; choose another one.\n")
    again = told(capsys, "reset-user", "ann", *where)
    assert again["password"] != made["password"]
    assert told(capsys, "close-user", "ann", *where) == {"name": "ann", "closed": True}
    assert [(one["name"], one["closed"]) for one in told(capsys, "users", *where)] == [
        ("admin", False),
        ("ann", True),
    ]
    code, _, err = run(capsys, "close-user", "admin", *where)
    assert (code, err) == (1, "poxlens: The clinic would have no administrator left.\n")
    assert run(capsys, "reset-user", "nobody", *where)[0] == 2
    assert run(capsys, "add-user", "x", "--role", "doctor", *where)[0] == 2


def test_devices(capsys, where):
    made = told(capsys, "add-device", "phone", "--days", "30", *where)
    assert made["token"].startswith("poxd_")
    assert told(capsys, "revoke-device", made["id"], *where)["revoked"] is True
    assert [(one["name"], one["revoked"]) for one in told(capsys, "devices", *where)] == [("phone", True)]
    assert run(capsys, "revoke-device", "0" * 32, *where)[0] == 1
    assert run(capsys, "add-device", "phone", "--days", "0", *where)[0] == 2


def test_several_clinics_must_be_named(capsys, where):
    made = told(capsys, "add-clinic", "South", *where)
    code, _, err = run(capsys, "users", *where)
    assert code == 2
    assert "say which with --clinic; there are 'Clinic', 'South'" in err
    assert [one["name"] for one in told(capsys, "users", "--clinic", "South", *where)] == [made["name"]]


def test_backup_restore_and_keys(capsys, where, tmp_path):
    told(capsys, "add-user", "ann", "--role", "clinician", *where)
    made = told(capsys, "backup", str(tmp_path / "b.zip"), *where)
    assert made["rows"]["users"] == 2
    other = ["--data", str(tmp_path / "other"), *where[2:]]
    back = told(capsys, "restore", str(tmp_path / "b.zip"), *other)
    assert (back["rows"], back["audit_head"]) == (made["rows"], made["audit_head"])
    assert [one["name"] for one in told(capsys, "users", *other)] == ["admin", "ann"]
    code, _, err = run(capsys, "restore", str(tmp_path / "b.zip"), *other)
    assert code == 1
    assert "has a clinic already" in err
    nowhere = ["--data", str(tmp_path / "third"), "--keys", str(tmp_path / "none.json")]
    code, _, err = run(capsys, "restore", str(tmp_path / "b.zip"), *nowhere)
    assert code == 1
    assert "put the copy of them back first" in err
    assert told(capsys, "rotate-keys", *where)["key"] == "k2"
    turned = told(capsys, "rotate-keys", "--forget-old", *where)
    assert (turned["key"], turned["forgotten"]) == ("k3", ["k1"])


def test_the_log(capsys, where):
    found = told(capsys, "verify-log", *where)
    assert (found["lines"], found["fault"]) == (2, None)
    assert told(capsys, "verify-log", "--noted", found["head"], *where)["fault"] is None
    code, out, _ = run(capsys, "verify-log", "--noted", "a" * 64, "--json", *where)
    assert code == 1
    assert "cut off" in json.loads(out)["fault"]


def test_erasing_and_cleaning(capsys, where, tmp_path):
    assert told(capsys, "clean", *where) == {"referrals": 0, "photos": 0}
    code, _, err = run(capsys, "erase", "--person", "17", *where)
    assert (code, err) == (1, "poxlens: There is no such person or code.\n")
    assert run(capsys, "erase", *where)[0] == 2
    code, _, err = run(capsys, "export-training", str(tmp_path / "out"), *where)
    assert code == 1
    assert "no photo with consent" in err


def test_a_folder_without_a_clinic_is_left_as_it_is(capsys, tmp_path):
    code, _, err = run(capsys, "users", "--data", str(tmp_path / "d"), "--keys", str(tmp_path / "k"))
    assert code == 1
    assert "no clinic here yet. Start it first with: poxlens serve" in err
    assert list(tmp_path.iterdir()) == []


def test_misuse_of_serve(capsys):
    for arguments, why in (
        (["--port", "70000"], "--port must be"),
        (["--workers", "0"], "--workers must be"),
        (["--certificate", "x"], "belong together"),
        (["--demo", "--host", "0.0.0.0"], "listens to this machine alone"),
    ):
        assert main(["serve", *arguments]) == 2
        assert why in capsys.readouterr().err
