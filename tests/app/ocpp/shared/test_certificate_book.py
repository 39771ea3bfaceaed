"""The certificates of a station as rows and files, and what is loaded for them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.ocpp.shared.certificates import x509
from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import (
    BadCertificate,
    HashData,
    NoRoom,
    OwnChain,
    Purpose,
    RootKind,
    Subject,
)
from app.runtime.store import MEMORY, Store
from app.training.certificates import Authority, KeyKind, make_authority, make_server, sign_request
from app.training.revocation import root_hash

CHECKOUT = Path(__file__).resolve().parents[4]
SUBJECT = Subject("SN-1", "CPO")


@pytest.fixture
def store() -> Iterator[Store]:
    with contextlib.closing(Store(MEMORY)) as made:
        yield made


@pytest.fixture
def book(store: Store) -> CertificateBook:
    return CertificateBook(store)


@pytest.fixture(scope="module")
def root() -> Authority:
    return make_authority("CSO root")


def own(book: CertificateBook, root: Authority, purpose: Purpose = Purpose.STATION) -> OwnChain:
    key = x509.new_key(SUBJECT)
    book.put_key(key)
    pair = sign_request(root, key.csr_pem)
    return book.put_chain(purpose, x509.chain_facts([pair.certificate_pem], [root.certificate_pem]))


def test_cryptography_is_loaded_only_when_there_is_something_to_read() -> None:
    """A headless station without certificates does not pay for them."""
    code = (
        "import sys, app.ocpp.v16, app.ocpp.v201, app.runtime.session, app.training.server\n"
        "from app.ocpp.shared.certificates.book import CertificateBook\n"
        "from app.runtime.store import Store\n"
        "book = CertificateBook(Store(':memory:'))\n"
        "assert book.roots('CSMS') == book.own_chains() == book.installed() == []\n"
        "print('cryptography' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"


def test_root_is_there_for_each_book_over_the_same_store(store: Store, root: Authority) -> None:
    CertificateBook(store).install_root(RootKind.CSMS, root.certificate_pem)
    assert CertificateBook(store).roots("CSMS") == [root.certificate_pem]
    assert CertificateBook(store).roots("V2G") == []


def test_full_book_says_so(book: CertificateBook, root: Authority) -> None:
    book.install_root(RootKind.CSMS, root.certificate_pem, most=1)
    with pytest.raises(NoRoom):
        book.install_root(RootKind.MO, make_authority("Other").certificate_pem, most=1)
    book.install_root(RootKind.CSMS, root.certificate_pem, most=1)


def test_third_root_in_a_row_leaves_one_fallback(book: CertificateBook, root: Authority) -> None:
    heir = make_authority("Heir", above=root)
    last = make_authority("Last", above=heir)
    for one in (root, heir, last):
        book.install_root(RootKind.CSMS, one.certificate_pem, must_be_signed=True)
    assert book.roots("CSMS") == [last.certificate_pem]
    assert book.fallback_roots() == [heir.certificate_pem]
    assert book.count() == 1


def test_chain_without_its_key_is_not_kept(book: CertificateBook, root: Authority) -> None:
    pair = sign_request(root, x509.new_key(SUBJECT).csr_pem)
    with pytest.raises(KeyError):
        book.put_chain(Purpose.STATION, x509.chain_facts([pair.certificate_pem]))


def test_a_chain_shows_its_key_to_nobody(book: CertificateBook, root: Authority) -> None:
    chain = own(book, root)
    assert "PRIVATE KEY" in chain.key_pem
    assert chain.key_pem not in repr(chain)


def test_chains_that_never_worked_do_not_pile_up(book: CertificateBook, root: Authority) -> None:
    first = own(book, root)
    book.connected_with(first)
    for _ in range(3):
        newest = own(book, root)
    assert {chain.id for chain in book.chains()} == {first.id, newest.id}


def test_what_failed_is_tried_last_until_a_link_stands(
    book: CertificateBook, root: Authority
) -> None:
    """A02.FR.28."""
    old = own(book, root)
    book.connected_with(old)
    new = own(book, root)
    tried = []
    for _ in range(4):
        chain = book.own_chains()[0]
        tried.append(chain.id)
        book.failed_with(chain)
    assert tried in ([new.id, old.id] * 2, [old.id, new.id] * 2)
    book.connected_with(new)
    assert [chain.failures for chain in book.own_chains()] == [0, 0]


def test_what_was_turned_down_stays_last_until_it_has_worked_or_another_one_comes(
    book: CertificateBook, root: Authority
) -> None:
    """A02.FR.09 speaks of valid ones. Only what was refused counts, and only once a link stands."""
    old = own(book, root)
    book.connected_with(old)
    new = own(book, root)
    book.failed_with(new)  # nobody was there
    book.connected_with(old)
    assert [chain.id for chain in book.chains()] == [new.id, old.id]
    book.failed_with(new, refused=True)
    assert [chain.id for chain in book.chains()] == [new.id, old.id]
    book.connected_with(old)
    assert [chain.id for chain in book.own_chains()] == [old.id, new.id]
    book.connected_with(old)
    assert [chain.turned_down for chain in book.chains()] == [False, True]
    book.connected_with(new)
    assert [chain.id for chain in book.own_chains()] == [new.id, old.id]


def test_forgotten_chain_takes_its_key_along(book: CertificateBook, root: Authority) -> None:
    chain = own(book, root)
    book.drop_chain(chain)
    book.drop_chain(chain)
    book.failed_with(chain)
    assert book.chains() == []


def test_hash_of_an_unknown_issuer_still_names_it(root: Authority) -> None:
    """M03: the name stands in the certificate, whoever it is."""
    pair = make_server(root, "localhost")
    known = x509.facts(pair.certificate_pem, [root.certificate_pem]).hashes[0]
    alone = x509.facts(pair.certificate_pem).hashes[0]
    assert alone.name_hash == known.name_hash
    assert alone.key_hash != known.key_hash


def test_serial_number_has_no_leading_zeros_and_case_does_not_count() -> None:
    one = HashData("SHA256", "aa", "bb", "0fff")
    assert one.same_as(HashData("SHA256", "AA", "BB", "FFF"))
    assert not one.same_as(HashData("SHA384", "AA", "BB", "FFF"))


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(BadCertificate):
        x509.facts(x509.split(text)[0])


def test_long_chain_is_not_even_read(root: Authority) -> None:
    with pytest.raises(BadCertificate, match="too many"):
        x509.split(root.certificate_pem * 11)


@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.EC_P384])
def test_authorities_of_other_keys_are_verified(kind: KeyKind) -> None:
    authority = make_authority("Other kind", key=kind)
    key = x509.new_key(SUBJECT)
    pair = sign_request(authority, key.csr_pem)
    (leaf,) = x509.check_chain(
        pair.chain_pem,
        subject=SUBJECT,
        roots=[authority.certificate_pem],
        at=datetime.now(UTC),
        early=False,
    )
    assert leaf.key_id == key.key_id


def test_training_CSMS_names_a_root_as_the_station_does(root: Authority) -> None:
    """Two implementations that share no code agree (whitepaper 6.1, RFC 6960)."""
    assert root_hash(root.certificate_pem) == x509.facts(root.certificate_pem).hashes[0].payload()
