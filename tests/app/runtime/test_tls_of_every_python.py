"""Who is trusted and what is spoken does not hang on the Python: versions and those who build them differ."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from app.runtime.files import trust
from app.runtime.tls import TlsFiles, harden, tls_context
from tests.app.runtime.minting import Minted, mint

HOST = "csms.example.com"


@pytest.fixture(autouse=True)
def strict_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults of Python 3.13 and later."""
    usual = ssl.create_default_context

    def strict() -> ssl.SSLContext:
        context = usual()
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


def trusted_by_the_computer(
    certificate: Minted, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.write(folder, "roots", chain=False)[0]))


def shake_hands(client_side: ssl.SSLContext, server: Minted, folder: Path) -> None:
    """Raises ssl.SSLError."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(*server.write(folder, "server"))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client_side.wrap_bio(back, there, server_hostname=HOST),
        server_side.wrap_bio(there, back, server_side=True),
    ]
    while ends:
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)


@pytest.mark.parametrize(
    "made", [lambda: tls_context(TlsFiles()), lambda: trust(TlsFiles(), ())], ids=["link", "files"]
)
def test_a_root_that_lacks_what_RFC_5280_wants_is_taken_as_a_station_in_the_field_takes_it(
    made: Callable[[], ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without key usage and key identifiers, as those that people make for their own back office."""
    root = mint("Own root", authority=True)
    trusted_by_the_computer(root, tmp_path, monkeypatch)
    shake_hands(made(), mint("csms", root, names=(HOST,)), tmp_path)


def test_a_root_alone_is_trusted_not_what_it_has_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a list of roots an intermediate is no anchor, whatever Python's own default says of it."""
    between = mint("Intermediate", mint("Own root", authority=True), authority=True)
    trusted_by_the_computer(between, tmp_path, monkeypatch)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tls_context(TlsFiles()), mint("csms", between, names=(HOST,)), tmp_path)


@pytest.mark.parametrize("built", ["DEFAULT", "ALL:@SECLEVEL=0", "ECDHE-RSA-AES256-GCM-SHA384"])
def test_the_suites_are_those_of_a_station_whoever_built_python(built: str) -> None:
    """In Debian Python leaves them to OpenSSL, with SHA-1 and shared secrets; in Fedora the system says."""
    usual, other = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2))
    other.set_ciphers(built)
    harden(usual)
    harden(other)
    suites = {suite["name"] for suite in usual.get_ciphers()}
    assert suites == {suite["name"] for suite in other.get_ciphers()}
    assert usual.security_level == other.security_level
    assert suites > {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    }, "those that OCPP names (2.0.1: A00.FR.318, .319)"
    assert not [name for name in suites if "PSK" in name or name.endswith("-SHA")]
