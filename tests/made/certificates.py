"""Certificates of an authority that nobody else knows, for servers on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

__all__ = ["certified"]

AUTHORITY = "an authority of the tests"


def certified(folder: Path, *names: str) -> tuple[Path, Path]:
    """The certificate of an authority, and what it gave a server of some names, with its key."""
    own, server = new_key(SECP256R1()), new_key(SECP256R1())
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    root = _unsigned(AUTHORITY, own, ca=True).sign(own, hashes.SHA256())
    given = _unsigned(names[0], server, ca=False).add_extension(alternatives, critical=False)
    authority, certificate = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(root.public_bytes(Encoding.PEM))
    key = server.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate.write_bytes(given.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM) + key)
    return authority, certificate


def _unsigned(name: str, key: EllipticCurvePrivateKey, *, ca: bool) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
