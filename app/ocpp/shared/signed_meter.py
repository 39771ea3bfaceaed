"""Signed meter values: a reading in a container that shows any later change of it.

The OCA application note "Signed Meter Values in OCPP" v1.0 says how they travel; the container is OCMF 1.0
of S.A.F.E. e.V.: `OCMF|<reading as JSON>|<signature as JSON>`, signed over the bytes between the bars. Each
meter has a key pair of its own, made once, which outlives even a factory reset: its public half is printed
on a real meter's case. `cryptography` is imported when the first key is made or used.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.ocpp.context import Identity, StorePort

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

TABLE = "meter_keys"
"""By EVSE: {"pem": private key, "public": printed key, "count": signatures given}."""

SIGNING_METHOD = "ECDSA-secp256r1-SHA256"
ENCODING_METHOD = "OCMF"
ENERGY_IMPORT = "01-00:01.08.00.FF"
"""OBIS code of the register that counts active energy to the car."""

BEGIN, END, WITHIN = "B", "E", "C"
"""OCMF's words for why a reading was taken: the session's begin, its end, while it goes on."""


@dataclass(frozen=True, slots=True)
class Driver:
    """For whom energy flows, and how the station knows. `flag` is OCMF's word for the latter."""

    token: str
    flag: str = "OCPP_AUTH"


@dataclass(frozen=True, slots=True)
class Register:
    """The register at one moment. Energy in Wh."""

    at: datetime
    energy: float
    moment: str
    direct: bool = False
    synchronised: bool = True
    """The clock was set by the back office."""


class MeterKeys:
    """The key pairs of a station's meters, one an EVSE."""

    def __init__(self, store: StorePort, meters: Iterable[int]) -> None:
        self._store = store
        self._meters = sorted(set(meters))
        self._loaded: dict[int, EllipticCurvePrivateKey] = {}
        self._printed: dict[int, str] = {}

    def restore(self) -> None:
        """Read the public halves; nothing is made."""
        for evse, row in self._store.rows(TABLE):
            self._printed[int(evse)] = str(row["public"])

    @property
    def missing(self) -> list[int]:
        """The meters without a key pair."""
        return [meter for meter in self._meters if meter not in self._printed]

    def known_key(self, evse: int) -> str | None:
        """As `public_key`; None while the pair is not made yet."""
        return self.public_key(evse) if evse in self._printed else None

    def public_key(self, evse: int) -> str:
        """The public key as it travels (application note 3.2.2), in base64. Makes the pair if need be."""
        self._need(evse)
        return b64encode(f"oca:base16:asn1:{self._printed[evse]}".encode()).decode()

    def make(self, pairs: Iterable[KeyPair] | None = None) -> None:
        """Write down a pair for each meter that has none. `pairs`: made beforehand, beside the loop."""
        missing = self.missing
        made = make_pairs(len(missing)) if pairs is None else pairs
        with self._store.step():
            # while they were made somebody in a hurry may have made some
            for meter, pair in zip(missing, made, strict=False):
                row = {"pem": pair.private, "public": pair.public, "count": 0}
                self._store.put(TABLE, str(meter), row)
                self._printed[meter] = pair.public

    def sign(self, evse: int, text: str) -> str:
        """The signature of `text` in hexadecimal DER."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        return self._key(evse).sign(text.encode(), ec.ECDSA(hashes.SHA256())).hex().upper()

    def next_count(self, evse: int) -> int:
        """One more signature of this meter: OCMF's pagination, from 1, never used twice."""
        self._need(evse)
        row = self._store.get(TABLE, str(evse)) or {}
        row["count"] = int(row["count"]) + 1
        self._store.put(TABLE, str(evse), row)
        return int(row["count"])

    def _need(self, evse: int) -> None:
        if evse not in self._printed:
            self.make()

    def _key(self, evse: int) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        self._need(evse)
        if evse not in self._loaded:
            row = self._store.get(TABLE, str(evse)) or {}
            key = load_pem_private_key(str(row["pem"]).encode(), None)
            if not isinstance(key, EllipticCurvePrivateKey):
                raise TypeError(f"the key of meter {evse} is of no elliptic curve")
            self._loaded[evse] = key
        return self._loaded[evse]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """PEM of the private half, hexadecimal DER of the public one."""

    private: str
    public: str


def make_pairs(count: int) -> list[KeyPair]:
    """New key pairs on the curve secp256r1. Slow the first time: the library is loaded then."""
    from cryptography.hazmat.primitives import serialization as how
    from cryptography.hazmat.primitives.asymmetric import ec

    pairs = []
    for _ in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            how.Encoding.PEM, how.PrivateFormat.PKCS8, how.NoEncryption()
        ).decode()
        public = key.public_key().public_bytes(
            how.Encoding.DER, how.PublicFormat.SubjectPublicKeyInfo
        )
        pairs.append(KeyPair(private, public.hex().upper()))
    return pairs


def container(
    keys: MeterKeys, evse: int, identity: Identity, driver: Driver, register: Register
) -> str:
    """One reading as a signed OCMF text."""
    payload = json.dumps(
        {
            "FV": "1.0",
            "GI": f"{identity.vendor} {identity.model}",
            "GS": identity.serial_number or f"{identity.model}-{evse}",
            "GV": identity.firmware_version or "",
            "PG": f"T{keys.next_count(evse)}",
            "MV": identity.vendor,
            "MM": identity.meter_type or "Virtual meter",
            "MS": f"{identity.meter_serial_number or 'VM'}-{evse}",
            "MF": "1.0",
            "IS": bool(driver.token),
            "IL": "HEARSAY" if driver.token else "NONE",
            "IF": [driver.flag],
            "IT": "UNDEFINED" if driver.token else "NONE",
            "ID": driver.token,
            "CT": "EVSEID",
            "CI": str(evse),
            "RD": [_reading(register)],
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )
    signature = json.dumps(
        {"SA": SIGNING_METHOD, "SD": keys.sign(evse, payload)}, separators=(",", ":")
    )
    return f"OCMF|{payload}|{signature}"


def _reading(register: Register) -> dict[str, Any]:
    at = register.at.astimezone(UTC)
    state = "S" if register.synchronised else "U"
    return {
        "TM": f"{at:%Y-%m-%dT%H:%M:%S},{at.microsecond // 1000:03d}+0000 {state}",
        "TX": register.moment,
        "RV": int(register.energy) / 1000,
        "RI": ENERGY_IMPORT,
        "RU": "kWh",
        "RT": "DC" if register.direct else "AC",
        "EF": "",
        "ST": "G",
    }


def signed_value(text: str, public_key: str) -> dict[str, str]:
    """SignedMeterValueType: the method is within the container, so it is not told again (table 1)."""
    return {
        "signedMeterData": b64encode(text.encode()).decode(),
        "signingMethod": "",
        "encodingMethod": ENCODING_METHOD,
        "publicKey": public_key,
    }
