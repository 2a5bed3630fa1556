"""A certificate for the local network: made once, kept, made anew when it no longer fits; TLS by it."""

from __future__ import annotations

import ssl
import stat
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from poxlens.serve.app import create_app
from poxlens.serve.certificate import CertificateError, given_certificate, local_certificate
from poxlens.serve.page import File
from poxlens.serve.server import address, listen, settings

NAMES = ["192.168.1.7", "clinic.local", "127.0.0.1"]


def test_it_covers_its_names_and_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    made = local_certificate(tmp_path / "tls", NAMES)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in covered.get_values_for_type(x509.IPAddress)] == ["192.168.1.7", "127.0.0.1"]
    assert covered.get_values_for_type(x509.DNSName) == ["clinic.local"]
    assert 390 < (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 398
    assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert len(made.fingerprint) == 95


def test_it_is_kept_until_a_name_is_missing_or_a_file_is_damaged(tmp_path: Path) -> None:
    first = local_certificate(tmp_path, NAMES).fingerprint
    assert local_certificate(tmp_path, NAMES[:2]).fingerprint == first
    second = local_certificate(tmp_path, [*NAMES, "10.0.0.4"]).fingerprint
    assert second != first
    (tmp_path / "key.pem").write_text("damaged")
    assert local_certificate(tmp_path, NAMES).fingerprint != second


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CertificateError, match="file"):
        local_certificate(tmp_path / "file", NAMES)


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    made = local_certificate(tmp_path / "a", NAMES)
    other = local_certificate(tmp_path / "b", NAMES)
    with pytest.raises(CertificateError, match="no such file"):
        given_certificate(tmp_path / "none.pem", made.key)
    with pytest.raises(CertificateError, match="cannot be used together"):
        given_certificate(made.certificate, other.key)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="password"):
        given_certificate(made.certificate, locked)


def test_the_page_is_served_encrypted(fake_screener: Any, page: tuple[File, ...], tmp_path: Path) -> None:
    made = local_certificate(tmp_path, ["127.0.0.1"])
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(settings(create_app(fake_screener, page=page), made))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            url = address(listener, "127.0.0.1", tls=True)
            trusting = ssl.create_default_context(cafile=str(made.certificate))
            reply = httpx.get(url, verify=trusting)
            assert (url.split(":")[0], reply.status_code) == ("https", 200)
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(url)
        finally:
            server.should_exit = True
            thread.join(10)
