"""Certificates of an authority that nobody else knows, for servers on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
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
    alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key())
    root = _unsigned(AUTHORITY, own, ca=True).sign(own, hashes.SHA256())
    given = (
        _unsigned(names[0], server, ca=False)
        .add_extension(alternatives, critical=False)
        .add_extension(known, critical=False)
    )
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
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(ca), critical=True)
    )


def _usage(ca: bool) -> x509.KeyUsage:
    """What a key may do: from 3.13 on, Python wants that to be said."""
    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=ca, crl_sign=ca, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
