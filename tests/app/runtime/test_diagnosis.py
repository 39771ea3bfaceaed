"""Step-by-step diagnosis of an address, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from app.kernel.catalogue import Catalogue
from app.ocpp.context import Identity
from app.ocpp.schema import Schemas
from app.ocpp.version import Version
from app.runtime.connection import Target
from app.runtime.diagnosis import BOOTS, Step, diagnose
from app.runtime.tls import TlsFiles
from tests.app.runtime.conftest import Certificates
from tests.app.runtime.fakes import answers
from tests.app.runtime.office import Office, Proxy

BOTH = (Version.V201, Version.V16)
TLS = ["dns", "tcp", "tls", "chain", "date", "name", "client_certificate"]


class Doctor:
    """Runs a diagnosis and checks that each step has a whole sentence."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def see(self, url: str, *, boot: Identity | None = None, **more: object) -> list[Step]:
        target = replace(Target(url, "CS-1", BOTH, timeout=5.0), **more)  # type: ignore[arg-type]
        steps = [step async for step in diagnose(target, boot=boot)]
        for step in steps:
            sentence = self._catalogue.render(step.text)
            assert sentence.endswith("."), sentence
            assert "{" not in sentence
            assert step.ms >= 0
        return steps


@pytest.fixture
def doctor(catalogue: Catalogue) -> Doctor:
    return Doctor(catalogue)


def names(steps: list[Step]) -> list[str]:
    return [step.name for step in steps]


def bad(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.text.id for step in steps if not step.ok}


@pytest.mark.parametrize("version", BOTH)
async def test_a_healthy_back_office_passes_every_step(
    doctor: Doctor, office: Office, version: Version
) -> None:
    office.answer = answers
    office.subprotocols = [version.subprotocol]
    steps = await doctor.see(office.url, boot=Identity())
    assert names(steps) == ["dns", "tcp", "http", "subprotocol", "boot"]
    assert bad(steps) == {}
    assert "127.0.0.1" in steps[0].detail
    assert steps[3].detail == version.subprotocol
    await asyncio.wait_for(office.left.get(), 5)


@pytest.mark.parametrize("version", BOTH)
def test_the_boot_that_is_tried_is_valid(version: Version) -> None:
    identity = Identity(vendor="V" * 60, model="M" * 60)
    payload = BOOTS[version](identity)
    limits = {Version.V16: 20, Version.V201: 50}
    assert f"{'V' * limits[version]}" in json.dumps(payload)
    if version is Version.V16:
        assert Schemas.of(version).check("BootNotification", "request", payload) == ()


async def test_without_being_asked_nothing_is_said_to_the_back_office(
    doctor: Doctor, office: Office
) -> None:
    assert names(await doctor.see(office.url)) == ["dns", "tcp", "http", "subprotocol"]
    await asyncio.wait_for(office.left.get(), 5)
    assert office.texts == []


async def test_it_ends_at_the_first_step_that_fails(
    doctor: Doctor, office: Office, unused_tcp_port: int
) -> None:
    office.refuse = (HTTPStatus.UNAUTHORIZED, "who?")
    assert bad(await doctor.see("http://x")) == {"url": "runtime.address.scheme"}
    assert bad(await doctor.see(office.url, security_profile=2)) == {
        "url": "runtime.link.profile_needs_tls"
    }
    gone = await doctor.see("ws://no-such-host.invalid/x", proxy="none")
    assert bad(gone) == {"dns": "runtime.link.dns"}
    closed = await doctor.see(f"ws://127.0.0.1:{unused_tcp_port}/x")
    assert names(closed) == ["dns", "tcp"]
    assert bad(closed) == {"tcp": "runtime.link.refused"}
    unauthorized = await doctor.see(office.url)
    assert bad(unauthorized) == {"http": "runtime.link.http_401_none"}
    assert unauthorized[-1].detail == "401"
    mistaken = await doctor.see(office.url, password=b"wrong", security_profile=1)
    assert bad(mistaken) == {"http": "runtime.link.http_401"}
    office.refuse, office.subprotocols = None, None
    foreign = await doctor.see(office.url)
    assert names(foreign) == ["dns", "tcp", "http", "subprotocol"]
    assert bad(foreign) == {"subprotocol": "runtime.link.subprotocol_missing"}


@pytest.mark.parametrize(
    "place",
    ["https://csms.example.com/login", "wss://csms.example.com/ocpp", "ws://csms:bad/", "//[/"],
)
async def test_a_redirection_that_is_not_for_a_station_to_follow_is_told_with_its_place(
    doctor: Doctor, office: Office, place: str
) -> None:
    office.redirect = place
    steps = await doctor.see(office.url)
    assert bad(steps) == {"http": "runtime.link.http_3xx"}
    assert steps[-1].text.params["place"] == place


async def test_a_redirection_to_another_path_is_followed_and_one_in_a_circle_is_told(
    doctor: Doctor, office: Office
) -> None:
    office.redirect = "/elsewhere"
    assert bad(await doctor.see(office.url)) == {}
    office.redirect = "?again"  # never the path that is asked for
    assert bad(await doctor.see(office.url)) == {"http": "runtime.link.http_circle"}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"status": "Rejected"}, "boot_rejected"),
        ({"status": "Pending"}, "boot_pending"),
        ({"status": "Certainly"}, "boot"),
        ("InternalError", "boot_refused"),
        ("close", "boot_closed"),
        ("nested", "boot_mute"),
        (None, "boot_mute"),
    ],
)
async def test_what_the_back_office_does_with_a_boot_is_told(
    doctor: Doctor, office: Office, answer: object, name: str
) -> None:
    def reply(text: str) -> str | None:
        number = json.loads(text)[1]
        if isinstance(answer, dict):
            return json.dumps([3, number, answer])
        if answer == "close":
            office.guests[-1].transport.abort()
        if answer == "nested":
            return "[" * 20_000 + "]" * 20_000  # deeper than any Python reads
        return json.dumps([4, number, answer, "", {}]) if answer == "InternalError" else "noise"

    office.answer = reply
    steps = await doctor.see(office.url, boot=Identity(), timeout=2.0)
    assert bad(steps) == {"boot": f"runtime.probe.{name}"}


# ---------------------------------------------------------------- TLS


async def test_a_good_certificate_passes_each_question(
    doctor: Doctor, certificates: Certificates
) -> None:
    async with Office().open(certificates.serve()) as office:
        steps = await doctor.see(office.url, tls=TlsFiles(ca=certificates.authority.root))
    assert names(steps) == [*TLS, "http", "subprotocol"]
    assert bad(steps) == {}
    tls = next(step for step in steps if step.name == "tls")
    assert tls.text.params["version"] == "TLSv1.3"
    assert steps[6].text.id == "runtime.probe.not_asked"


@pytest.mark.parametrize(
    ("names_in", "dates", "own_root", "wrong"),
    [
        ("DNS:localhost", {}, False, {"chain": "unknown_issuer"}),
        ("DNS:else.example", {}, True, {"name": "wrong_name"}),
        ("DNS:else.example", {}, False, {"chain": "unknown_issuer", "name": "wrong_name"}),
        (
            "DNS:localhost",
            {"end": "20210101000000Z"},
            True,
            {"date": "expired"},
        ),
        (
            "DNS:localhost",
            {"begin": "20480101000000Z"},
            False,
            {"chain": "unknown_issuer", "date": "not_yet_valid"},
        ),
    ],
    ids=["stranger", "name", "stranger and name", "expired", "stranger and future"],
)
async def test_all_that_is_wrong_about_a_certificate_is_told_at_once(
    doctor: Doctor,
    certificates: Certificates,
    names_in: str,
    dates: dict[str, str],
    own_root: bool,
    wrong: dict[str, str],
) -> None:
    signer = certificates.authority if own_root else certificates.stranger
    pair = signer.sign(f"probe-{'-'.join(wrong)}-{own_root}", names_in, **dates)
    async with Office().open(certificates.serve(pair)) as office:
        steps = await doctor.see(office.url, tls=TlsFiles(ca=certificates.authority.root))
    assert names(steps) == TLS[:6]
    assert {name: text.rsplit(".", 1)[1] for name, text in bad(steps).items()} == wrong


@pytest.mark.parametrize("who", ["nobody", "stranger", "known"])
@pytest.mark.parametrize("blunt", [False, True], ids=["asyncio", "alerts"])
async def test_what_the_server_says_to_our_certificate_is_told(
    doctor: Doctor, certificates: Certificates, who: str, blunt: bool
) -> None:
    files = TlsFiles(ca=certificates.authority.root)
    pair = {"stranger": certificates.strange_client, "known": certificates.client}.get(who)
    if pair:
        files = replace(files, certificate=pair.certificate, key=pair.key)
    context = certificates.serve(ask=True)
    if blunt:
        with alerting(context) as url:
            steps = await doctor.see(url, tls=files, timeout=1.0)
    else:
        async with Office().open(context) as office:
            steps = await doctor.see(office.url, tls=files)
    last = next(step for step in steps if step.name == "client_certificate")
    expected = {
        ("nobody", False): "runtime.tls.certificate_required",
        ("nobody", True): "runtime.tls.certificate_required",
        ("stranger", False): "runtime.probe.own_refused",
        ("stranger", True): "runtime.tls.own_unknown",
        ("known", False): "runtime.probe.accepted",
        ("known", True): "runtime.probe.accepted",
    }
    assert last.text.id == expected[who, blunt]
    assert last.ok == (who == "known")


async def test_a_server_that_asks_for_a_certificate_but_needs_none_is_told(
    doctor: Doctor, certificates: Certificates
) -> None:
    context = certificates.serve(ask=True)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with Office().open(context) as office:
        steps = await doctor.see(office.url, tls=TlsFiles(ca=certificates.authority.root))
    assert bad(steps) == {}
    assert steps[6].text.id == "runtime.probe.asked"


async def test_an_old_tls_version_is_told(doctor: Doctor, certificates: Certificates) -> None:
    context = certificates.serve()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with alerting(context) as url:
        steps = await doctor.see(url, tls=TlsFiles(ca=certificates.authority.root))
    assert bad(steps) == {"tls": "runtime.tls.version"}


@contextlib.contextmanager
def alerting(context: ssl.SSLContext) -> Iterator[str]:
    """A TLS server that says why it refuses, as most do; asyncio's lose their alerts."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as link:
                    link.settimeout(3.0)
                    with contextlib.suppress(TimeoutError):
                        link.recv(1)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"wss://localhost:{listener.getsockname()[1]}/x"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


async def test_a_plain_server_behind_wss_is_told(doctor: Doctor) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    steps = await doctor.see(f"wss://localhost:{port}/x")
    assert bad(steps) == {"tls": "runtime.tls.plain"}
    server.close()


async def test_files_that_cannot_be_used_are_told(
    doctor: Doctor, office: Office, certificates: Certificates, tmp_path_factory: object
) -> None:
    folder = certificates.authority.folder
    junk = folder / "junk.txt"
    junk.write_text("no certificate")
    mine = certificates.client
    assert mine.key is not None
    key = load_pem_private_key(mine.key.read_bytes(), None)
    form = (Encoding.PEM, PrivateFormat.PKCS8)
    locked, half = folder / "locked.key", folder / "half.key"
    locked.write_bytes(key.private_bytes(*form, BestAvailableEncryption(b"word")))
    half.write_bytes(mine.key.read_bytes()[:200])
    url = office.url.replace("ws://", "wss://")
    cases = [
        (TlsFiles(ca=folder / "missing.pem"), "runtime.tls.bad_ca"),
        (TlsFiles(ca=junk), "runtime.tls.bad_ca"),
        (TlsFiles(certificate=junk), "runtime.tls.no_certificate"),
        (TlsFiles(certificate=mine.certificate, key=junk), "runtime.tls.no_key"),
        (TlsFiles(certificate=mine.certificate), "runtime.tls.no_key"),
        (TlsFiles(certificate=mine.certificate, key=locked), "runtime.tls.locked_key"),
        (
            TlsFiles(certificate=mine.certificate, key=folder / "none.key"),
            "runtime.tls.bad_certificate",
        ),
        (TlsFiles(certificate=mine.certificate, key=half), "runtime.tls.bad_certificate"),
        (TlsFiles(certificate=folder / "missing.pem"), "runtime.tls.bad_certificate"),
        (
            TlsFiles(certificate=mine.certificate, key=certificates.strange_client.key),
            "runtime.tls.key_mismatch",
        ),
    ]
    for files, name in cases:
        assert bad(await doctor.see(url, tls=files)) == {"tls": name}
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    assert bad(await doctor.see(url, tls=TlsFiles(ca=empty))) == {"tls": "runtime.tls.no_ca"}


# ---------------------------------------------------------------- proxies


async def test_through_a_proxy_the_same_questions_are_asked(
    doctor: Doctor, certificates: Certificates
) -> None:
    pair = certificates.authority.sign("far-probe", "DNS:csms.example")
    async with Office().open(certificates.serve(pair)) as office, Proxy().open() as proxy:
        url = office.url.replace("localhost", "csms.example")
        files = TlsFiles(ca=certificates.authority.root)
        where = f"http://127.0.0.1:{proxy.port}"
        steps = await doctor.see(url, tls=files, proxy=where)
        assert names(steps) == [*TLS, "http", "subprotocol"]
        assert bad(steps) == {}
        assert steps[1].text.id == "runtime.probe.tcp_proxy"
        assert set(proxy.asked) == {f"csms.example:{office.port}"}
        proxy.refuse = "403 Forbidden"
        assert "tls" in bad(await doctor.see(url, tls=files, proxy=where))
        assert bad(await doctor.see(url, proxy="gopher://x")) == {"tcp": "runtime.link.proxy_bad"}
