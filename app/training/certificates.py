"""The certificate lab: authorities, and certificates good and bad.

Files and TLS are in `lab_tls.py`, what is told of those taken back in `revocation.py`.

Plain functions without a window. All PEM texts are `str`. Slow ones (an RSA key, the first import of the
library) are for a thread: each takes some milliseconds to a second.

A walk from security profile 1 to 3 with them:

    root = make_authority("My root")
    server = make_server(root, "localhost")
    write(folder, "root", root); write(folder, "server", server)        # keys are 0600
    url = serve_with(thread, server_context(server))                    # profile 2: wss
    ... InstallCertificate(root.certificate_pem), then raise the profile ...
    thread: settings.authority = root                                   # signs what stations ask for
    ... TriggerMessage SignChargingStationCertificate, or make_station(root, "SN-1", "CPO") ...
    url = serve_with(thread, server_context(server, clients=[root]))    # profile 3: asks for certificates
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)
EARLIER = timedelta(hours=1)
"""How long before now a certificate begins, for clocks that are a little off."""


class Flaw(Enum):
    """What is wrong with a certificate, on purpose."""

    NONE = "none"
    EXPIRED = "expired"
    """It ended yesterday."""
    NOT_YET_VALID = "not_yet_valid"
    """It begins tomorrow."""
    WRONG_NAME = "wrong_name"
    """It belongs to another host, or to a station with another serial number."""
    WRONG_OPERATOR = "wrong_operator"
    """Of another organisation."""
    WRONG_KEY = "wrong_key"
    """For another key than the one that was asked for."""
    REVOKED = "revoked"
    """Good in itself, but on the authority's list of revoked ones."""
    SELF_SIGNED = "self_signed"
    """Signed by nobody but itself."""


class KeyKind(Enum):
    EC_P256 = "EC-P256"
    EC_P384 = "EC-P384"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_1024 = "RSA-1024"
    """Too short for OCPP: for tests."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key. `chain_pem`: leaf first, up to but without the root."""

    certificate_pem: str
    chain_pem: str
    key_pem: str = field(repr=False)

    @property
    def serial(self) -> int:
        return certificate_of(self.certificate_pem).serial_number

    @property
    def subject(self) -> str:
        return certificate_of(self.certificate_pem).subject.rfc4514_string()


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs. `above`: who signed it, None for a root."""

    certificate_pem: str
    key_pem: str = field(repr=False)
    above: Authority | None = None
    revoked: dict[int, datetime] = field(default_factory=dict)
    """Serial numbers of what it takes back, and since when."""
    ocsp_url: str | None = None
    """Put into what it signs, as the place where its status is to be had."""

    @property
    def root(self) -> Authority:
        return self if self.above is None else self.above.root

    @property
    def between(self) -> str:
        """The PEM of the intermediates from this one up, without the root."""
        return "" if self.above is None else self.certificate_pem + self.above.between


class RequestBad(ValueError):
    """A CSR that cannot be signed, and why."""


# ---------------------------------------------------------------- authorities


def make_authority(
    name: str = "Training root",
    *,
    organisation: str = "Forecourt training",
    key: KeyKind = KeyKind.EC_P256,
    days: int = 3650,
    above: Authority | None = None,
    flaw: Flaw = Flaw.NONE,
    ocsp_url: str | None = None,
    now: datetime | None = None,
) -> Authority:
    """A root, or with `above` an intermediate (or the next root, signed by the old one: M05)."""
    secret = _new_key(key)
    begins, ends = _period(now, days, flaw)
    subject = _subject(name, organisation)
    issuer, signer = _issuer(above, subject, secret)
    builder = _builder(subject, issuer, secret, begins, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    builder = _with_responder(_named_by_key(builder, signer), above)
    certificate = builder.sign(signer, digest())
    return Authority(_pem(certificate), _key_pem(secret), above, ocsp_url=ocsp_url)


def revoke(authority: Authority, pair: Pair, now: datetime | None = None) -> None:
    """Take a certificate back: it is on `revocation_list` and told by `ocsp_status` from now on."""
    authority.revoked[pair.serial] = now or datetime.now(UTC)


# ---------------------------------------------------------------- certificates


def make_server(
    authority: Authority,
    host: str,
    *,
    organisation: str = "Forecourt training",
    key: KeyKind = KeyKind.EC_P256,
    days: int = 365,
    flaw: Flaw = Flaw.NONE,
    now: datetime | None = None,
) -> Pair:
    """A CSMS certificate for a host name or address, CN and alternative name (A00.FR.510)."""
    shown = "elsewhere.example" if flaw is Flaw.WRONG_NAME else host
    subject = _subject(shown, organisation)
    try:
        other: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(shown))
    except ValueError:
        other = x509.DNSName(shown)
    return _make(authority, subject, _new_key(key), days, flaw, now, names=[other])


def make_station(
    authority: Authority,
    serial_number: str,
    organisation: str,
    *,
    key: KeyKind = KeyKind.EC_P256,
    days: int = 365,
    flaw: Flaw = Flaw.NONE,
    now: datetime | None = None,
) -> Pair:
    """A station certificate: CN is its serial number, O the operator (A00.FR.509 and .511)."""
    subject = _flawed(_subject(serial_number, organisation), flaw)
    return _make(authority, subject, _new_key(key), days, flaw, now)


def sign_request(
    authority: Authority,
    csr_pem: str,
    *,
    days: int = 365,
    flaw: Flaw = Flaw.NONE,
    now: datetime | None = None,
) -> Pair:
    """The certificate for a CSR, as CertificateSigned carries it in `chain_pem`; `key_pem` is empty.

    Raises RequestBad for what is no CSR or whose signature is wrong.
    """
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
    except ValueError as error:
        raise RequestBad("unreadable") from error
    if not request.is_signature_valid:
        raise RequestBad("its signature is wrong")
    public = request.public_key()
    if flaw is Flaw.WRONG_KEY:
        public = _new_key(KeyKind.EC_P256).public_key()
    pair = _make(authority, _flawed(request.subject, flaw), public, days, flaw, now)
    return replace(pair, key_pem="")


def asker(csr_pem: str) -> tuple[str, str]:
    """CN and O of a CSR, empty where there is none."""
    subject = x509.load_pem_x509_csr(csr_pem.encode()).subject

    def text(oid: x509.ObjectIdentifier) -> str:
        return next((str(item.value) for item in subject if item.oid == oid), "")

    return text(NameOID.COMMON_NAME), text(NameOID.ORGANIZATION_NAME)


def _make(
    authority: Authority,
    subject: x509.Name,
    key: Any,
    days: int,
    flaw: Flaw,
    now: datetime | None,
    names: Sequence[x509.GeneralName] = (),
) -> Pair:
    own = key if isinstance(key, PrivateKey) else None
    begins, ends = _period(now, days, flaw)
    if flaw is Flaw.SELF_SIGNED:
        own = own or _new_key(KeyKind.EC_P256)
        issuer, signer, between = subject, own, ""
    else:
        issuer, signer = _issuer(authority, subject, None)
        between = authority.between
    builder = _builder(subject, issuer, key, begins, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = _with_responder(_named_by_key(builder, signer), authority)
    certificate = builder.sign(signer, digest())
    pem = _pem(certificate)
    pair = Pair(pem, pem + between, _key_pem(own) if own is not None else "")
    if flaw is Flaw.REVOKED:
        revoke(authority, pair, now)
    return pair


# ---------------------------------------------------------------- small parts


def _new_key(kind: KeyKind) -> PrivateKey:
    if kind is KeyKind.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    if kind is KeyKind.EC_P384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, int(kind.value.partition("-")[2]))


def _subject(name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )


def _flawed(subject: x509.Name, flaw: Flaw) -> x509.Name:
    wrong = {
        Flaw.WRONG_NAME: (NameOID.COMMON_NAME, "another station"),
        Flaw.WRONG_OPERATOR: (NameOID.ORGANIZATION_NAME, "another operator"),
    }.get(flaw)
    if wrong is None:
        return subject
    kept = [item for item in subject if item.oid != wrong[0]]
    return x509.Name([*kept, x509.NameAttribute(*wrong)])


def _period(now: datetime | None, days: int, flaw: Flaw) -> tuple[datetime, datetime]:
    at = now or datetime.now(UTC)
    if flaw is Flaw.EXPIRED:
        return at - 30 * DAY, at - DAY
    if flaw is Flaw.NOT_YET_VALID:
        return at + DAY, at + (days + 1) * DAY
    return at - EARLIER, at + days * DAY


def _issuer(
    above: Authority | None, subject: x509.Name, own: PrivateKey | None
) -> tuple[x509.Name, PrivateKey]:
    if above is not None:
        return certificate_of(above.certificate_pem).subject, key_of(above.key_pem)
    assert own is not None
    return subject, own


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _named_by_key(builder: x509.CertificateBuilder, signer: PrivateKey) -> x509.CertificateBuilder:
    """Which key signed it: authorities that follow each other often have the same name."""
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(key, critical=False)


def _with_responder(
    builder: x509.CertificateBuilder, signer: Authority | None
) -> x509.CertificateBuilder:
    """Where the status is to be had, if the signer says so."""
    if signer is None or not signer.ocsp_url:
        return builder
    place = x509.UniformResourceIdentifier(signer.ocsp_url)
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
    return builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def digest() -> hashes.SHA256:
    return hashes.SHA256()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def certificate_of(pem: str) -> x509.Certificate:
    """Raises ValueError."""
    return x509.load_pem_x509_certificate(pem.encode())


def _key_pem(key: PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def key_of(pem: str) -> PrivateKey:
    """Raises ValueError and TypeError."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, PrivateKey):
        raise TypeError("not a key that signs certificates")
    return key
