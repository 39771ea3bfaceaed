"""Certificates and roots that OCPP installed: used at the next connect, with the former ones behind them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.kernel.clock import VirtualClock
from app.ocpp.events import LinkFailed, SecurityEventRaised
from app.ocpp.shared.certificates import x509
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import KeyType, NewKey, OwnChain, Purpose
from app.runtime.session import STATE_FILE
from app.runtime.store import Store
from app.runtime.wishes import LinkWish
from tests.app.runtime.link_bench import Station, StrictOffice, office, station
from tests.app.runtime.minting import DAY, NOW, Minted, mint

VERSIONS = ["1.6", "2.0.1"]


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = mint("root", authority=True)
        self.stranger = mint("stranger", authority=True)
        self.server = mint("localhost", self.root)
        self.ca = folder / "ca.pem"
        self.ca.write_text(self.root.pem)
        self.state = folder / "state"
        self.flags: dict[str, Any] = {"security__profile": 3, "security__ca": self.ca}

    def given(self, own: Minted) -> dict[str, Any]:
        """Flags of a station to which people gave this certificate."""
        certificate, key = own.write(self.folder, "given")
        return {"security__certificate": certificate, "security__key": key}

    @contextmanager
    def book(self) -> Iterator[CertificateBook]:
        """What the station remembers, while no program runs."""
        store = Store(self.state / STATE_FILE)
        yield CertificateBook(store)
        store.close()

    def station(
        self, csms: StrictOffice, version: str, **more: Any
    ) -> AbstractAsyncContextManager[Station]:
        """The program, at security profile 3 and with what it remembers."""
        return station(csms.url, version, self.state, **self.flags, **more)

    def serve(self, server: Minted | None = None, clients: Minted | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(server or self.server).write(self.folder, "server"))
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=clients.pem)
        return context


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def install(book: CertificateBook, minted: Minted) -> OwnChain:
    """As CertificateSigned does: the key first, then the chain."""
    facts = x509.facts(minted.pem)
    book.put_key(NewKey(facts.key_id, minted.key_pem, "", KeyType.EC_P256))
    return book.put_chain(Purpose.STATION, [facts])


def shown(csms: StrictOffice) -> list[str]:
    """The names of those who came, by their certificates, in order."""
    found = []
    for guest in csms.guests:
        certificate: Any = guest.transport.get_extra_info("ssl_object").getpeercert()
        found.append(dict(pair[0] for pair in certificate["subject"])["commonName"])
    return found


def events(there: Station) -> list[str]:
    return [event.type for event in there.hears.all(SecurityEventRaised)]


@pytest.mark.parametrize("version", VERSIONS)
async def test_CE_07_a_new_certificate_is_shown_at_the_next_connect(
    world: World, version: str
) -> None:
    with world.book() as book:
        install(book, mint("first", world.root, names=(), begin=NOW - 9 * DAY))
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, version) as there,
    ):
        await there.accepted()
        install(CertificateBook(there.session.store), mint("second", world.root, names=()))
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) == 2)
        assert shown(csms) == ["first", "second"]
        book = CertificateBook(there.session.store)
        assert book.chain_in_use() == book.own_chains()[0].id


def in_one_line(pem: str) -> str:
    """As many back offices write it into JSON."""
    return pem.replace("\n", "")


@pytest.mark.parametrize("spelled", [in_one_line, lambda pem: pem.replace("\n", "\r\n")])
@pytest.mark.parametrize("version", VERSIONS)
async def test_certificates_in_any_spelling_of_PEM_carry_a_link(
    world: World, version: str, spelled: Callable[[str], str]
) -> None:
    """OpenSSL reads no PEM in one line: a root that was taken so must not lock the station out."""
    with world.book() as book:
        book.install_root("CSMS", spelled(world.root.pem))
        own = mint("CS-1", world.root, names=())
        (leaf,) = x509.chain_facts(x509.split(spelled(own.pem)), [world.root.pem])
        book.put_key(NewKey(leaf.key_id, own.key_pem, "", KeyType.EC_P256))
        book.put_chain(Purpose.STATION, [leaf])
    async with (
        office(world.serve(clients=world.root)) as csms,
        station(csms.url, version, world.state, security__profile=3) as there,
    ):
        await there.accepted()
        assert shown(csms) == ["CS-1"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_A02_FR_28_the_former_certificate_is_shown_where_the_new_one_is_refused(
    world: World, version: str
) -> None:
    with world.book() as book:
        install(book, mint("good", world.root, names=(), begin=NOW - 9 * DAY))
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, version) as there,
    ):
        await there.accepted()
        install(CertificateBook(there.session.store), mint("bad", world.stranger, names=()))
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) == 2)
        assert shown(csms) == ["good", "good"]
        assert len(there.hears.all(LinkFailed)) == 3  # a round with the new one
        if version == "2.0.1":
            assert "DiscardedRenewedClientCertificate" in events(there)  # A02.FR.29
            assert len(CertificateBook(there.session.store).own_chains()) == 1


@pytest.mark.parametrize("factory", [False, True])
async def test_A02_FR_10_16_the_fallback_is_remembered_over_a_power_cut(
    world: World, factory: bool
) -> None:
    """What was turned down is the last to be shown, until it is all that is left."""
    flags: dict[str, Any] = {}
    good = mint("good", world.root, names=(), begin=NOW - 9 * DAY)
    if factory:
        flags = world.given(good)
    with world.book() as book:
        if not factory:
            book.connected_with(install(book, good))
        install(book, mint("bad", world.stranger, names=()))
    async with office(world.serve(clients=world.root)) as csms:
        async with world.station(csms, "1.6", **flags) as there:
            await there.accepted()
            assert len(there.hears.all(LinkFailed)) == 3  # a round with the newest one
        async with world.station(csms, "1.6", **flags) as there:
            await there.accepted()
            assert there.hears.all(LinkFailed) == []
            await there.session.repower()
            await there.until(lambda: there.online and len(csms.guests) == 3)
            assert there.hears.all(LinkFailed) == []
            assert shown(csms) == ["good"] * 3
            install(CertificateBook(there.session.store), mint("newer", world.root, names=()))
            await csms.guests[-1].close(1012)
            await there.until(lambda: there.online and len(csms.guests) == 4)
            assert shown(csms)[-1] == "newer"


async def test_A02_16_what_was_turned_down_is_shown_again_where_nothing_else_is_taken(
    world: World,
) -> None:
    """A back office that forgot a root for a while must not have lost the station for ever."""
    with world.book() as book:
        first = mint("first", world.root, names=(), begin=NOW - 9 * DAY)
        book.connected_with(install(book, first))
        install(book, mint("second", world.stranger, names=()))
    for clients, came in ((world.root, "first"), (world.stranger, "second")):
        async with (
            office(world.serve(clients=clients)) as csms,
            world.station(csms, "1.6") as there,
        ):
            await there.accepted()
            assert shown(csms) == [came]


async def test_A02_FR_29_201_what_was_renewed_goes_where_only_the_factory_certificate_is_taken(
    world: World,
) -> None:
    factory = world.given(mint("factory", world.root, names=()))
    with world.book() as book:
        install(book, mint("bad", world.stranger, names=()))
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, "2.0.1", **factory) as there,
    ):
        await there.accepted()
        assert "DiscardedRenewedClientCertificate" in events(there)
        assert CertificateBook(there.session.store).own_chains() == []


async def test_what_people_gave_is_behind_what_ocpp_installed(world: World) -> None:
    """The manufacturer's certificate is a file; the first renewed one is not accepted."""
    factory = world.given(mint("factory", world.root, names=()))
    with world.book() as book:
        install(book, mint("bad", world.stranger, names=()))
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, "1.6", **factory) as there,
    ):
        await there.accepted()
        assert shown(csms) == ["factory"]


async def test_a_certificate_that_a_person_chose_goes_before_what_was_installed_until_then(
    world: World,
) -> None:
    """And is tried by the diagnosis; what is installed later goes before it again."""
    certificate, key = mint("chosen", world.root, names=()).write(world.folder, "chosen")
    with world.book() as book:
        install(book, mint("signed", world.root, names=(), begin=NOW - 9 * DAY))
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, "1.6") as there,
    ):
        await there.accepted()
        wish = LinkWish(csms.url, certificate=str(certificate), key=str(key))
        steps = [step async for step in there.session.diagnose(wish)]
        assert all(step.ok for step in steps)
        await there.session.connect_to(csms.url, certificate=str(certificate), key=str(key))
        await there.accepted()
        assert (shown(csms)[0], set(shown(csms)[1:])) == ("signed", {"chosen"})
        before = len(csms.guests)
        install(CertificateBook(there.session.store), mint("newer", world.root, names=()))
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) > before)
        assert shown(csms)[-1] == "newer"


async def test_the_diagnosis_trusts_the_roots_that_ocpp_installed(world: World) -> None:
    with world.book() as book:
        book.install_root("CSMS", world.root.pem)
    async with (
        office(world.serve()) as csms,
        office() as plain,
        station(plain.url, "1.6", world.state) as there,
    ):
        await there.accepted()
        steps = [step async for step in there.session.diagnose(LinkWish(csms.url))]
        assert all(step.ok for step in steps)


async def test_the_certificates_of_a_folder_are_tried_one_after_the_other(world: World) -> None:
    folder = world.folder / "own"
    folder.mkdir()
    mint("a", world.stranger, names=()).write(folder, "a")
    mint("b", world.stranger, names=()).write(folder, "b")
    mint("c", world.root, names=()).write(folder, "c")
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, "1.6", security__certificate_folder=folder) as there,
    ):
        await there.accepted()
        assert shown(csms) == ["c"]
        assert len(there.hears.all(LinkFailed)) == 6


async def test_a_certificate_file_that_was_turned_down_is_the_last_to_be_shown_over_a_restart_too(
    world: World,
) -> None:
    """Until it holds another certificate: A02.FR.28 for what people gave."""
    folder = world.folder / "own"
    folder.mkdir()
    mint("a", world.stranger, names=()).write(folder, "a")
    mint("b", world.root, names=()).write(folder, "b")
    rounds = {"b": 3, "b again": 0, "a": 0}
    async with office(world.serve(clients=world.root)) as csms:
        for name, failures in rounds.items():
            if name == "a":
                mint("a", world.root, names=()).write(folder, "a")
            async with world.station(csms, "1.6", security__certificate_folder=folder) as there:
                await there.accepted()
                assert len(there.hears.all(LinkFailed)) == failures, name
                await csms.guests[-1].close(1012)
                await there.until(lambda: there.online and len(csms.guests) % 2 == 0)
                assert len(there.hears.all(LinkFailed)) == failures, name
        assert shown(csms) == ["b"] * 4 + ["a"] * 2


async def test_what_a_person_chose_and_was_turned_down_has_a_chance_again_when_it_is_chosen_again(
    world: World,
) -> None:
    certificate, key = mint("chosen", world.stranger, names=()).write(world.folder, "chosen")
    with world.book() as book:
        install(book, mint("signed", world.root, names=(), begin=NOW - 9 * DAY))
    async with office(world.serve(clients=world.root)) as csms:
        async with world.station(csms, "1.6") as there:
            await there.accepted()
            for times in (1, 2):
                await there.session.connect_to(csms.url, certificate=str(certificate), key=str(key))
                await there.until(lambda: there.online)
                assert len(there.hears.all(LinkFailed)) == 3 * times
        async with world.station(csms, "1.6") as there:
            await there.accepted()
            assert there.hears.all(LinkFailed) == []


async def test_an_expired_certificate_is_still_shown(world: World) -> None:
    """A00.FR.430: what to do with it is up to the back office."""
    with world.book() as book:
        expired = mint("expired", world.root, names=(), begin=NOW - 9 * DAY, end=NOW - DAY)
        install(book, expired)
    async with (
        office(world.serve(clients=world.root)) as csms,
        world.station(csms, "2.0.1") as there,
    ):
        await there.until(lambda: there.hears.all(LinkFailed))
        assert there.hears.all(LinkFailed)[0].step in ("tls", "http")  # theirs, not ours
        assert csms.guests == []


def replace_root(book: CertificateBook, new: Minted) -> None:
    book.install_root("CSMS", new.pem, must_be_signed=True)


NAMES = ["successor", "root"]
"""Of the next root: a new one, or that of the one before, as it is where only the key changes."""


@pytest.mark.parametrize("name", NAMES)
async def test_M05_FR_13_a_root_that_has_worked_is_alone(world: World, name: str) -> None:
    with world.book() as book:
        book.install_root("CSMS", world.root.pem)
        successor = mint(name, world.root, authority=True)
        replace_root(book, successor)
        assert book.fallback_roots()
    server = mint("localhost", successor)
    async with (
        office(world.serve(server)) as csms,
        station(csms.url, "2.0.1", world.state) as there,
    ):
        await there.accepted()
        book = CertificateBook(there.session.store)
        assert book.fallback_roots() == []
        assert book.roots("CSMS") == [successor.pem]


@pytest.mark.parametrize("name", NAMES)
async def test_M05_FR_14_the_former_root_is_used_where_the_new_one_does_not_fit(
    world: World, name: str
) -> None:
    """The case that bricks stations: the back office has not changed its certificate yet."""
    with world.book() as book:
        book.install_root("CSMS", world.root.pem)
        replace_root(book, mint(name, world.root, authority=True))
    async with (
        office(world.serve()) as csms,
        station(csms.url, "2.0.1", world.state) as there,
    ):
        await there.accepted()
        assert CertificateBook(there.session.store).fallback_roots() == [world.root.pem]
        [failed] = there.hears.all(LinkFailed)
        assert failed.retry_in == 0.0  # at once, it is the same attempt
        await csms.guests[-1].close(1012)
        await there.until(lambda: there.online and len(csms.guests) == 2)


async def test_the_key_is_on_no_disk_after_the_handshake(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """OpenSSL takes keys from files only: ours is readable by nobody else, and gone at once."""
    import tempfile

    from app.runtime.tls import PemPair, TlsFiles, tls_context

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    modes = []
    real = ssl.SSLContext.load_cert_chain

    def noting(self: ssl.SSLContext, certificate: Any, *rest: Any, **more: Any) -> None:
        modes.append(Path(certificate).stat().st_mode & 0o777)
        real(self, certificate, *rest, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", noting)
    own = mint("own", world.root, names=())
    tls_context(TlsFiles(ca=world.ca, own=PemPair(own.chain_pem, own.key_pem)))
    assert modes == [0o600]
    assert list(scratch.iterdir()) == []


async def test_a_root_that_is_no_certificate_is_told() -> None:
    from app.runtime.tls import TlsFiles, TlsFilesBad, tls_context

    with pytest.raises(TlsFilesBad) as raised:
        tls_context(TlsFiles(roots=("no certificate",)))
    assert raised.value.text.id == "runtime.tls.bad_root"


@pytest.mark.parametrize(
    ("late", "status"), [(None, "Accepted"), ("root", "Rejected"), ("own", "Rejected")]
)
async def test_A05_FR_03_04_what_has_run_out_does_not_count(
    world: World, late: str | None, status: str
) -> None:
    """By the station's clock, which has a battery of its own."""
    with world.book() as book:
        soon, later = NOW + DAY, NOW + 99 * DAY
        root = mint("r", authority=True, end=soon if late == "root" else later)
        book.install_root("CSMS", root.pem)
        install(book, mint("own", root, names=(), end=soon if late == "own" else later))
    clock = VirtualClock(NOW + 9 * DAY)
    clock.follow_server = False
    async with office() as csms, station(csms.url, "1.6", world.state, clock=clock) as there:
        await there.accepted()
        request = {"key": "SecurityProfile", "value": "3"}
        assert await csms.ask("ChangeConfiguration", request) == {"status": status}
