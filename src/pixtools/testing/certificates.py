"""An authority that only tests trust, and certificates in its name."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """Signs certificates for any host."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Tests")
        unsigned = _draft(self._name, self._name, self._key.public_key())
        may_sign = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = unsigned.add_extension(may_sign, critical=True).sign(
            self._key, SHA256()
        )

    def client(self) -> ssl.SSLContext:
        """What trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        pem = self._certificate.public_bytes(Encoding.PEM).decode()
        context.load_verify_locations(cadata=pem)
        return context

    def server(self, host: str, directory: Path) -> ssl.SSLContext:
        """What proves to be this host; its files are written below `directory`."""
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = _draft(_name(host), self._name, key.public_key())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = unsigned.add_extension(names, critical=False).sign(
            self._key, SHA256()
        )
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = directory / f"{host}.pem"
        file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - DAY,
        not_valid_after=now + DAY,
    )
