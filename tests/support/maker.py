"""A maker of stations who signs firmware: a root, signing certificates of any kind, and signatures."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
Key = Any


@dataclass(frozen=True)
class Signer:
    """A signing certificate and what it signs with."""

    key: Key
    pem: str

    def sign(self, data: bytes) -> str:
        if isinstance(self.key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            return base64.b64encode(self.key.sign(data, pss, hashes.SHA256())).decode()
        return base64.b64encode(self.key.sign(data, ec.ECDSA(hashes.SHA256()))).decode()


class Maker:
    """Has a root of its own."""

    def __init__(self, name: str = "Maker", begin: datetime = BEGIN, end: datetime = END) -> None:
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate(self.name, self.key, begin, end, ca=True)

    def signer(
        self,
        key: Key | None = None,
        *,
        begin: datetime = BEGIN,
        end: datetime = END,
        usage: str = "digital_signature",
    ) -> Signer:
        key = key or ec.generate_private_key(ec.SECP256R1())
        return Signer(key, self._certificate(_name("Signer"), key, begin, end, usage=usage))

    def _certificate(
        self,
        subject: x509.Name,
        key: Key,
        begin: datetime,
        end: datetime,
        *,
        ca: bool = False,
        usage: str = "key_cert_sign",
    ) -> str:
        uses = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**{**uses, usage: True}), critical=True)
        )
        made = builder.sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def short_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)


def edwards() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()
