"""Reading, checking and asking for certificates. Pure, and slow to import: let `in_thread` call it.

The rules are those of the table *Certificate Properties* of both versions (A00.FR.501 to 512), and the
path rules of RFC 5280 as far as a chain of a back office needs them.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from app.ocpp.shared.certificates.model import (
    BadCertificate,
    Facts,
    HashData,
    KeyType,
    NewKey,
    Subject,
)

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)
_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
SHORTEST_RSA, SHORTEST_EC = 2048, 224
LONGEST_CHAIN = 10


# ---------------------------------------------------------------- reading


def split(text: str) -> list[str]:
    """The certificates of a PEM text, one each, in their order. Raises BadCertificate for none."""
    found = _BLOCK.findall(text)
    if not found:
        raise BadCertificate("no PEM certificate")
    if len(found) > LONGEST_CHAIN:
        raise BadCertificate("too many certificates")
    return [block + "\n" for block in found]


def read(pem: str) -> x509.Certificate:
    """One certificate, of which all parts can be read: they are taken apart when they are asked for.

    Raises BadCertificate.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        certificate.public_key()
        _ = certificate.extensions, certificate.subject, certificate.issuer
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except _UNREADABLE as error:
        raise BadCertificate("unreadable certificate") from error
    return certificate


def facts(pem: str, known: Iterable[str] = ()) -> Facts:
    """What a certificate says. `known`: PEM texts among which its issuer may be.

    Raises BadCertificate.
    """
    certificate = read(pem)
    issuer = _issuer_among(certificate, known)
    return Facts(
        subject=certificate.subject.rfc4514_string(),
        common_name=_name(certificate.subject, NameOID.COMMON_NAME),
        organisation=_name(certificate.subject, NameOID.ORGANIZATION_NAME),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:X}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        authority=_is_authority(certificate),
        self_issued=certificate.issuer == certificate.subject,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        key_id=_key_id(certificate.public_key()),
        ocsp_url=_ocsp_url(certificate),
        pem=_written(certificate),
        hashes=tuple(_hash_data(certificate, issuer, name) for name in _ALGORITHMS),
    )


def _written(certificate: x509.Certificate) -> str:
    """As PEM is to be: back offices also send it in one line, of which OpenSSL reads nothing at a connect."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def chain_facts(chain: Sequence[str], known: Iterable[str] = ()) -> list[Facts]:
    """The facts of each certificate of a chain, leaf first. Raises BadCertificate."""
    around = [*chain, *known]
    return [facts(pem, around) for pem in chain]


def _hash_data(
    certificate: x509.Certificate, issuer: x509.Certificate | None, name: str
) -> HashData:
    """RFC 6960, 4.1.1. Where the issuer is not known its key is taken for the certificate's own."""
    builder = ocsp.OCSPRequestBuilder()
    asked = builder.add_certificate(certificate, issuer or certificate, _ALGORITHMS[name]).build()
    if issuer is None:
        # the issuer's name stands in the certificate, whoever that is
        name_hash = hashlib.new(name, certificate.issuer.public_bytes()).hexdigest()
    else:
        name_hash = asked.issuer_name_hash.hex()
    return HashData(name, name_hash, asked.issuer_key_hash.hex(), f"{certificate.serial_number:X}")


def _issuer_among(certificate: x509.Certificate, known: Iterable[str]) -> x509.Certificate | None:
    if certificate.issuer == certificate.subject and _issued(certificate, certificate):
        return certificate
    for pem in known:
        candidate = read(pem)
        if candidate.subject == certificate.issuer and _issued(certificate, candidate):
            return candidate
    return None


def _name(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _ocsp_url(certificate: x509.Certificate) -> str | None:
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return None
    for item in access.value:
        place = item.access_location
        if item.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            place, x509.UniformResourceIdentifier
        ):
            return place.value
    return None


def _key_id(key: object) -> str:
    der = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(der).hexdigest()


# ---------------------------------------------------------------- checking


def check_root(text: str, at: datetime, known: Iterable[str] = ()) -> Facts:
    """A root that may be installed: one certificate, of an authority, in force, with a good key.

    `known`: PEM texts of those that may have signed it. Raises BadCertificate. One that becomes valid later
    may be installed now.
    """
    known = list(known)
    blocks = split(text)
    if len(blocks) > 1:
        raise BadCertificate("more than one certificate")
    certificate = read(blocks[0])
    if not _is_authority(certificate):
        raise BadCertificate("not a CA certificate")
    if certificate.issuer == certificate.subject and _issuer_among(certificate, known) is None:
        # the next root may have the name of the one before, which signed it (M05.FR.10)
        raise BadCertificate("bad signature")
    if certificate.not_valid_after_utc < at:
        raise BadCertificate("expired")
    _check_key(certificate)
    return facts(blocks[0], known)


def is_issued_by(pem: str, issuer_pem: str) -> bool:
    """The one signed the other."""
    return _issued(read(pem), read(issuer_pem))


def check_chain(
    text: str,
    *,
    subject: Subject,
    roots: Sequence[str],
    at: datetime,
    early: bool,
) -> list[Facts]:
    """A signed certificate with its intermediates, leaf first, that the station may use from now on.

    `subject`: what was asked for. `roots`: those that may stand at its top. `early`: it may become valid
    later (1.6 does not mind; 2.0.1 does, errata A02.FR.06). Raises BadCertificate.
    """
    blocks = split(text)
    chain = [read(block) for block in blocks]
    _check_leaf(chain[0], subject)
    for position, certificate in enumerate(chain):
        _check_key(certificate)
        _check_dates(certificate, at, early=early and position == 0)
        if position and not _is_authority(certificate):
            raise BadCertificate("an intermediate is no CA")
    for below, above in itertools.pairwise(chain):
        if not _issued(below, above):
            raise BadCertificate("the chain is broken")
    _check_top(chain[-1], roots, at)
    return chain_facts(blocks, roots)


def _check_leaf(leaf: x509.Certificate, subject: Subject) -> None:
    if _name(leaf.subject, NameOID.COMMON_NAME) != subject.common_name:
        raise BadCertificate("CN is not the serial number of this station")
    if _name(leaf.subject, NameOID.ORGANIZATION_NAME) != subject.organisation:
        raise BadCertificate("O is not the organization that was asked for")
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        pass  # a certificate that names no use may be used for any (RFC 5280, 4.2.1.3)
    else:
        if not (usage.digital_signature or usage.key_agreement):
            raise BadCertificate("key usage forbids signatures")
    try:
        extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    allowed = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if not allowed & set(extended):
        raise BadCertificate("extended key usage forbids clients")


def _check_dates(certificate: x509.Certificate, at: datetime, *, early: bool) -> None:
    if certificate.not_valid_after_utc < at:
        raise BadCertificate("expired")
    if certificate.not_valid_before_utc > at and not early:
        raise BadCertificate("not yet valid")


def _check_key(certificate: x509.Certificate) -> None:
    """A00.FR.501 to 503."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < SHORTEST_RSA:
        raise BadCertificate("the key is too short")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < SHORTEST_EC:
        raise BadCertificate("the key is too short")


def _check_top(top: x509.Certificate, roots: Sequence[str], at: datetime) -> None:
    if not roots:
        raise BadCertificate("no root to check against")
    for pem in roots:
        root = read(pem)
        if root == top or _issued(top, root):
            _check_dates(root, at, early=False)
            return
    raise BadCertificate("not of a known root")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def ocsp_verdict(result: str) -> str:
    """What an OCSP response (DER in base64) says: good, revoked, unknown, or unreadable."""
    try:
        response = ocsp.load_der_ocsp_response(base64.b64decode(result, validate=True))
        return response.certificate_status.name.lower()
    except ValueError:  # no base64, no OCSP, or a responder that only tells of its own trouble
        return "unreadable"


# ---------------------------------------------------------------- asking


def new_key(subject: Subject, key_type: KeyType = KeyType.EC_P256) -> NewKey:
    """Make a pair and the request that has it signed (A02.FR.02 and .03, RFC 2986)."""
    key = _make_key(key_type)
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)]
    if subject.organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, subject.organisation[:64]))
    if subject.country:
        attributes.append(x509.NameAttribute(NameOID.COUNTRY_NAME, subject.country))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    request = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    return NewKey(
        key_id=_key_id(key.public_key()),
        key_pem=key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        csr_pem=request.public_bytes(pem).decode(),
        key_type=key_type,
    )


def _make_key(key_type: KeyType) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if key_type is KeyType.EC_P256:
        return ec.generate_private_key(ec.SECP256R1())
    if key_type is KeyType.EC_P384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(65537, int(key_type.value.partition("-")[2]))
