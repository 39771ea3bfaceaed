"""What a person or a script sees of a station's security, and may do about it. No key is ever shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import Purpose
from app.ocpp.shared.certificates.signing import Signing
from app.ocpp.shared.security_causes import CausesOfEvents
from app.ocpp.shared.security_log import SecurityEntry


@dataclass(frozen=True, slots=True)
class CertificateView:
    """An installed certificate. `kind`: CSMS, MO, V2G or Manufacturer for roots, else its purpose.

    `state`: trusted or fallback for roots; new, proven, in_use or early (not yet valid) for our own.
    """

    kind: str
    own: bool
    subject: str
    serial: str
    not_after: datetime
    state: str
    pem: str


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request for a certificate: unsent, waiting, stopped or refused; `repeats` so far."""

    purpose: str
    state: str
    repeats: int
    csr: str


class Certificates(Protocol):
    """The block of either version."""

    book: CertificateBook
    signing: Signing

    def request_certificate(self, purpose: Purpose = ...) -> bool: ...


class SecurityDesk:
    """The security of one station, in one hand for window and control API."""

    def __init__(self, security: CausesOfEvents, certificates: Certificates) -> None:
        self._security = security
        self._certificates = certificates

    def log(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[SecurityEntry]:
        """The security log of a period, oldest first."""
        return self._security.log.entries(since, until)

    def clear_log(self) -> int:
        """Clear it, which is told to the back office. Returns how many entries went."""
        return self._security.clear_log()

    def maintenance_login(self, user: str, origin: str, *, accepted: bool) -> None:
        """Somebody logged in at the maintenance panel, or failed to."""
        self._security.maintenance_login(user, origin, accepted=accepted)

    def certificates(self) -> list[CertificateView]:
        """All roots, then our own certificates, newest first."""
        book = self._certificates.book
        found = [
            CertificateView(
                root.kind,
                False,
                root.subject,
                root.hash_data.serial,
                root.not_after,
                "fallback" if root.fallback else "trusted",
                root.pem,
            )
            for root in book.all_roots()
        ]
        usable = {chain.id for chain in book.own_chains()}
        for chain in book.chains():
            if chain.id == book.chain_in_use():
                state = "in_use"
            elif chain.purpose is not Purpose.V2G and chain.id not in usable:
                state = "early"
            else:
                state = "proven" if chain.proven else "new"
            found.append(
                CertificateView(
                    str(chain.purpose),
                    True,
                    chain.subject,
                    chain.serial,
                    chain.not_after,
                    state,
                    chain.chain_pem,
                )
            )
        return found

    def requests(self) -> list[RequestView]:
        """The requests for certificates that are under way or ended without one."""
        return [
            RequestView(str(one.purpose), str(one.state), one.repeats, one.csr)
            for one in self._certificates.signing.requests()
        ]

    def request_certificate(self, purpose: str = Purpose.STATION) -> bool:
        """Ask the back office for a new one; False where something that it needs is not set.

        Raises ValueError for a purpose there is none of.
        """
        return self._certificates.request_certificate(Purpose(purpose))
