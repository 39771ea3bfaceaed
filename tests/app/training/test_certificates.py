"""The certificate lab and the CSMS that signs: real certificates, real TLS, real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import stat
import warnings
from base64 import b64decode, encodebytes
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake
from websockets.typing import Subprotocol

from app.training import handshakes
from app.training.certificates import (
    Authority,
    Flaw,
    KeyKind,
    Pair,
    RequestBad,
    make_authority,
    make_server,
    make_station,
    revoke,
    sign_request,
)
from app.training.lab_tls import read, serve_with, server_context, write
from app.training.owners import OPERATOR, Owners
from app.training.revocation import ocsp_status, revocation_list
from app.training.settings import CsmsSettings
from app.training.thread import TrainingCsmsThread
from tests.app.training.client import BOOT_16, BOOT_201, V16, V201, bench
from tests.support.csms import CsmsProbe, running_csms


def certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def csr(name: str = "SN-1") -> str:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "CPO"),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority("Lab root")


# ---------------------------------------------------------------- what is made


def test_chain_of_an_intermediate_leads_to_the_root(root: Authority) -> None:
    between = make_authority("Lab sub", above=root)
    pair = make_server(between, "localhost")
    leaf, above = x509.load_pem_x509_certificates(pair.chain_pem.encode())
    leaf.verify_directly_issued_by(above)
    above.verify_directly_issued_by(certificate(root.certificate_pem))
    assert between.root is root


def test_flaws_are_what_they_say(root: Authority) -> None:
    good = certificate(make_station(root, "SN-1", "CPO").certificate_pem)
    assert good.subject.rfc4514_string() == "O=CPO,CN=SN-1"
    late = certificate(make_station(root, "SN-1", "CPO", flaw=Flaw.EXPIRED).certificate_pem)
    soon = certificate(make_station(root, "SN-1", "CPO", flaw=Flaw.NOT_YET_VALID).certificate_pem)
    assert late.not_valid_after_utc < good.not_valid_before_utc < soon.not_valid_before_utc
    other = certificate(make_station(root, "SN-1", "CPO", flaw=Flaw.WRONG_NAME).certificate_pem)
    assert "SN-1" not in other.subject.rfc4514_string()
    operator = make_station(root, "SN-1", "CPO", flaw=Flaw.WRONG_OPERATOR)
    assert "O=CPO" not in operator.subject
    alone = certificate(make_station(root, "SN-1", "CPO", flaw=Flaw.SELF_SIGNED).certificate_pem)
    alone.verify_directly_issued_by(alone)


def test_revoked_one_is_on_the_list_and_told_by_ocsp() -> None:
    root = make_authority("Lab root")
    good, bad = make_station(root, "A", "CPO"), make_station(root, "B", "CPO")
    revoke(root, bad)
    listed = x509.load_pem_x509_crl(revocation_list(root).encode())
    assert listed.get_revoked_certificate_by_serial_number(bad.serial) is not None
    assert listed.get_revoked_certificate_by_serial_number(good.serial) is None
    assert ocsp_of(root, good) is ocsp.OCSPCertStatus.GOOD
    assert ocsp_of(root, bad) is ocsp.OCSPCertStatus.REVOKED
    assert ocsp_status(make_authority("Somebody"), question(root, good)) is None


def question(root: Authority, pair: Pair) -> dict[str, str]:
    asked = ocsp.OCSPRequestBuilder().add_certificate(
        certificate(pair.certificate_pem), certificate(root.certificate_pem), hashes.SHA256()
    )
    built = asked.build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": built.issuer_name_hash.hex(),
        "issuerKeyHash": built.issuer_key_hash.hex().upper(),
        "serialNumber": f"{pair.serial:X}",
    }


def ocsp_of(root: Authority, pair: Pair) -> Any:
    answer = ocsp_status(root, question(root, pair))
    assert answer is not None
    return ocsp.load_der_ocsp_response(b64decode(answer)).certificate_status


def test_request_that_is_none_is_refused(root: Authority) -> None:
    with pytest.raises(RequestBad):
        sign_request(root, "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n")
    with pytest.raises(RequestBad):
        sign_request(root, tampered(csr("SN-1")))


def tampered(pem: str) -> str:
    """A request whose name was changed after it was signed."""
    der = x509.load_pem_x509_csr(pem.encode()).public_bytes(serialization.Encoding.DER)
    body = encodebytes(der.replace(b"SN-1", b"SN-2")).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


def test_keys_are_written_for_nobody_else_and_read_again(tmp_path: Path, root: Authority) -> None:
    folder = tmp_path / "lab"
    _, key = write(folder, "root", root)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read(folder, "root").certificate_pem == root.certificate_pem
    key.chmod(0o644)
    _, key = write(folder, "root", root)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert root.key_pem not in repr(root)


# ---------------------------------------------------------------- the CSMS signs


@pytest.mark.parametrize(
    ("version", "boot", "kind"),
    [(V16, BOOT_16, None), (V201, BOOT_201, "ChargingStationCertificate")],
)
async def test_station_that_asks_gets_its_certificate(
    version: str, boot: dict[str, Any], kind: str | None, root: Authority
) -> None:
    """A02.FR.11 and .14: Accepted, then CertificateSigned of the same type."""
    settings = CsmsSettings(authority=root)
    async with running_csms(settings) as csms, bench(csms.url, "CS-1", version) as station:
        await station.result("BootNotification", boot)
        payload = {"csr": csr()} | ({"certificateType": kind} if kind else {})
        assert (await station.result("SignCertificate", payload))["status"] == "Accepted"
        call = await station.next()
        assert call[2] == "CertificateSigned"
        assert call[3].get("certificateType") == kind
        certificate(call[3]["certificateChain"]).verify_directly_issued_by(
            certificate(root.certificate_pem)
        )
        await station.send(f'[3,"{call[1]}",{{"status":"Accepted"}}]')
        await logged(csms, "training.certificate_sent")


async def logged(csms: CsmsProbe, key: str) -> Any:
    async with asyncio.timeout(5):
        while True:
            for entry in csms.snapshot().log:
                if entry.text.id == key:
                    return entry.text
            await asyncio.sleep(0.01)


async def test_CSMS_may_refuse_or_never_answer_a_request() -> None:
    """A02.FR.12, and the case of A02.FR.17."""
    for settings, status in (
        (CsmsSettings(sign_requests=False), "Rejected"),
        (CsmsSettings(answer_requests=False), "Accepted"),
    ):
        async with running_csms(settings) as csms, bench(csms.url, "CS-1", V16) as station:
            await station.result("BootNotification", BOOT_16)
            assert (await station.result("SignCertificate", {"csr": csr()}))["status"] == status
            assert "currentTime" in await station.result("Heartbeat")


async def test_request_that_cannot_be_signed_is_noted() -> None:
    async with running_csms() as csms, bench(csms.url, "CS-1", V16) as station:
        await station.result("BootNotification", BOOT_16)
        await station.result("SignCertificate", {"csr": "nonsense"})
        await logged(csms, "training.bad_request")


# ---------------------------------------------------------------- TLS


def trusting(root: Authority, pair: Pair | None = None, folder: Path | None = None) -> Any:
    context = ssl.create_default_context(cadata=root.certificate_pem)
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # as by itself from Python 3.13 on
    if pair is not None and folder is not None:
        context.load_cert_chain(*write(folder, "station", pair))
    return context


async def dial(url: str, context: ssl.SSLContext) -> str | None:
    """The subprotocol of a link, None where there is none."""
    try:
        async with connect(
            f"{url}/CS-1", ssl=context, subprotocols=[Subprotocol(V16)], proxy=None
        ) as socket:
            return socket.subprotocol
    except (OSError, InvalidHandshake):
        return None


CASES = [
    ("good", None),
    ("none", "training.tls.no_certificate"),
    ("revoked", "training.tls.not_trusted"),
    ("expired", "training.tls.not_trusted"),
    ("stranger", "training.tls.not_trusted"),
    ("distrust", "training.tls.hung_up"),
]


@pytest.mark.parametrize(("case", "why"), CASES)
async def test_handshakes_and_what_the_CSMS_says_of_them(
    case: str, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training CSMS logs its side of every failed handshake."""
    monkeypatch.setattr(handshakes, "PATIENCE", 1.0)
    root = make_authority("Lab root")
    shown = {
        "good": lambda: make_station(root, "CS-1", OPERATOR),
        "none": lambda: None,
        "revoked": lambda: make_station(root, "SN", "CPO", flaw=Flaw.REVOKED),
        "expired": lambda: make_station(root, "SN", "CPO", flaw=Flaw.EXPIRED),
        "stranger": lambda: make_station(make_authority("Other"), "SN", "CPO"),
        "distrust": lambda: make_station(root, "SN", "CPO"),
    }[case]()
    trusted = make_authority("Nobody") if case == "distrust" else root
    context = server_context(make_server(root, "localhost"), clients=[root])
    async with running_csms(CsmsSettings(tls=context)) as csms:
        url = csms.url.replace("127.0.0.1", "localhost")
        found = await dial(url, trusting(trusted, shown, tmp_path))
        if why is None:
            assert found == V16
            return
        assert found is None
        text = await logged(csms, "training.handshake_failed")
        assert text.params["why"].id == why


# ---------------------------------------------------------------- whose certificate it is

OTHERS = {
    "not_its_own.unknown_serial": ("SN-2", OPERATOR, {}),
    "not_its_own.other_station": ("SN-2", OPERATOR, {"CS-1": "SN-1", "CS-2": "SN-2"}),
    "not_its_own.operator": ("SN-1", "Somebody else", {"CS-1": "SN-1"}),
}


@contextlib.asynccontextmanager
async def asking(
    root: Authority, serials: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[tuple[CsmsProbe, str]]:
    """A CSMS of security profile 3, and its URL."""
    context = await asyncio.to_thread(
        lambda: server_context(make_server(root, "localhost"), clients=[root])
    )
    owners = Owners(serials=dict(serials or {}))
    settings = CsmsSettings(tls=context, authority=root, owners=owners, **more)
    async with running_csms(settings) as csms:
        yield csms, csms.url.replace("127.0.0.1", "localhost")


@pytest.mark.parametrize("why", OTHERS)
async def test_A00_FR_404_405_a_good_certificate_of_somebody_else_opens_no_link(
    why: str, root: Authority, tmp_path: Path
) -> None:
    """TLS has nothing against it; the CSMS says whose it is. Where that is switched off it gets in."""
    name, operator, serials = OTHERS[why]
    shown = trusting(root, make_station(root, name, operator), tmp_path)
    async with asking(root, serials) as (csms, url):
        assert await dial(url, shown) is None
        text = await logged(csms, f"training.{why}")
        assert {name, operator} & set(text.params.values())
        assert csms.snapshot().station("CS-1") is None
    async with asking(root, serials, any_certificate=True) as (_, url):
        assert await dial(url, shown) == V16


async def test_A00_FR_403_what_is_revoked_while_the_CSMS_serves_opens_no_further_link(
    tmp_path: Path,
) -> None:
    root = make_authority("Lab root")
    pair = make_station(root, "CS-1", OPERATOR)
    shown = trusting(root, pair, tmp_path)
    async with asking(root) as (csms, url):
        assert await dial(url, shown) == V16
        revoke(root, pair)
        assert await dial(url, shown) is None
        await logged(csms, "training.revoked")


@pytest.mark.parametrize(("version", "boot"), [(V16, BOOT_16), (V201, BOOT_201)])
async def test_A00_FR_405_the_serial_number_that_a_station_has_told_may_stand_in_its_certificate(
    version: str, boot: dict[str, Any], root: Authority, tmp_path: Path
) -> None:
    """Told at boot below profile 3; there it is not changed any more, over somebody else's least of all."""

    def booting(serial: str) -> dict[str, Any]:
        if version == V16:
            return boot | {"chargePointSerialNumber": serial}
        return boot | {"chargingStation": boot["chargingStation"] | {"serialNumber": serial}}

    settings = CsmsSettings(authority=root)
    async with running_csms(settings) as csms, bench(csms.url, "CS-1", version) as station:
        await station.result("BootNotification", booting("SN-0"))
        await station.result("BootNotification", booting("SN-1"))  # its board was replaced
    settings.tls = server_context(make_server(root, "localhost"), clients=[root])
    good = trusting(root, make_station(root, "SN-1", OPERATOR), tmp_path)
    bad = trusting(root, make_station(root, "SN-2", OPERATOR), tmp_path)
    async with running_csms(settings) as csms:
        url = csms.url.replace("127.0.0.1", "localhost")
        assert await dial(url, bad) is None
        async with bench(url, "CS-1", version, ssl=good) as station:
            await station.result("BootNotification", booting("SN-2"))
        assert await dial(url, bad) is None


async def test_A00_FR_404_whom_the_CSMS_signs_for_it_trusts(
    root: Authority, tmp_path: Path
) -> None:
    """ "... or an organization trusted by the CSO": also over a link of profile 3, when renewed."""
    own = trusting(root, make_station(root, "CS-1", OPERATOR), tmp_path)
    async with asking(root) as (csms, url):
        assert await dial(url, trusting(root, make_station(root, "SN-1", "CPO"), tmp_path)) is None
        async with bench(url, "CS-1", V16, ssl=own) as station:
            await station.result("BootNotification", BOOT_16)
            await station.result("SignCertificate", {"csr": csr("SN-1")})
            await station.send(f'[3,"{(await station.next())[1]}",{{"status":"Accepted"}}]')
            await logged(csms, "training.certificate_sent")
        again = trusting(root, make_station(root, "SN-1", "CPO"), tmp_path)
        assert await dial(url, again) == V16


async def test_alert_of_a_station_is_put_into_words(root: Authority) -> None:
    """A blocking client does send its alert; asyncio's does not."""
    context = server_context(make_server(root, "localhost"))
    async with running_csms(CsmsSettings(tls=context)) as csms:
        port = int(csms.url.split(":")[2].split("/")[0])
        stranger = ssl.create_default_context(cadata=make_authority("Nobody").certificate_pem)

        def dial_blocking() -> None:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
                pytest.raises(ssl.SSLCertVerificationError),
            ):
                stranger.wrap_socket(plain, server_hostname="localhost")

        await asyncio.to_thread(dial_blocking)
        text = await logged(csms, "training.handshake_failed")
        assert text.params["why"].id == "training.tls.they_do_not_know_us"


def test_running_CSMS_takes_TLS_and_gives_it_back(root: Authority) -> None:
    """The walk of the lab: ws, wss on the same port, and ws again."""
    thread = TrainingCsmsThread()
    plain = thread.start()
    try:
        secure = serve_with(thread, server_context(make_server(root, "localhost")))
        assert secure == plain.replace("ws://", "wss://")
        url = secure.replace("127.0.0.1", "localhost")
        assert asyncio.run(dial(url, trusting(root))) == V16
        assert serve_with(thread, None) == plain
    finally:
        thread.stop()


async def test_rsa_keys_serve_too() -> None:
    root = make_authority("RSA root", key=KeyKind.RSA_2048)
    server = make_server(root, "localhost", key=KeyKind.RSA_2048)
    for pem in (root.certificate_pem, server.certificate_pem):
        assert isinstance(certificate(pem).public_key(), rsa.RSAPublicKey)
    async with running_csms(CsmsSettings(tls=server_context(server))) as csms:
        assert await dial(csms.url.replace("127.0.0.1", "localhost"), trusting(root)) == V16


def test_a_guest_that_does_not_answer_the_goodbye_of_TLS_is_let_go_when_the_thread_ends() -> None:
    thread = TrainingCsmsThread()
    thread.start()
    root = make_authority("root")
    url = serve_with(thread, server_context(make_server(root, "localhost")))
    there = urlsplit(url)
    trusts = ssl.create_default_context(cadata=root.certificate_pem)
    plain = socket.create_connection(("127.0.0.1", there.port or 0), timeout=5)
    with (
        trusts.wrap_socket(plain, server_hostname="localhost"),
        warnings.catch_warnings(record=True) as said,
    ):
        warnings.simplefilter("always")
        thread.stop()
        gc.collect()
    assert [str(one.message) for one in said if one.category is ResourceWarning] == []
