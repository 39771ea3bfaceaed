"""What is known of certificates, as plain values: nothing here needs a library to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RootKind(StrEnum):
    """What a root vouches for."""

    CSMS = "CSMS"
    MO = "MO"
    V2G = "V2G"
    MANUFACTURER = "Manufacturer"


class Purpose(StrEnum):
    """What one of the station's own certificates is for."""

    STATION = "ChargingStation"
    V2G = "V2G"
    COMBINED = "Combined"
    """Both at once: 2.0.1 A00.FR.428."""


class KeyType(StrEnum):
    """Kinds of key the station can make."""

    EC_P256 = "EC-P256"
    EC_P384 = "EC-P384"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"


class BadCertificate(ValueError):
    """A certificate that cannot be used. `why` in a few technical words, as they go on the wire."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoRoom(BadCertificate):
    """The store is full."""


@dataclass(frozen=True, slots=True)
class HashData:
    """How OCPP names a certificate (RFC 6960): hashes in hexadecimal, serial without leading zeros."""

    algorithm: str
    name_hash: str
    key_hash: str
    serial: str

    def payload(self) -> dict[str, str]:
        """As a CertificateHashDataType."""
        return {
            "hashAlgorithm": self.algorithm,
            "issuerNameHash": self.name_hash,
            "issuerKeyHash": self.key_hash,
            "serialNumber": self.serial,
        }

    @classmethod
    def of(cls, payload: dict[str, Any]) -> HashData:
        """Of a CertificateHashDataType."""
        return cls(
            payload["hashAlgorithm"],
            payload["issuerNameHash"],
            payload["issuerKeyHash"],
            payload["serialNumber"],
        )

    def same_as(self, other: HashData) -> bool:
        """Identifiers compare without case, and leading zeros of the serial do not count."""
        return self._folded() == other._folded()

    def _folded(self) -> tuple[str, ...]:
        serial = self.serial.casefold().lstrip("0") or "0"
        return self.algorithm, self.name_hash.casefold(), self.key_hash.casefold(), serial


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says. `fingerprint` is SHA-256 of its DER, `key_id` SHA-256 of its public key."""

    subject: str
    common_name: str
    organisation: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    authority: bool
    self_issued: bool
    fingerprint: str
    key_id: str
    ocsp_url: str | None
    pem: str
    hashes: tuple[HashData, ...]
    """One for each algorithm; over the issuer's key as far as the issuer is known."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A certificate as GetInstalledCertificateIds tells it. `kind`: a RootKind, or "V2GChain"."""

    kind: str
    hash_data: HashData
    children: tuple[HashData, ...] = ()


V2G_CHAIN = "V2GChain"


@dataclass(frozen=True, slots=True)
class Root:
    """An installed root. `fallback`: replaced, and kept until its successor has worked (M05)."""

    kind: str
    pem: str
    fingerprint: str
    subject: str
    not_after: datetime
    fallback: bool
    hash_data: HashData


@dataclass(frozen=True, slots=True)
class OwnChain:
    """A certificate of the station with its intermediates, leaf first, and its private key.

    `failures`: attempts to connect with it since the last link that came about.
    """

    id: str
    purpose: Purpose
    chain_pem: str
    key_pem: str = field(repr=False)
    serial: str
    subject: str
    not_before: datetime
    not_after: datetime
    installed: datetime
    proven: bool = False
    """A link came about with it."""
    failures: int = 0
    turned_down: bool = False
    """The back office refused it and took another one of ours instead: it is the last to be shown."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request names: CN, O and C."""

    common_name: str
    organisation: str
    country: str | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh pair and the request for its certificate. `key_id` as in Facts."""

    key_id: str
    key_pem: str = field(repr=False)
    csr_pem: str
    key_type: KeyType
