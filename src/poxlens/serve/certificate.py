"""TLS for the page on a local network: a certificate of one's own, or one that this computer makes for itself.

Browsers give the camera, threads and storage to pages with TLS only (and to those of the same computer). Nobody vouches
for a certificate that a computer made for itself, so a browser warns of it, and shows the fingerprint that
`Certificate.fingerprint` gives.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from poxlens.errors import PoxlensError
from poxlens.files import write_atomically

DAYS = 397
"""Browsers take no certificate that lasts longer (CA/Browser Forum, Baseline Requirements 6.3.2)."""
_LEAST_LEFT = datetime.timedelta(days=14)


class CertificateError(PoxlensError):
    """A certificate or key that cannot be used."""


@dataclass(frozen=True)
class Certificate:
    """Two PEM files.

    Attributes:
        certificate: the certificate, followed by those that vouch for it.
        key: its private key.
        own: whether this computer made it for itself.
    """

    certificate: Path
    key: Path
    own: bool = False

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as browsers show it, pairs of digits with colons between."""
        digest = x509.load_pem_x509_certificate(self.certificate.read_bytes()).fingerprint(hashes.SHA256())
        return ":".join(f"{byte:02X}" for byte in digest)


def given_certificate(certificate: Path, key: Path) -> Certificate:
    """A certificate of one's own, tried before a server starts.

    Raises:
        CertificateError: when a file is missing, is no PEM, has a password, or the two do not belong together.
    """
    for path in (certificate, key):
        if not path.is_file():
            raise CertificateError(f"{path}: there is no such file.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
        raise CertificateError(
            f"{certificate} and {key} cannot be used together: {fault}. Both must be PEM, the key without a password."
        ) from None
    return Certificate(certificate, key)


def _no_password() -> str:
    raise ValueError("the key has a password")


def local_certificate(folder: Path, names: Sequence[str]) -> Certificate:
    """The computer's own certificate: the one in a folder while it covers the names, else a new one.

    Args:
        folder: where it is kept; made when missing. The key is readable by its owner alone.
        names: host names and addresses that the page is opened by.

    Raises:
        CertificateError: when the folder cannot be written.
    """
    found = Certificate(folder / "certificate.pem", folder / "key.pem", own=True)
    if _usable(found, names):
        return found
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(found.key, text, private=True)
        write_atomically(found.certificate, _signed(key, names).public_bytes(serialization.Encoding.PEM))
    except OSError as fault:
        raise CertificateError(
            f"{folder}: the certificate cannot be kept here ({fault.strerror or fault})."
        ) from fault
    return found


def _signed(key: ec.EllipticCurvePrivateKey, names: Sequence[str]) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "poxlens on this network")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # a phone's clock may be behind
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usable(found: Certificate, names: Sequence[str]) -> bool:
    try:
        given_certificate(found.certificate, found.key)
        certificate = x509.load_pem_x509_certificate(found.certificate.read_bytes())
        covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (CertificateError, OSError, ValueError, x509.ExtensionNotFound):
        return False
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return left > _LEAST_LEFT and all(_general(name) in list(covered) for name in names)
