"""Files and TLS of the certificate lab: from what was made to a training CSMS that serves with it."""

from __future__ import annotations

import os
import ssl
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cryptography import x509

from app.training.certificates import Authority, Pair, certificate_of, key_of, make_server
from app.training.revocation import revocation_list

if TYPE_CHECKING:
    from app.training.thread import TrainingCsmsThread


def write(folder: Path, name: str, made: Pair | Authority) -> tuple[Path, Path]:
    """`<name>.pem` (the chain) and `<name>.key` in a folder, the key readable by nobody else (0600)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    text = made.chain_pem if isinstance(made, Pair) else made.certificate_pem
    certificate.write_text(text, encoding="ascii")
    key.unlink(missing_ok=True)
    opened = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(made.key_pem)
    return certificate, key


def read(folder: Path, name: str) -> Authority:
    """An authority that was written before: a root, or one whose signer is not known any more.

    Raises OSError and ValueError.
    """
    certificate = (folder / f"{name}.pem").read_text("ascii")
    key = (folder / f"{name}.key").read_text("ascii")
    certificate_of(certificate)
    key_of(key)
    return Authority(certificate, key)


def read_pair(folder: Path, name: str) -> Pair:
    """A certificate with its chain and key, as `write` leaves them. Raises OSError and ValueError."""
    chain = (folder / f"{name}.pem").read_text("ascii")
    key = (folder / f"{name}.key").read_text("ascii")
    certificate_of(chain)
    key_of(key)
    return Pair(chain, chain, key)


def host_of(pair: Pair) -> str | None:
    """The first host name or address that a CSMS certificate is made out to; None for `*.example.com`."""
    found = certificate_of(pair.certificate_pem).extensions
    try:
        names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    hosts = [str(item.value) for item in names if isinstance(item, x509.DNSName | x509.IPAddress)]
    return next((host for host in hosts if "*" not in host), None)


def server_context(
    pair: Pair,
    *,
    clients: Sequence[Authority] = (),
    revoked: bool = True,
    newest: ssl.TLSVersion | None = None,
    ciphers: str | None = None,
) -> ssl.SSLContext:
    """TLS for a CSMS with a certificate of its own.

    `clients`: whose station certificates it takes; with them each station has to show one (profile 3).
    `revoked`: what those have taken back is turned away. `newest` and `ciphers` narrow TLS down: 1.1, or a
    cipher that no station takes.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if newest is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.1, which is the point
            context.minimum_version = min(context.minimum_version, newest)
            context.maximum_version = newest
    if ciphers is not None:
        context.set_ciphers(ciphers)
    with TemporaryDirectory() as place:  # `ssl` takes files only; it is 0700
        context.load_cert_chain(*write(Path(place), "server", pair))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            _take_clients(context, clients, Path(place), revoked=revoked)
    return context


def following_context(authority: Callable[[], Authority], host: str) -> ssl.SSLContext:
    """TLS for a server on this host whose certificate is always one of the present authority."""
    made: dict[str, ssl.SSLContext] = {}

    def present() -> ssl.SSLContext:
        root = authority()
        if root.certificate_pem not in made:
            made.clear()
            made[root.certificate_pem] = server_context(make_server(root, host))
        return made[root.certificate_pem]

    def choose(wire: ssl.SSLSocket | ssl.SSLObject, name: str | None, first: object) -> None:
        wire.context = present()

    context = present()
    context.sni_callback = choose
    return context


def _take_clients(
    context: ssl.SSLContext, clients: Sequence[Authority], place: Path, *, revoked: bool
) -> None:
    for one in clients:
        context.load_verify_locations(cadata=one.certificate_pem)
    if revoked and any(one.revoked for one in clients):
        lists = place / "revoked.pem"
        lists.write_text("".join(revocation_list(one) for one in clients), encoding="ascii")
        context.load_verify_locations(cafile=lists)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF


def serve_with(thread: TrainingCsmsThread, context: ssl.SSLContext | None) -> str:
    """Have a training CSMS serve with this TLS from now on (None: without), and return its new URL.

    It is stopped and started again on its port: stations lose their link and come back, to the new URL if
    they are told it. What it remembers of them is gone. Raises OSError if the port was taken meanwhile.
    """
    return thread.restart(context)
