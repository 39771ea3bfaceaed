"""Certificates of every kind of wrong, made with `cryptography` in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Minted:
    """A certificate with its key, and the chain that a server would send: PEM texts."""

    certificate: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...] = ()
    """Issuers up to and without the root."""

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    @property
    def chain_pem(self) -> str:
        return self.pem + "".join(map(_pem, self.chain))

    @property
    def key_pem(self) -> str:
        return str(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode()
        )

    def write(self, folder: Path, name: str, *, chain: bool = True) -> tuple[Path, Path]:
        """Certificate (with its chain) and key as files."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_text(self.chain_pem if chain else self.pem)
        key.write_text(self.key_pem)
        return certificate, key


def mint(
    name: str,
    issuer: Minted | None = None,
    *,
    names: tuple[str, ...] = ("localhost", "127.0.0.1"),
    begin: datetime = NOW - DAY,
    end: datetime = NOW + 365 * DAY,
    authority: bool = False,
    kind: str = "ec",
) -> Minted:
    """A certificate; self-signed without an issuer. `kind`: ec, rsa, or rsa with its bits."""
    key: Any
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, int(kind.removeprefix("rsa") or 2048))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names and not authority:
        found = [_name(each) for each in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(found), critical=False)
    signed = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    if issuer is None or issuer.certificate.issuer == issuer.certificate.subject:
        return Minted(signed, key)
    return Minted(signed, key, (issuer.certificate, *issuer.chain))


def revocations(issuer: Minted, *revoked: Minted) -> str:
    """A list of revoked certificates."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - DAY)
        .next_update(NOW + 30 * DAY)
    )
    for each in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(each.certificate.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
        builder = builder.add_revoked_certificate(entry)
    signed = builder.sign(issuer.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
