"""Certificates with a few wrong bytes: each is refused in words, none is an error of the program."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization

from app.ocpp.shared.certificates import x509
from app.ocpp.shared.certificates.model import BadCertificate, Subject
from app.training.certificates import (
    KeyKind,
    certificate_of,
    make_authority,
    make_station,
)

AT = datetime.now(UTC)
ROOT = make_authority("Root", ocsp_url="http://ocsp.example/")
BETWEEN = make_authority("Between", above=ROOT, key=KeyKind.RSA_2048)
STATION = make_station(BETWEEN, "SN", "CPO")
GOOD = [ROOT.certificate_pem, BETWEEN.certificate_pem, STATION.certificate_pem]


def der_of(pem: str) -> bytes:
    return certificate_of(pem).public_bytes(serialization.Encoding.DER)


def pem_of(der: bytes) -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def broken(chance: random.Random) -> str:
    """One of the good ones with one to four places changed, cut out or put in."""
    der = bytearray(der_of(chance.choice(GOOD)))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(der))
        some = bytes(chance.randrange(256) for _ in range(chance.randint(1, 3)))
        kind = chance.choice(("change", "change", "cut", "insert"))
        if kind == "cut":
            del der[place : place + len(some)]
        else:
            der[place : place + (1 if kind == "change" else 0)] = some
    return pem_of(bytes(der))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore")  # the library warns of odd ones that it reads all the same
def test_wrong_bytes_are_a_bad_certificate_and_nothing_else(seed: int) -> None:
    chance = random.Random(seed)
    subject = Subject("SN", "CPO", None)
    for _ in range(700):
        pem = broken(chance)
        for judge in (
            lambda bad: x509.check_root(bad, AT, GOOD),
            lambda bad: x509.facts(bad, GOOD),
            lambda bad: x509.check_chain(
                bad + GOOD[1], subject=subject, roots=GOOD[:1], at=AT, early=True
            ),
        ):
            try:
                judge(pem)
            except BadCertificate:
                continue
            except Exception as error:  # noqa: BLE001 - any other one is what must not be
                pytest.fail(f"seed {seed}: {type(error).__name__}: {error}\n{pem}")


@pytest.mark.filterwarnings("ignore")
def test_a_version_that_there_is_none_of_is_unreadable() -> None:
    der = der_of(ROOT.certificate_pem)
    at = der.index(b"\xa0\x03\x02\x01\x02") + 4
    pem = pem_of(der[:at] + b"\x62" + der[at + 1 :])
    with pytest.raises(BadCertificate, match="unreadable"):
        x509.read(pem)
