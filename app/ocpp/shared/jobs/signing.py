"""Is firmware signed by its manufacturer? Slow to import: called in a thread.

The signing certificate must be of a Manufacturer root, without intermediates (1.6 whitepaper L01, 2.0.1
L01). The signature is over the whole file: RSA-PSS or ECDSA with SHA-256. ECSchnorr, which the text names
too, has no well-kept implementation and counts as a bad signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.ocpp.shared.certificates.model import BadCertificate


def check_signer(pem: str, roots: Sequence[str], at: datetime) -> None:
    """May firmware be signed with this certificate now? Raises BadCertificate with a few words."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509 import ExtensionNotFound, KeyUsage

    from app.ocpp.shared.certificates import x509

    blocks = x509.split(pem)
    if len(blocks) > 1:
        raise BadCertificate("more than one certificate")
    certificate = x509.read(blocks[0])
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        short = key.key_size < x509.SHORTEST_RSA
    elif isinstance(key, ec.EllipticCurvePublicKey):
        short = key.key_size < x509.SHORTEST_EC
    else:
        raise BadCertificate("neither an RSA nor an EC key")
    if short:
        raise BadCertificate("the key is too short")
    try:
        usage = certificate.extensions.get_extension_for_class(KeyUsage).value
    except ExtensionNotFound:
        pass  # a certificate that names no use may be used for any (RFC 5280, 4.2.1.3)
    else:
        if not usage.digital_signature:
            raise BadCertificate("key usage forbids signatures")
    if certificate.not_valid_after_utc < at:
        raise BadCertificate("expired")
    if certificate.not_valid_before_utc > at:
        raise BadCertificate("not yet valid")
    if not roots:
        raise BadCertificate("no Manufacturer root is installed")
    if not any(_vouches(root, blocks[0], at) for root in roots):
        raise BadCertificate("not of a known Manufacturer root")


def _vouches(root: str, pem: str, at: datetime) -> bool:
    from app.ocpp.shared.certificates import x509

    try:
        known = x509.read(root)
    except BadCertificate:
        return False
    in_force = known.not_valid_before_utc <= at <= known.not_valid_after_utc
    return in_force and x509.is_issued_by(pem, root)


def check_file(path: Path, pem: str, signature: str) -> str | None:
    """None where the signature fits the file, else why not in a few words. Raises OSError."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    from app.ocpp.shared.certificates import x509

    try:
        key = x509.read(x509.split(pem)[0]).public_key()
        given = base64.b64decode("".join(signature.split()), validate=True)
    except (BadCertificate, binascii.Error, ValueError):
        return "unreadable signature"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    how = Prehashed(hashes.SHA256())
    try:
        if isinstance(key, rsa.RSAPublicKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
            key.verify(given, digest, pss, how)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(given, digest, ec.ECDSA(how))
        else:
            return "neither an RSA nor an EC key"
    except InvalidSignature:
        return "the signature does not fit the file"
    return None
