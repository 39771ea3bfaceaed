"""What an authority tells of the certificates that it signed: its list of revoked ones, and OCSP."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from app.training.certificates import DAY, EARLIER, Authority, certificate_of, digest, key_of


def revocation_list(authority: Authority, now: datetime | None = None) -> str:
    """The list of what the authority has taken back, in PEM."""
    at = now or datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder()
    builder = builder.issuer_name(certificate_of(authority.certificate_pem).subject)
    builder = builder.last_update(at - EARLIER).next_update(at + 30 * DAY)
    for serial, since in authority.revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    signed = builder.sign(key_of(authority.key_pem), digest())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def ocsp_status(
    authority: Authority, request: dict[str, str], now: datetime | None = None
) -> str | None:
    """The answer to an OCSPRequestDataType: DER in base64; None if the authority is another one."""
    name = request["hashAlgorithm"]
    algorithm: hashes.HashAlgorithm = {
        "SHA256": hashes.SHA256(),
        "SHA384": hashes.SHA384(),
        "SHA512": hashes.SHA512(),
    }[name]
    own = certificate_of(authority.certificate_pem)
    probe = ocsp.OCSPRequestBuilder().add_certificate(own, own, algorithm).build()
    # of a certificate with itself as issuer the key is right, but the name is that of its own issuer
    name_hash = hashlib.new(name, own.subject.public_bytes()).digest()
    wanted = request["issuerKeyHash"].casefold(), request["issuerNameHash"].casefold()
    if wanted != (probe.issuer_key_hash.hex(), name_hash.hex()):
        return None
    at = now or datetime.now(UTC)
    serial = int(request["serialNumber"], 16)
    since = authority.revoked.get(serial)
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=name_hash,
        issuer_key_hash=probe.issuer_key_hash,
        serial_number=serial,
        algorithm=algorithm,
        cert_status=ocsp.OCSPCertStatus.REVOKED if since else ocsp.OCSPCertStatus.GOOD,
        this_update=at,
        next_update=at + 7 * DAY,
        revocation_time=since,
        revocation_reason=None,
    )
    response = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, own).sign(
        key_of(authority.key_pem), digest()
    )
    return base64.b64encode(response.public_bytes(serialization.Encoding.DER)).decode()


def root_hash(pem: str) -> dict[str, str]:
    """A self-signed root as a CertificateHashDataType, by SHA256: what DeleteCertificate names it by."""
    own = certificate_of(pem)
    asked = ocsp.OCSPRequestBuilder().add_certificate(own, own, hashes.SHA256()).build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": asked.issuer_name_hash.hex(),
        "issuerKeyHash": asked.issuer_key_hash.hex(),
        "serialNumber": f"{own.serial_number:X}",
    }
