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

    `state`: trusted or fallback for roots; new, proven, in_use, turned_down or early (not yet valid) for
    our own.
    """

    kind: str
    own: bool
    subject: str
    serial: str
    not_after: datetime
    state: str
    pem: str
    ocsp: str | None = None
    """good, revoked, unknown or unreadable: what the responder says (2.0.1, V2G chains)."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request for a certificate: unsent, waiting, stopped or refused; `repeats` so far.

    `due`: seconds until it is sent again where no certificate comes; None: it is not.
    """

    purpose: str
    state: str
    repeats: int
    csr: str
    due: float | None = None


class Certificates(Protocol):
    """The block of either version."""

    book: CertificateBook
    signing: Signing

    def request_certificate(self, purpose: Purpose = ...) -> bool: ...


class Contracts(Protocol):
    """Contract certificates of cars (2.0.1)."""

    def ask(self, *, update: bool, exi: str | None = None) -> bool: ...


class Statuses(Protocol):
    """What OCSP responders say of our certificates (2.0.1)."""

    def refresh(self, *, anew: bool = False) -> None: ...

    def verdict(self, serial: str) -> str | None: ...


class SecurityDesk:
    """The security of one station, in one hand for window and control API."""

    def __init__(
        self,
        security: CausesOfEvents,
        certificates: Certificates,
        contracts: Contracts | None = None,
        statuses: Statuses | None = None,
    ) -> None:
        self._security = security
        self._certificates = certificates
        self._contracts, self._statuses = contracts, statuses

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

    @property
    def kinds(self) -> tuple[str, ...]:
        """The security events of the version's list."""
        return tuple(self._security.listed)

    def raise_event(self, kind: str, tech_info: str = "", critical: bool | None = None) -> None:
        """Have a security event happen without its cause: any word, though the version lists its own.

        `critical` None: by the list.
        """
        self._security.raise_event(kind, tech_info, critical)

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
            elif chain.turned_down:
                state = "turned_down"
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
                    self.ocsp(chain.serial),
                )
            )
        return found

    def requests(self) -> list[RequestView]:
        """The requests for certificates that are under way or ended without one."""
        signing = self._certificates.signing
        return [
            RequestView(
                str(one.purpose), str(one.state), one.repeats, one.csr, signing.left_of(one)
            )
            for one in signing.requests()
        ]

    def request_certificate(self, purpose: str = Purpose.STATION) -> bool:
        """Ask the back office for a new one; False where something that it needs is not set.

        Raises ValueError for a purpose there is none of.
        """
        return self._certificates.request_certificate(Purpose(purpose))

    @property
    def speaks_of_cars(self) -> bool:
        """The version has messages for contract certificates and OCSP."""
        return self._contracts is not None

    def request_contract(self, *, update: bool = False, exi: str | None = None) -> bool:
        """A car asks for its contract certificate; False where that cannot be done now.

        Raises ValueError for a request that is too long.
        """
        return self._contracts is not None and self._contracts.ask(update=update, exi=exi)

    def ocsp(self, serial: str) -> str | None:
        """What the responder says of a certificate: good, revoked, unknown or unreadable; None: nothing."""
        return self._statuses.verdict(serial) if self._statuses else None

    def ask_status(self) -> bool:
        """Ask for the OCSP status of our V2G certificates; False where none has a responder."""
        if self._statuses is None or not self._certificates.book.status_questions():
            return False
        self._statuses.refresh(anew=True)
        return True
