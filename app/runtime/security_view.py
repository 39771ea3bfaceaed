"""What a window shows of a station's security: the profile in force, its certificates, its security log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.ocpp.shared.certificates.book import CertificateBook
from app.ocpp.shared.certificates.model import OwnChain, Root
from app.ocpp.shared.security_log import SecurityEntry, SecurityLog
from app.runtime.session import Session
from app.runtime.store import StoreError

MOST_EVENTS = 300
ROOT, OWN = "root", "own"


class CertificateState(Enum):
    """How it stands with a certificate now."""

    IN_USE = "in use"
    """The present link, or the last one, was made with it."""
    READY = "ready"
    FALLBACK = "fallback"
    """Replaced, and tried where its successor fails."""
    TURNED_DOWN = "turned down"
    """The back office took another one instead: it is shown last."""
    WAITING = "waiting"
    """Not valid yet."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """An installed root, or one of the station's own certificates. `digest`: SHA-256 of it, or its serial."""

    key: str
    use: str
    kind: str
    subject: str
    valid_from: datetime | None
    valid_to: datetime
    digest: str
    serial: str
    state: CertificateState
    failures: int = 0
    """Attempts to connect with it that failed since the last link."""
    ocsp: str | None = None
    """good, revoked, unknown or unreadable: what its OCSP responder says, where it was asked."""


@dataclass(frozen=True, slots=True)
class SecurityView:
    """All of it at one instant; the newest events first."""

    profile: int
    protection: str
    """As SessionSnapshot has it."""
    certificates: tuple[CertificateRow, ...]
    events: tuple[SecurityEntry, ...]


def security_of(session: Session) -> SecurityView:
    """Read the station's security. Without certificates and events if the store cannot tell."""
    snapshot = session.snapshot()
    profile, protection = snapshot.security_profile, snapshot.protection
    now = session.clock.now()
    book = CertificateBook(session.store, session.clock.now)
    try:
        used = book.chain_in_use()
        desk = session.personality and session.personality.desk
        told = desk.ocsp if desk else _nobody_asked
        own = tuple(_own(chain, used, now, told(chain.serial)) for chain in book.chains())
        roots = tuple(_root(root, now) for root in reversed(book.all_roots()))
        events = SecurityLog(session.store).entries()[-MOST_EVENTS:]
    except StoreError:  # told by the store
        return SecurityView(profile, protection, (), ())
    return SecurityView(profile, protection, own + roots, tuple(reversed(events)))


def _root(root: Root, now: datetime) -> CertificateRow:
    state = CertificateState.FALLBACK if root.fallback else CertificateState.READY
    return CertificateRow(
        key=f"root:{root.kind}:{root.fingerprint}",
        use=ROOT,
        kind=str(root.kind),
        subject=root.subject,
        valid_from=None,
        valid_to=root.not_after,
        digest=root.fingerprint,
        serial=root.hash_data.serial,
        state=CertificateState.EXPIRED if root.not_after <= now else state,
    )


def _nobody_asked(_: str) -> str | None:
    return None


def _own(chain: OwnChain, used: str | None, now: datetime, ocsp: str | None) -> CertificateRow:
    state = CertificateState.IN_USE if chain.id == used else CertificateState.READY
    if chain.turned_down:
        state = CertificateState.TURNED_DOWN
    if chain.not_before > now:
        state = CertificateState.WAITING
    return CertificateRow(
        key=chain.id,
        use=OWN,
        kind=str(chain.purpose),
        subject=chain.subject,
        valid_from=chain.not_before,
        valid_to=chain.not_after,
        digest=chain.id.partition(":")[2],
        serial=chain.serial,
        state=CertificateState.EXPIRED if chain.not_after <= now else state,
        failures=chain.failures,
        ocsp=ocsp,
    )
